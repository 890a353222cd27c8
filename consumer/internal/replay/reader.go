package replay

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// late is how far arrival times may be out of the order of the stream, and how
// long after Until a shard without newer records is looked at: Kinesis promises
// neither that they always rise nor how exact they are.
const late = 2 * time.Second

// errPast ends the reading of a shard that has nothing more in the window.
var errPast = errors.New("past the window")

// Reader is a shard.Reader that ends at the end of its Window, as at the end of
// the shard.
type Reader struct {
	Reader shard.Reader     // which reads on
	Window Window           //
	Now    func() time.Time // by the service's clock, a second behind it at most
	Tally  *Tally
	List   func(ctx context.Context) ([]contract.ChildShard, error) // the shards there are now
}

// Patience is how long a shard may fail to be read, again and again, before the
// replay ends: somebody waits for it, and it can go on from there.
const Patience = 2 * time.Minute

// Run implements shard.Reader.
func (r *Reader) Run(ctx context.Context, g contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	b := &bounded{Reader: r, shard: g.Shard, sink: sink, asked: r.Now()}
	children, err := r.Reader.Run(ctx, g, b)
	switch {
	case errors.Is(err, errPast):
		return nil, nil
	case errors.Is(err, reader.ErrNoShard):
		return nil, r.gone(ctx, g.Shard, err)
	}
	return children, err //nolint:wrapcheck // a shard.Reader like the other
}

// gone tells a shard that retention has taken, of which nothing is left to read,
// from one whose stream is deleted, which is an error.
func (r *Reader) gone(ctx context.Context, shard string, err error) error {
	listed, listErr := r.List(ctx)
	switch {
	case listErr != nil:
		return listErr
	case slices.ContainsFunc(listed, func(s contract.ChildShard) bool { return s.Shard == shard }):
		return err
	}
	return nil
}

// bounded passes on what is in the window. It is a reader.Sink.
type bounded struct {
	*Reader
	shard string
	sink  reader.Sink
	asked time.Time // the answer was asked for at this time or later
}

// Accept implements reader.Sink.
func (b *bounded) Accept(ctx context.Context, got *reader.Batch, release func()) error {
	in := b.Window.cut(got)
	b.Tally.read(b.shard, in)
	if err := b.sink.Accept(ctx, in, release); err != nil {
		return err //nolint:wrapcheck // the reader says what it was doing
	}
	if b.past(got) {
		return errPast
	}
	b.asked = b.Now()
	return nil
}

// past tells whether nothing that comes after a batch is in the window. The end
// of the shard is left to the reader, who learns its children there. How far
// behind the newest record an answer is proves nothing until it is 0: of a
// closed shard it might be told from the shard's own end.
func (b *bounded) past(got *reader.Batch) bool {
	until := b.Window.Until.Add(late)
	if n := len(got.Records); n > 0 {
		return !got.Records[n-1].Arrived.Before(until)
	}
	return !got.Last() && got.BehindMS == 0 && !b.asked.Before(until)
}

// cut returns the batch with only those records that are in the window.
func (w Window) cut(b *reader.Batch) *reader.Batch {
	out := 0
	for i := range b.Records {
		if !w.Contains(b.Records[i].Arrived) {
			out++
		}
	}
	if out == 0 {
		return b
	}
	kept := *b
	kept.Records, kept.Payload = make([]reader.Record, 0, len(b.Records)-out), 0
	for i := range b.Records {
		if r := b.Records[i]; w.Contains(r.Arrived) {
			kept.Records = append(kept.Records, r)
			kept.Payload += int64(len(r.Data) + len(r.PartitionKey))
		}
	}
	return &kept
}
