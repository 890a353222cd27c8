package kinesis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// maxConsumers is how many consumers a stream may have.
const maxConsumers = 20

// consumer is a registered consumer of enhanced fan-out. Only leaves and
// subscriptions change.
type consumer struct {
	name    string
	arn     string
	created int64        // milliseconds
	settled int64        // when it stops being CREATING; 0 if it never was
	leaves  atomic.Int64 // when it stops being DELETING; 0 if nobody deregistered it

	mu            sync.Mutex
	subscriptions map[string]*subscription // the last one, by shard id
}

type consumerDescription struct {
	ConsumerName              string    `json:"ConsumerName"`
	ConsumerARN               string    `json:"ConsumerARN"`
	ConsumerStatus            string    `json:"ConsumerStatus"`
	ConsumerCreationTimestamp wire.Time `json:"ConsumerCreationTimestamp"`
	StreamARN                 string    `json:"StreamARN,omitempty"`
}

func (c *consumer) status(now int64) string {
	switch {
	case c.leaves.Load() != 0:
		return statusDeleting
	case now < c.settled:
		return statusCreating
	default:
		return statusActive
	}
}

// gone tells whether a deregistration is done.
func (c *consumer) gone(now int64) bool {
	leaves := c.leaves.Load()
	return leaves != 0 && now >= leaves
}

// registered returns the consumers there are. It needs mu.
func (st *stream) registered(now int64) []*consumer {
	return slices.DeleteFunc(slices.Clone(st.consumers), func(c *consumer) bool { return c.gone(now) })
}

// stamp returns the second for the ARN of a new consumer, which no consumer of
// that name had before. It needs mu for writing.
func (st *stream) stamp(name string, now int64) int64 {
	st.stamps[name] = max(now/1000, st.stamps[name]+1)
	return st.stamps[name]
}

func (c *consumer) describe(now int64) consumerDescription {
	return consumerDescription{
		ConsumerName: c.name, ConsumerARN: c.arn, ConsumerStatus: c.status(now),
		ConsumerCreationTimestamp: wire.Time{Time: millis(c.created)},
	}
}

// consumerRef is how requests name a consumer.
type consumerRef struct {
	StreamARN    *string
	ConsumerName *string
	ConsumerARN  *string
}

func (s *Service) registerStreamConsumer(_ context.Context, r *wire.Request) (any, error) {
	var in consumerRef
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	required(&c, "streamARN", in.StreamARN)
	if required(&c, "consumerName", in.ConsumerName) {
		c.text("consumerName", in.ConsumerName, 128, s.patterns.name)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	st, err := s.lookup(streamRef{StreamARN: in.StreamARN})
	if err != nil {
		return nil, err
	}
	now, transition := s.now(), s.tuned().TransitionMS
	st.mu.Lock()
	defer st.mu.Unlock()
	if status := st.status(now); status != statusActive && status != statusUpdating {
		return nil, wire.Errorf(codeInUse, "Stream %s under account %s is in state %s.", st.name, wire.Account, status)
	}
	st.consumers = st.registered(now)
	if st.consumer(*in.ConsumerName) != nil {
		return nil, wire.Errorf(codeInUse, "Consumer %s in stream %s under account %s already exists.", *in.ConsumerName, st.name, wire.Account)
	}
	if len(st.consumers) >= maxConsumers {
		return nil, wire.Errorf(codeLimit, "Stream %s under account %s already has %d consumers.", st.name, wire.Account, maxConsumers)
	}
	added := &consumer{
		name: *in.ConsumerName, created: now,
		arn:           st.arn + "/consumer/" + *in.ConsumerName + ":" + strconv.FormatInt(st.stamp(*in.ConsumerName, now), 10),
		subscriptions: map[string]*subscription{},
	}
	if transition > 0 {
		added.settled = now + transition
	}
	st.consumers = append(st.consumers, added)
	d := added.describe(now)
	if transition == 0 {
		d.ConsumerStatus = statusCreating // the answer of the service says so in any case
	}
	return map[string]any{"Consumer": d}, nil
}

// consumer finds a consumer by name. It needs mu.
func (st *stream) consumer(name string) *consumer {
	for _, c := range st.consumers {
		if c.name == name {
			return c
		}
	}
	return nil
}

// find locates a consumer by its ARN, or by its name and its stream's ARN.
func (s *Service) findConsumer(in consumerRef) (*stream, *consumer, error) {
	var c checks
	c.text("consumerARN", in.ConsumerARN, 2048, s.patterns.consumerARN)
	if err := c.err(); err != nil {
		return nil, nil, err
	}
	ref := streamRef{StreamARN: in.StreamARN}
	var want string
	switch {
	case in.ConsumerARN != nil:
		arn, rest, _ := strings.Cut(*in.ConsumerARN, "/consumer/")
		ref.StreamARN, want = &arn, rest
	case in.StreamARN == nil || in.ConsumerName == nil:
		return nil, nil, invalid("Either ConsumerARN or both StreamARN and ConsumerName must be provided.")
	default:
		want = *in.ConsumerName
	}
	st, err := s.lookup(ref)
	if err != nil {
		return nil, nil, err
	}
	st.mu.RLock()
	defer st.mu.RUnlock()
	for _, found := range st.registered(s.now()) {
		if found.name == want || found.arn[strings.LastIndex(found.arn, "/")+1:] == want {
			return st, found, nil
		}
	}
	return nil, nil, wire.Errorf(codeNotFound, "Consumer %s in stream %s under account %s not found.", want, st.name, wire.Account)
}

func (s *Service) describeStreamConsumer(_ context.Context, r *wire.Request) (any, error) {
	var in consumerRef
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	st, found, err := s.findConsumer(in)
	if err != nil {
		return nil, err
	}
	d := found.describe(s.now())
	d.StreamARN = st.arn
	return map[string]any{"ConsumerDescription": d}, nil
}

func (s *Service) deregisterStreamConsumer(_ context.Context, r *wire.Request) (any, error) {
	var in consumerRef
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	st, found, err := s.findConsumer(in)
	if err != nil {
		return nil, err
	}
	now, transition := s.now(), s.tuned().TransitionMS
	st.mu.Lock()
	found.leaves.CompareAndSwap(0, now+transition)
	if transition == 0 {
		st.consumers = slices.DeleteFunc(st.consumers, func(c *consumer) bool { return c == found }) // whatever the clock does
	}
	st.mu.Unlock()
	found.endAll(wire.Errorf(codeNotFound, "Consumer %s was deregistered.", found.arn))
	return nil, nil
}

func (s *Service) listStreamConsumers(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		StreamARN               *string
		NextToken               *string
		MaxResults              *int
		StreamCreationTimestamp *wire.Time
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	required(&c, "streamARN", in.StreamARN)
	c.between("maxResults", in.MaxResults, 1, maxShards)
	if err := c.err(); err != nil {
		return nil, err
	}
	st, err := s.lookup(streamRef{StreamARN: in.StreamARN})
	if err != nil {
		return nil, err
	}
	st.mu.RLock()
	defer st.mu.RUnlock()
	begin, limit, now := 0, 100, s.now()
	if in.MaxResults != nil {
		limit = min(limit, *in.MaxResults)
	}
	if in.NextToken != nil {
		if _, err := fmt.Sscanf(*in.NextToken, "consumers-%d", &begin); err != nil || begin < 0 {
			return nil, invalid("Invalid NextToken.")
		}
	}
	out := map[string]any{}
	list := []consumerDescription{}
	all := st.registered(now)
	for _, found := range all[min(begin, len(all)):] {
		if len(list) == limit {
			out["NextToken"] = fmt.Sprintf("consumers-%d", begin+limit)
			break
		}
		list = append(list, found.describe(now))
	}
	out["Consumers"] = list
	return out, nil
}
