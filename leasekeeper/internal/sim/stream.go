package sim

import (
	"fmt"
	"math/big"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

const streamARN = "arn:aws:kinesis:eu-west-1:000000000000:stream/test"

// shard is one shard of the simulated stream. Its records are counted, not
// kept: the n-th of them is there n/rate after the shard was opened.
type shard struct {
	id      string
	parents []*shard
	lo, hi  int // part of the hash key space, in 65536ths, hi excluded
	opened  time.Duration
	closed  time.Duration // never while it is open
	trimmed bool          // past retention: no longer listed or readable
	rate    float64       // messages a second
	agg     int64         // messages in one record
	base    int64         // sequence number of the first record

	furthest int64 // how many messages some consumer has done, in one run from the start or the latest rewind
	read     bool  // somebody has read it
	pass     int64 // the generation that the latest rewind made; 0: none
}

const never = time.Duration(1<<63 - 1)

func (s *shard) isOpen() bool { return s.closed == never }

// available is how many messages there are at time t.
func (s *shard) available(t time.Duration) int64 {
	return int64(max(0, (min(t, s.closed)-s.opened).Seconds()*s.rate))
}

// end is how many there will ever be; meaningful once closed.
func (s *shard) end() int64 { return s.available(s.closed) }

// done tells whether nothing of it is left to read.
func (s *shard) done() bool {
	return s.trimmed || !s.isOpen() && s.furthest >= s.end() && (s.read || s.end() == 0)
}

// checkpoint is the one that says the first n messages are done; nil for none.
func (s *shard) checkpoint(n int64) *contract.Checkpoint {
	if n == 0 {
		return nil
	}
	return &contract.Checkpoint{Sequence: fmt.Sprint(s.base + (n-1)/s.agg), Sub: (n - 1) % s.agg}
}

// position is how many messages a checkpoint says are done; ok is false for
// one that is none of this shard.
func (s *shard) position(sequence string, sub int64) (n int64, ok bool) {
	v, ok := new(big.Int).SetString(sequence, 10)
	if !ok || !v.IsInt64() || v.Int64() < s.base {
		return 0, false
	}
	return (v.Int64()-s.base)*s.agg + sub + 1, true
}

// stream is the simulated Kinesis stream.
type stream struct {
	shards []*shard
	byID   map[string]*shard
	nextID int
}

func (st *stream) init(w *world) {
	st.byID = make(map[string]*shard)
	for i := range w.sc.shards {
		st.open(w, nil, i*65536/w.sc.shards, (i+1)*65536/w.sc.shards).opened = -30 * time.Second
	}
}

func (st *stream) open(w *world, parents []*shard, lo, hi int) *shard {
	s := &shard{
		id: fmt.Sprintf("shardId-%012d", st.nextID), parents: parents, lo: lo, hi: hi,
		opened: w.now, closed: never, rate: 1 + 40*w.rng.Float64(), agg: 1 + 2*w.rng.Int64N(2),
		// Close under a power of ten, so that the numbers grow longer as they rise.
		base: []int64{95, 980, 9900, 99000}[w.rng.IntN(4)],
	}
	st.nextID++
	st.shards = append(st.shards, s)
	st.byID[s.id] = s
	return s
}

// split closes s and opens its two children.
func (st *stream) split(w *world, s *shard) {
	s.closed = w.now
	mid := (s.lo + s.hi) / 2
	a, b := st.open(w, []*shard{s}, s.lo, mid), st.open(w, []*shard{s}, mid, s.hi)
	w.tracef("stream  split %s into %s and %s", short(s.id), short(a.id), short(b.id))
	st.trimLater(w, s)
}

// merge closes a and b and opens their child.
func (st *stream) merge(w *world, a, b *shard) {
	a.closed, b.closed = w.now, w.now
	c := st.open(w, []*shard{a, b}, a.lo, b.hi)
	w.tracef("stream  merge %s and %s into %s", short(a.id), short(b.id), short(c.id))
	st.trimLater(w, a)
	st.trimLater(w, b)
}

func (st *stream) trimLater(w *world, s *shard) {
	if w.sc.retention > 0 {
		w.after(w.sc.retention, func() {
			s.trimmed = true
			w.tracef("stream  trimmed %s", short(s.id))
		})
	}
}

func (st *stream) children(s *shard) []contract.ChildShard {
	var children []contract.ChildShard
	for _, c := range st.shards {
		for _, p := range c.parents {
			if p == s {
				children = append(children, contract.ChildShard{Shard: c.id, Parents: parentIDs(c), HashKeyRange: hashRange(c)})
			}
		}
	}
	return children
}

func parentIDs(s *shard) []string {
	ids := make([]string, 0, len(s.parents))
	for _, p := range s.parents {
		ids = append(ids, p.id)
	}
	return ids
}

func hashRange(s *shard) *contract.HashKeyRange {
	return &contract.HashKeyRange{Start: fmt.Sprint(s.lo), End: fmt.Sprint(s.hi - 1)}
}

// list reads the summary, then the shards page by page.
func (st *stream) list(w *world, since time.Time, done func(*lease.Listing)) {
	l := &lease.Listing{ARN: streamARN, CreatedAt: epoch().Add(-time.Hour), Now: epoch().Add(w.now)}
	var page func(from int)
	page = func(from int) {
		for i := from; i < len(st.shards); i++ {
			if s := st.shards[i]; !s.trimmed && !epoch().Add(min(s.closed, 1<<61)).Before(since) {
				l.Shards = append(l.Shards, lease.Shard{ID: s.id, Parents: parentIDs(s), HashStart: fmt.Sprint(s.lo), HashEnd: fmt.Sprint(s.hi - 1)})
			}
			if i-from+1 == w.sc.listPage {
				w.after(w.leg(), func() { page(i + 1) })
				return
			}
		}
		done(l)
	}
	w.after(w.leg(), func() { page(0) })
}
