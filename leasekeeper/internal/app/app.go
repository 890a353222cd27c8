// Package app puts leasekeeper together: it listens first, checks that stream
// and tables are there, and then runs the loop until it is asked to stop.
package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/api"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/dynamo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/ecs"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/retry"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/runner"
)

// Run runs leasekeeper until ctx is done and everything is handed over, or
// until it cannot go on. stdout is for metrics in CloudWatch's format. The error
// is one line that says what is missing.
func Run(ctx context.Context, s *config.Settings, version string, stdout io.Writer, log zerolog.Logger) error {
	gate := &api.Gate{}
	metrics := newMetrics(version, s.Metrics)
	server, failed, err := listen(ctx, s.Listen, api.Handler(gate, metrics.handler()), log)
	if err != nil {
		return err
	}
	defer stop(server)
	execute, err := connect(ctx, s, log)
	if err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return err
	}
	k, err := newKeeper(ctx, s, version)
	if err != nil {
		return err
	}
	started := time.Now()
	loop := runner.New(k, execute, log)
	metrics.watch(loop)
	gate.Open(loop)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err, broken := <-failed; broken {
			cancel(err)
		}
	}()
	defer exportMetrics(ctx, s, loop, stdout, log, func() keeper.Counts { return k.Counts(time.Since(started)) })()
	if err := loop.Run(ctx); err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// exportMetrics writes metrics for CloudWatch if that is asked for, until the
// returned function is called after the loop's end, which writes the last line
// from what last returns.
func exportMetrics(ctx context.Context, s *config.Settings, loop counter, w io.Writer, log zerolog.Logger, last func() keeper.Counts) (stop func()) {
	if s.Metrics != config.MetricsEMF {
		return func() {}
	}
	e, ticker := newEMF(w, s.Stream), time.NewTicker(emfEvery)
	end := e.export(ctx, loop, ticker.C, log)
	return func() {
		ticker.Stop()
		end()
		counts := last()
		if err := e.write(&counts, time.Now()); err != nil {
			log.Warn().Err(err).Msg("the last metrics were not written")
		}
	}
}

func newKeeper(ctx context.Context, s *config.Settings, version string) (*keeper.Keeper, error) {
	position, at, err := s.Position()
	if err != nil {
		return nil, err
	}
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("draw a seed: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return keeper.New(keeper.Config{
		Name: ecs.Name(ctx, os.Getenv(ecs.MetadataVariable), host), Version: version, Stream: s.Stream, LeaseTable: s.LeaseTable, WorkerTable: s.WorkerTable,
		Epoch: time.Now(), Seed: binary.LittleEndian.Uint64(seed[:]), Duration: s.LeaseDuration,
		InitialPosition: position, InitialTimestamp: at, MaxLeases: s.MaxLeases, ForeignWait: s.ForeignWait,
		CheckpointInterval: s.CheckpointInterval, DrainTimeout: s.DrainTimeout,
	}), nil
}

// startTimeout bounds the search for credentials, stream and tables.
const startTimeout = 9 * time.Second

// connect makes the clients and checks, before anything is written, that stream
// and tables are there. A service that does not answer is asked again until the
// time is up; one that says no is believed.
func connect(ctx context.Context, s *config.Settings, log zerolog.Logger) (runner.Executor, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cfg, err := awsclient.Load(ctx, log)
	if err != nil {
		return nil, err
	}
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} } // the protocol repeats by itself, and must know of it (S5)
	cfg = apart(cfg)
	tables := dynamo.New(dynamodb.NewFromConfig(cfg), s.LeaseTable, s.WorkerTable, s.Attempt())
	stream := kinesis.New(awskinesis.NewFromConfig(cfg), s.Stream, max(s.Attempt(), time.Second))
	check := func() error {
		if _, err := stream.Describe(ctx); err != nil {
			return err
		}
		return tables.Check(ctx)
	}
	insist := func() (bool, error) {
		err := check()
		return dynamo.Open(err), err
	}
	if err := retry.Do(ctx, insist); err != nil {
		return nil, awsclient.Explain(err)
	}
	return func(ctx context.Context, op lease.Op) lease.Answer {
		switch op := op.(type) {
		case lease.ListShards:
			return stream.Execute(ctx, op)
		case lease.TryIterator:
			return stream.Try(ctx, op)
		}
		return tables.Execute(ctx, op)
	}, nil
}

// listen serves in the background; failed tells when that breaks off.
func listen(ctx context.Context, address string, handler http.Handler, log zerolog.Logger) (*http.Server, <-chan error, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("listen on %s (LEASEKEEPER_LISTEN): %w", address, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", address, err)
		}
	}()
	log.Info().Str("address", listener.Addr().String()).Msg("listening")
	return server, failed, nil
}

// stop lets answers that are being written end, for a moment.
func stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}
