package shard

import (
	"context"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kpl"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// admitAtOnce is how many messages are made before they are admitted: an
// aggregate of a few MiB may hold a million of them.
const admitAtOnce = 256

// unpacker makes messages of records: it unpacks aggregates, and leaves out
// what was done before the grant. It is a reader.Sink.
type unpacker struct {
	s      *Shard
	after  position.Position // everything up to and including it is done; zero if nothing is
	met    bool              // the stream still has the record of after, or older ones
	bounds *kpl.Range        // nil if unknown
	warned bool
}

func newUnpacker(s *Shard) *unpacker {
	u := &unpacker{s: s}
	if start := s.grant.Start; start.Type == contract.AtSequenceNumber {
		u.after = position.Position{Sequence: start.Sequence, Sub: start.Sub}
	}
	if h := s.grant.HashKeyRange; h != nil {
		bounds, err := kpl.NewRange(h.Start, h.End)
		if err != nil {
			s.deps.Log.Warn().Err(err).Msg("grant's hash key range is not understood")
		}
		u.bounds = bounds
	}
	return u
}

// Accept implements reader.Sink.
func (u *unpacker) Accept(ctx context.Context, b *reader.Batch, release func()) error {
	u.s.rate.add(len(b.Records), b.Payload, b.BehindMS)
	out := &outbox{ctx: ctx, u: u, holders: 1, release: release, room: min(len(b.Records), admitAtOnce)}
	defer out.drop()
	for i := range b.Records {
		if err := u.record(out, &b.Records[i]); err != nil {
			return err
		}
	}
	if b.Last() && !u.after.IsZero() && !u.met {
		u.trimmed(nil)
	}
	return out.flush()
}

// record makes messages of one record. A record that is wholly done is passed.
func (u *unpacker) record(out *outbox, r *reader.Record) error {
	m := handler.Message{
		Stream: u.s.grant.Stream, Shard: u.s.grant.Shard, Generation: u.s.grant.Generation,
		Sequence: r.Sequence, PartitionKey: r.PartitionKey, ArrivedAt: r.Arrived, Data: r.Data,
	}
	done := int64(-1) // the last sub-sequence that is done
	if !u.after.IsZero() {
		switch c := position.CompareSequences(r.Sequence, u.after.Sequence); {
		case c < 0:
			u.met = true
			return nil
		case c == 0:
			u.met, done = true, u.after.Sub
		default:
			if !u.met {
				u.trimmed(r)
			}
			u.after = position.Position{} // everything from here on is new
		}
	}
	if kpl.Looks(r.Data) {
		a, err := kpl.Parse(r.Data)
		if err == nil {
			return u.aggregate(out, m, a, done)
		}
		u.s.deps.Observer.Damaged()
		u.s.deps.Log.Warn().Err(err).Str("sequence", r.Sequence).Msg("damaged aggregate is handled as one message")
	}
	if done >= 0 {
		return nil
	}
	return out.add(m)
}

// trimmed reports that the checkpoint's record is gone; first is what the stream
// still has after it, nil if that is nothing. Whether there was something between
// the two nobody can tell.
func (u *unpacker) trimmed(first *reader.Record) {
	u.s.deps.Observer.CheckpointTrimmed()
	event := u.s.deps.Log.Warn().Str("checkpoint", u.after.Sequence).Int64("sub", u.after.Sub)
	if first != nil {
		event = event.Str("first_sequence", first.Sequence).Time("first_arrived", first.Arrived)
	}
	event.Msg("the checkpoint's record was trimmed away: messages after it may be lost")
}

// aggregate makes a message of each user record but those up to and including
// done.
func (u *unpacker) aggregate(out *outbox, m handler.Message, a *kpl.Aggregate, done int64) (err error) {
	u.s.deps.Observer.Unpacked(a.Len())
	if a.Len() == 0 {
		return out.pass(position.Position{Sequence: m.Sequence}, m.ArrivedAt)
	}
	sub := int64(-1)
	a.Each(func(r kpl.Record) bool {
		sub++
		if sub <= done {
			return true
		}
		if u.bounds != nil && !u.bounds.Contains(r) {
			u.outOfRange(m.Sequence, sub)
			if u.s.deps.Skip {
				err = out.pass(position.Position{Sequence: m.Sequence, Sub: sub}, m.ArrivedAt)
				return err == nil
			}
		}
		m.SubSequence, m.PartitionKey, m.Data = sub, r.PartitionKey, r.Data
		err = out.add(m)
		return err == nil
	})
	return err
}

// outOfRange reports a user record whose key belongs to another shard: its
// producer aggregated it for a shard map that was out of date.
func (u *unpacker) outOfRange(sequence string, sub int64) {
	u.s.deps.Observer.OutOfRange()
	if !u.warned {
		u.warned = true
		u.s.deps.Log.Warn().Str("sequence", sequence).Int64("sub", sub).
			Bool("skipped", u.s.deps.Skip).Msg("aggregate has messages of another shard's keys; further ones are only counted")
	}
}

// outbox admits messages some at a time, and calls release when the last of
// them is done.
type outbox struct {
	ctx  context.Context //nolint:containedctx // lives as long as one Accept
	u    *unpacker
	room int
	some []handler.Message

	mu      sync.Mutex
	holders int
	release func()
}

func (o *outbox) add(m handler.Message) error {
	if o.some == nil {
		o.some = make([]handler.Message, 0, o.room)
	}
	o.some = append(o.some, m)
	if len(o.some) < admitAtOnce {
		return nil
	}
	return o.flush()
}

func (o *outbox) flush() error {
	if len(o.some) == 0 {
		return nil
	}
	some := o.some
	o.some = nil
	o.mu.Lock()
	o.holders++
	o.mu.Unlock()
	return o.u.s.run.Admit(o.ctx, some, o.drop)
}

func (o *outbox) pass(p position.Position, arrived time.Time) error {
	if err := o.flush(); err != nil {
		return err
	}
	o.u.s.run.Pass(p, arrived)
	return nil
}

func (o *outbox) drop() {
	o.mu.Lock()
	o.holders--
	last := o.holders == 0
	o.mu.Unlock()
	if last {
		o.release()
	}
}
