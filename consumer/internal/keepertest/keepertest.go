// Package keepertest is a leasekeeper for tests: it grants what the test tells
// it to, by the rules of leasekeeper/api/v1.yaml, and remembers the reports.
package keepertest

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// Keeper is an http.Handler, and a task.Keeper.
type Keeper struct {
	mu       sync.Mutex
	worker   string
	revision int64
	ttl      time.Duration
	grants   []contract.Grant
	reports  map[int64]contract.ShardReport // by generation
	draining bool
	requests int
	gate     chan struct{} // closed when something changes
	down     bool
	refusal  error
	lag      time.Duration
	good     time.Time
}

// New returns a Keeper that grants nothing, as the worker named.
func New(worker string, ttl time.Duration) *Keeper {
	return &Keeper{worker: worker, revision: 1, ttl: ttl, reports: map[int64]contract.ShardReport{}, gate: make(chan struct{})}
}

func (k *Keeper) change() {
	k.revision++
	close(k.gate)
	k.gate = make(chan struct{})
}

// Grant makes these the grants.
func (k *Keeper) Grant(grants ...contract.Grant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.grants = grants
	k.change()
}

// Restart begins another life, with these grants.
func (k *Keeper) Restart(worker string, grants ...contract.Grant) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.worker, k.revision, k.grants = worker, 0, grants
	k.change()
}

// Down makes the Keeper answer nothing, or be back.
func (k *Keeper) Down(down bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.down = down
	k.change()
}

// Refuse makes the Keeper answer with an error, or no more if it is nil.
func (k *Keeper) Refuse(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refusal = err
}

// Lag makes every answer arrive so late.
func (k *Keeper) Lag(lag time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lag = lag
}

// Good returns until when the grants of an answer that was given are good at
// the most: its TTL after its request was sent.
func (k *Keeper) Good() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.good
}

// Report returns the last report on a generation.
func (k *Keeper) Report(generation int64) contract.ShardReport {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reports[generation]
}

// Draining tells whether the consumer said that it drains.
func (k *Keeper) Draining() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.draining
}

// Requests returns how many requests came.
func (k *Keeper) Requests() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.requests
}

// Sync implements task.Keeper.
func (k *Keeper) Sync(ctx context.Context, r contract.SyncRequest) (contract.SyncResponse, error) {
	arrived := time.Now()
	k.mu.Lock()
	k.requests++
	if err := k.refusal; err != nil {
		k.mu.Unlock()
		return contract.SyncResponse{}, err
	}
	k.draining = k.draining || r.Draining
	for _, s := range r.Shards {
		k.reports[s.Generation] = s
	}
	if r.Draining && len(k.grants) > 0 {
		k.grants = nil
		k.change()
	}
	news := k.revision != r.Revision || k.worker != r.Worker
	gate, down := k.gate, k.down
	k.mu.Unlock()
	if down {
		<-ctx.Done()
		return contract.SyncResponse{}, ctx.Err()
	}
	if !news {
		timer := time.NewTimer(min(time.Duration(r.WaitMS)*time.Millisecond, k.ttl/4))
		defer timer.Stop()
		select {
		case <-gate:
		case <-timer.C:
		case <-ctx.Done():
			return contract.SyncResponse{}, ctx.Err()
		}
	}
	answer, lag := k.answer(arrived)
	time.Sleep(lag)
	return answer, nil
}

func (k *Keeper) answer(arrived time.Time) (contract.SyncResponse, time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ttl := k.ttl - time.Since(arrived)
	if until := arrived.Add(ttl); len(k.grants) > 0 && until.After(k.good) {
		k.good = until
	}
	return contract.SyncResponse{
		Version: "test", Worker: k.worker, Revision: k.revision, Grants: k.grants, TTLMS: ttl.Milliseconds(),
	}, k.lag
}

// ServeHTTP implements http.Handler.
func (k *Keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request contract.SyncRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := k.Sync(r.Context(), request)
	if err != nil {
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}
