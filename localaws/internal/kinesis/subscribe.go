package kinesis

import (
	"context"
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// subscription is one successful SubscribeToShard call.
type subscription struct {
	started int64         // milliseconds, by the service's clock
	ended   chan struct{} // closed by end
	reason  *wire.Error   // set before ended is closed
}

type subscribeInput struct {
	ConsumerARN      *string
	ShardId          *string
	StartingPosition *struct {
		Type           *string
		SequenceNumber *string
		Timestamp      *wire.Time
	}
	DryRun bool
}

func (s *Service) subscribeToShard(_ context.Context, r *wire.Request) (any, error) {
	var in subscribeInput
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if err := s.checkSubscribe(&in); err != nil {
		return nil, err
	}
	st, con, err := s.findConsumer(consumerRef{ConsumerARN: in.ConsumerARN})
	if err != nil {
		return nil, err
	}
	now, tuning := s.now(), s.tuned()
	if status := con.status(now); status != statusActive {
		return nil, wire.Errorf(codeInUse, "Consumer %s is in state %s.", con.arn, status)
	}
	p := in.StartingPosition
	sh, index, err := st.resolve(*in.ShardId, position{kind: *p.Type, sequence: p.SequenceNumber, timestamp: p.Timestamp, operation: "SubscribeToShard"}, now)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRunDone()
	}
	sub, err := con.subscribe(sh.id, now, min(tuning.TakeoverMS, tuning.SubscriptionMS))
	if err != nil {
		return nil, err
	}
	return &feed{
		service: s, stream: st, shard: sh, index: index, sub: sub, release: func() { con.release(sub) },
		encoding: r.Encoding, tuning: tuning, request: r,
	}, nil
}

func (s *Service) checkSubscribe(in *subscribeInput) error {
	var c checks
	if required(&c, "consumerARN", in.ConsumerARN) {
		c.text("consumerARN", in.ConsumerARN, 2048, s.patterns.consumerARN)
	}
	if required(&c, "shardId", in.ShardId) {
		c.text("shardId", in.ShardId, 128, s.patterns.name)
	}
	if p := in.StartingPosition; required(&c, "startingPosition", p) && required(&c, "startingPosition.type", p.Type) {
		c.oneOf("startingPosition.type", p.Type, afterSequence, latest, atTimestamp, atSequence, trimHorizon)
		c.text("startingPosition.sequenceNumber", p.SequenceNumber, 129, s.patterns.sequence)
	}
	return c.err()
}

// subscribe takes the shard for a new subscription. Within the time given after a
// successful call it is refused; later it ends the one before.
func (c *consumer) subscribe(shard string, now, takeoverMS int64) (*subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.subscriptions[shard]
	if old != nil && now-old.started < takeoverMS {
		return nil, wire.Errorf(codeInUse, "Another active subscription exists for this consumer: %s:%s", c.arn, shard)
	}
	if old != nil {
		old.end(wire.Errorf(codeInUse, "Another subscription of consumer %s to shard %s took over.", c.arn, shard))
	}
	sub := &subscription{started: now, ended: make(chan struct{})}
	c.subscriptions[shard] = sub
	return sub, nil
}

// end needs the consumer's mu.
func (s *subscription) end(reason *wire.Error) {
	select {
	case <-s.ended:
	default:
		s.reason = reason
		close(s.ended)
	}
}

// release marks a subscription as over; its time of start still counts.
func (c *consumer) release(sub *subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sub.end(nil)
}

func (c *consumer) endAll(reason *wire.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sub := range c.subscriptions {
		sub.end(reason)
	}
}

// event is what one SubscribeToShardEvent says.
type event struct {
	batch
	continuation []byte // a sequence number; empty at the end of the shard
}

func (e *event) appendJSON(dst []byte) []byte {
	dst = e.appendRecordsJSON(append(dst, '{'))
	dst = append(dst, `,"MillisBehindLatest":`...)
	dst = strconv.AppendInt(dst, e.behind.Milliseconds(), 10)
	if e.ended {
		return append(e.appendChildrenJSON(dst), '}')
	}
	dst = append(dst, `,"ContinuationSequenceNumber":`...)
	return append(appendQuoted(dst, e.continuation), '}')
}

func (e *event) appendCBOR(dst []byte) []byte {
	dst = e.appendRecordsCBOR(wire.AppendMap(dst, 3))
	dst = wire.AppendInt(wire.AppendText(dst, "MillisBehindLatest"), e.behind.Milliseconds())
	if e.ended {
		return e.appendChildrenCBOR(dst)
	}
	return wire.AppendText(wire.AppendText(dst, "ContinuationSequenceNumber"), e.continuation)
}
