package runner_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/runner"
)

// memory is a stream of one shard and its tables.
type memory struct {
	mu      sync.Mutex
	leases  map[string]*lease.Row
	workers map[string]*lease.Worker
	stream  *lease.Stream
	running int
	most    int
}

func (m *memory) execute(_ context.Context, op lease.Op) lease.Answer {
	m.mu.Lock()
	m.running++
	m.most = max(m.most, m.running)
	m.mu.Unlock()
	time.Sleep(5 * time.Millisecond) // in the bubble's time
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running--
	return m.apply(op)
}

func (m *memory) apply(op lease.Op) lease.Answer {
	outcome := map[bool]lease.Outcome{true: lease.Applied, false: lease.Refused}
	a := lease.Answer{Outcome: lease.Applied}
	var ok bool
	switch op := op.(type) {
	case lease.LeaseWrite:
		if a.Lease, ok = op.Apply(m.leases[op.Shard]); ok {
			m.leases[op.Shard] = a.Lease
		}
		a.Outcome = outcome[ok]
	case lease.WorkerWrite:
		if a.Worker, ok = op.Apply(m.workers[op.Worker]); ok {
			m.workers[op.Worker] = a.Worker
		}
		a.Outcome = outcome[ok]
	case lease.StreamWrite:
		a.Stream, ok = op.Apply(m.stream)
		m.stream, a.Outcome = a.Stream, outcome[ok]
	case lease.GetLease:
		a.Lease = m.leases[op.Shard]
	case lease.ScanWorkers:
		a.Stream = m.stream
		for _, row := range m.workers {
			a.Workers = append(a.Workers, row)
		}
	case lease.ScanLeases:
		for _, row := range m.leases {
			a.Leases = append(a.Leases, row)
		}
	case lease.ListShards:
		a.Listing = &lease.Listing{ARN: "arn", CreatedAt: time.Unix(1, 0), Now: time.Unix(2, 0)}
		for i := range 100 {
			a.Listing.Shards = append(a.Listing.Shards, lease.Shard{ID: string(rune('A'+i/26)) + string(rune('a'+i%26))})
		}
	}
	return a
}

// The loop serves syncs while it beats, runs a bounded number of operations
// side by side, and ends cleanly when it is asked to.
func TestRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{leases: map[string]*lease.Row{}, workers: map[string]*lease.Worker{}}
		k := keeper.New(keeper.Config{Name: "a", Stream: "test", Duration: 8 * time.Second, InitialPosition: lease.TrimHorizon,
			ForeignWait: time.Minute, CheckpointInterval: time.Second, DrainTimeout: time.Minute, Epoch: time.Now()})
		r := runner.New(k, m.execute, zerolog.Nop())
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()

		request := contract.SyncRequest{Consumer: "c", WaitMS: 1000}
		for n := 0; len(request.Shards) < 100 && n < 100; n++ {
			response, refusal, err := r.Sync(t.Context(), request)
			if err != nil || refusal != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			request.Worker, request.Revision, request.Shards = response.Worker, response.Revision, nil
			for _, g := range response.Grants {
				request.Shards = append(request.Shards, contract.ShardReport{Shard: g.Shard, Generation: g.Generation, State: contract.Reading})
			}
		}
		if len(request.Shards) != 100 {
			t.Errorf("got %d grants, want 100", len(request.Shards))
		}
		if m.most > 40 {
			t.Errorf("got %d operations side by side, want some 32 at most", m.most)
		}
		gone, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, _, err := r.Sync(gone, request); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v from a call that was given up", err)
		}
		if counts, err := r.Counts(t.Context()); err != nil || counts.Held != 100 {
			t.Errorf("got %d held, %v, want 100", counts.Held, err)
		}
		stop()
		for i := range request.Shards {
			request.Shards[i].State = contract.Drained
		}
		if _, _, err := r.Sync(t.Context(), request); err != nil {
			t.Errorf("sync while leaving: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("got %v, want a clean end", err)
		}
		if _, err := r.Status(t.Context()); !errors.Is(err, runner.ErrStopped) {
			t.Errorf("got %v after the end, want ErrStopped", err)
		}
	})
}
