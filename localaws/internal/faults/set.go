package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Set holds the rules in force. It is safe for concurrent use; without rules a
// call costs one atomic load.
type Set struct {
	active atomic.Int32

	mu     sync.Mutex
	rules  []*entry
	nextID int
}

type entry struct {
	rule Rule
	gone chan struct{} // closed when the rule is deleted
}

// NewSet returns a set without rules.
func NewSet() *Set { return &Set{} }

// Add puts a rule in force, in place of one with the same id, and returns it
// with its id.
func (s *Set) Add(r Rule) (Rule, error) {
	if err := r.Validate(); err != nil {
		return Rule{}, fmt.Errorf("add fault rule: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == "" {
		s.nextID++
		r.ID = "fault-" + strconv.Itoa(s.nextID)
	}
	r.Hits = 0
	s.remove(r.ID)
	s.rules = append(s.rules, &entry{rule: r, gone: make(chan struct{})})
	s.active.Store(int32(len(s.rules)))
	return r, nil
}

// List returns a copy of the rules, spent ones included.
func (s *Set) List() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Rule, 0, len(s.rules))
	for _, e := range s.rules {
		list = append(list, e.rule)
	}
	return list
}

// Delete removes the rule with the id and reports whether there was one.
func (s *Set) Delete(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(id)
}

// Clear removes all rules.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.rules) > 0 {
		s.remove(s.rules[0].rule.ID)
	}
}

// remove needs s.mu.
func (s *Set) remove(id string) bool {
	for i, e := range s.rules {
		if e.rule.ID == id {
			close(e.gone)
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			s.active.Store(int32(len(s.rules)))
			return true
		}
	}
	return false
}

// call is what rules are matched against.
type call struct {
	service   wire.Service
	request   *wire.Request
	operation string

	named           bool
	resource, shard string
}

func (c *call) matches(r *Rule) bool {
	if r.Service != "" && r.Service != c.service.Name() || r.Operation != "" && r.Operation != c.operation ||
		r.Client != "" && r.Client != c.request.Client {
		return false
	}
	if r.Resource == "" && r.Shard == "" {
		return true
	}
	if !c.named {
		c.resource, c.shard = c.service.Resource(c.request)
		c.named = true
	}
	return (r.Resource == "" || r.Resource == c.resource) && (r.Shard == "" || r.Shard == c.shard)
}

// take returns the rules that strike this call, counting them as used. A rule
// for pseudo-operations only strikes them when it names one: those with events
// set pass only rules that name their operation.
func (s *Set) take(c *call, events bool) []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var struck []*entry
	for _, e := range s.rules {
		r := &e.rule
		if r.Count > 0 && r.Hits >= r.Count || events && r.Operation == "" || !c.matches(r) {
			continue
		}
		// The rate of a partial rule is the share of the entries, drawn later.
		if r.Kind != Partial && r.Rate > 0 && rand.Float64() >= r.Rate {
			continue
		}
		r.Hits++
		struck = append(struck, &entry{rule: *r, gone: e.gone})
	}
	return struck
}

// Before applies the rules for a request before it is carried out. It returns
// wire.ErrDrop or the error to answer with, and prepares the request's FailEntry
// and FaultEvent. The returned bool asks that the answer be lost.
func (s *Set) Before(ctx context.Context, service wire.Service, r *wire.Request) (lose bool, err error) {
	r.FaultEvent = func(ctx context.Context, operation string) error {
		if s.active.Load() == 0 {
			return nil
		}
		c := &call{service: service, request: r, operation: operation}
		_, err := s.apply(ctx, c, s.take(c, true))
		return err
	}
	if s.active.Load() == 0 {
		return false, nil
	}
	c := &call{service: service, request: r, operation: r.Operation}
	return s.apply(ctx, c, s.take(c, false))
}

func (s *Set) apply(ctx context.Context, c *call, struck []*entry) (lose bool, err error) {
	for _, e := range struck {
		switch e.rule.Kind {
		case Latency:
			if err := wait(ctx, e.rule.latency(), nil); err != nil {
				return false, wire.ErrDrop
			}
		case Late:
			_ = wait(context.WithoutCancel(ctx), e.rule.latency(), e.gone) // ends with the timer or the rule
		case Stall:
			if err := wait(ctx, 0, e.gone); err != nil {
				return false, wire.ErrDrop
			}
		case Drop:
			return false, wire.ErrDrop
		case Throttle, Fail:
			return false, e.rule.failure(c.service.Name())
		case LoseResponse:
			lose = true
		case Empty:
			c.request.Empty = true
		case Partial:
			c.request.FailEntry = partial(e.rule, c.service.Name())
		}
	}
	return lose, nil
}

func partial(r Rule, service string) func() *wire.Error {
	rate := r.Rate
	if rate == 0 {
		rate = 1
	}
	return func() *wire.Error {
		if rand.Float64() >= rate {
			return nil
		}
		return r.failure(service)
	}
}

// wait waits for d, or for until when d is 0, or for the end of ctx.
func wait(ctx context.Context, d time.Duration, until <-chan struct{}) error {
	var expired <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-expired:
		return nil
	case <-until:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
