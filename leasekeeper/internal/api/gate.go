package api

import (
	"context"
	"sync/atomic"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
)

// Gate is the Loop of a process that is still starting: it answers that nothing
// is ready, until Open puts the real one in its place.
type Gate struct{ loop atomic.Pointer[Loop] }

// Open has loop answer from now on.
func (g *Gate) Open(loop Loop) { g.loop.Store(&loop) }

// Sync implements Loop.
func (g *Gate) Sync(ctx context.Context, r contract.SyncRequest) (*contract.SyncResponse, *contract.Error, error) {
	if loop := g.loop.Load(); loop != nil {
		return (*loop).Sync(ctx, r)
	}
	return nil, &contract.Error{Code: contract.NotReady, Message: "starting"}, nil
}

// Status implements Loop.
func (g *Gate) Status(ctx context.Context) (contract.Status, error) {
	if loop := g.loop.Load(); loop != nil {
		return (*loop).Status(ctx)
	}
	return contract.Status{Reason: "starting", Workers: []contract.WorkerStatus{}, Leases: []contract.LeaseStatus{}, Moves: []contract.Move{}}, nil
}
