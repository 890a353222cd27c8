// Package server is localaws as a Go package: Kinesis and DynamoDB in memory
// behind one http.Handler, for the binary and for tests that want the service in
// their own process.
//
//	s := server.New(server.Options{})
//	url, err := s.Start("127.0.0.1:0")
//	defer s.Close()
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/admin"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/counters"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/faults"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// DefaultSubscriptionDuration is how long the service lets a SubscribeToShard
// call last.
const DefaultSubscriptionDuration = 5 * time.Minute

// How long a client may take to send a request, body included, unless Options
// say otherwise, and how long a connection may wait for the next one: longer
// than clients keep theirs.
const (
	DefaultRequestTimeout = 30 * time.Second
	idleTimeout           = 3 * time.Minute
)

// Options of a Server. The zero value is a good server for tests.
type Options struct {
	Version string           // reported by the health endpoint
	Now     func() time.Time // the clock of everything stored; nil means time.Now
	Logger  zerolog.Logger   // calls at debug level; the zero value logs nothing
	// SubscriptionDuration ends SubscribeToShard calls; 0 means five minutes.
	SubscriptionDuration time.Duration
	// RequestTimeout bounds how long a client may take to send a request; 0 means
	// DefaultRequestTimeout. The answer may take longer.
	RequestTimeout time.Duration
	// Secret is the secret access key with which every request must be signed; if
	// it is empty, signatures are not looked at.
	Secret string
	// StaleReads is how far DynamoDB's reads without ConsistentRead lag behind the
	// writes; 0 is not at all.
	StaleReads time.Duration
	// EnforceLimits turns on the limits per shard that the service has.
	EnforceLimits bool
}

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SubscriptionDuration == 0 {
		o.SubscriptionDuration = DefaultSubscriptionDuration
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = DefaultRequestTimeout
	}
}

// Server serves the AWS protocols at / and the admin endpoint under
// /_localaws/. It implements http.Handler and is safe for concurrent use.
type Server struct {
	options Options
	aws     http.Handler
	admin   http.Handler

	stop    chan struct{} // closed by Close: ends what streams
	stopped sync.Once
	http    *http.Server
	done    chan error
}

// New returns a server with empty state. It starts nothing.
func New(o Options) *Server {
	o.fill()
	streams := newKinesis(o)
	all := append([]wire.Service{streams}, more(o)...)
	rules, counts := faults.NewSet(), counters.New()
	s := &Server{options: o, stop: make(chan struct{})}
	s.aws = wire.NewHandler(all, admin.NewHook(rules, counts, o.Logger), o.Secret)
	s.admin = admin.Handler(admin.Config{
		Version: o.Version, Faults: rules, Counters: counts, Limits: streams,
		Reset: func() {
			for _, service := range all {
				service.Reset()
			}
		},
	})
	return s
}

func newKinesis(o Options) *kinesis.Service {
	tuning := kinesis.DefaultTuning()
	tuning.Enforce = o.EnforceLimits
	tuning.SubscriptionMS = o.SubscriptionDuration.Milliseconds()
	return kinesis.New(kinesis.Options{Now: o.Now, Tuning: tuning})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, admin.Prefix) {
		s.admin.ServeHTTP(w, r)
		return
	}
	s.aws.ServeHTTP(w, r)
}

// Start listens on address (port 0 picks a free one) and serves in the
// background until Close or Shutdown. It returns the base URL.
func (s *Server) Start(address string) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", fmt.Errorf("listen on %s: %w", address, err)
	}
	base, cancel := context.WithCancel(context.Background())
	go func() { <-s.stop; cancel() }()
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // as the Java SDK speaks to SubscribeToShard
	s.http = &http.Server{
		Protocols:   &protocols,
		Handler:     s,
		ReadTimeout: s.options.RequestTimeout, // ends with the request's last byte, so streams last
		IdleTimeout: idleTimeout,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	s.done = make(chan error, 1)
	go func() { s.done <- s.http.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// Done gives the error that ended serving, http.ErrServerClosed after Close or
// Shutdown. It is nil before Start.
func (s *Server) Done() <-chan error { return s.done }

// Shutdown ends streams, lets calls under way finish until ctx is over, then
// closes what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopped.Do(func() { close(s.stop) })
	if s.http == nil {
		return nil
	}
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("shut down: %w", err), s.http.Close())
	}
	return nil
}

// Close stops at once.
func (s *Server) Close() error {
	s.stopped.Do(func() { close(s.stop) })
	if s.http == nil {
		return nil
	}
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("close server: %w", err)
	}
	return nil
}
