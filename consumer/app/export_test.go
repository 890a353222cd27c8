package app

import (
	"context"
	"io"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/deadletter"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
)

// For the tests of this package.
var (
	Tuned    = tuned
	NewWatch = newWatch

	NewShardMetrics = newShardMetrics
)

// DispatchOptions is dispatchOptions of a consumer with this limit.
func DispatchOptions(concurrencyLimit int) dispatch.Options {
	c := consumer{budget: budget.New(128 << 20), settings: config.Settings{ConcurrencyLimit: concurrencyLimit}}
	return c.dispatchOptions(handler.Func(nil), metrics.New(), nil)
}

// IdleConnections is idleConnections.
const IdleConnections = idleConnections

// Redrive handles one letter, and returns how many messages were done and kept.
func Redrive(ctx context.Context, h handler.Handler, letters remover, l deadletter.Letter) (done, kept int, err error) {
	r := redriver{letters: letters, handler: h, out: io.Discard}
	err = r.one(ctx, l)
	return r.done, r.kept, err
}

// Look is look.
func (w *watch) Look() { w.look(time.Now()) }

// Ready is ready.
func (w *watch) Ready() error { return w.ready() }

// Live is live.
func (w *watch) Live() error { return w.live() }
