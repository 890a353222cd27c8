package sim

import (
	"slices"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/operate"
)

// operator asks the fleet for things, over the same network, with the plans of
// the real tool. A tool that is killed half-way is one that asks and looks no more.
type operator struct {
	w       *world
	host    *task // its place in the network; runs nothing
	rewinds []asked
}

// asked is one rewind that was asked for, and what it must lead to.
type asked struct {
	rewind *lease.Rewind
	whole  bool            // every shard was meant
	made   map[string]bool // shards that had a row when the rows were looked at
	landed time.Duration
}

func newOperator(w *world) operator { return operator{w: w, host: &task{w: w, name: "operator"}} }

// ask asks for one thing of chance.
func (o *operator) ask() {
	switch n := o.w.rng.IntN(8); {
	case n == 0:
		o.pause()
	case n <= 2:
		o.resume()
	case n == 3:
		o.release()
	case n == 4:
		o.request(func(r *lease.StreamRequest) { r.Released = nil }, func(int64) {})
	default:
		o.rewind(20)
	}
}

// look reads the worker table until that succeeds.
func (o *operator) look(then func(*lease.Stream, []*lease.Worker)) {
	o.w.attempt(o.host, lease.ScanWorkers{}, func(a lease.Answer) {
		if a.Outcome != lease.Applied || a.Stream == nil {
			o.w.after(o.w.between(0, time.Second), func() { o.look(then) })
			return
		}
		then(a.Stream, a.Workers)
	})
}

// write asks, on the condition that nothing else was asked meanwhile, and says
// whether that is known to have happened.
func (o *operator) write(r lease.StreamRequest, then func(bool)) {
	o.w.attempt(o.host, lease.StreamWrite{Request: &r}, func(a lease.Answer) { then(a.Outcome == lease.Applied) })
}

// request changes what is asked until that is known to be done.
func (o *operator) request(change func(*lease.StreamRequest), then func(version int64)) {
	o.look(func(s *lease.Stream, _ []*lease.Worker) {
		r := same(s)
		change(&r)
		o.write(r, func(done bool) {
			if !done {
				o.w.after(o.w.between(0, time.Second), func() { o.request(change, then) })
				return
			}
			then(r.Seen + 1)
		})
	})
}

func same(s *lease.Stream) lease.StreamRequest {
	return lease.StreamRequest{Seen: s.Requests, Paused: s.Paused, Released: s.Released, Rewind: s.Rewind}
}

// pause asks for a pause and waits, as the tool does, until everybody says that
// nothing is read: from then on nothing is.
func (o *operator) pause() {
	o.w.tracef("operator asks for a pause")
	o.request(func(r *lease.StreamRequest) { r.Paused = true }, o.awaitPause)
}

func (o *operator) awaitPause(version int64) {
	o.look(func(s *lease.Stream, workers []*lease.Worker) {
		if !s.Paused || !o.w.tables.stream.Paused {
			return
		}
		for _, w := range workers {
			if w.State != lease.Evicted && w.Requests < version {
				o.w.after(o.w.sc.duration/16, func() { o.awaitPause(version) })
				return
			}
		}
		o.w.tracef("operator sees everybody stand still")
		o.w.check.pause()
	})
}

func (o *operator) resume() {
	o.w.tracef("operator resumes")
	o.request(func(r *lease.StreamRequest) { r.Paused = false }, func(int64) {})
}

// release has a live worker hand over everything, unless it would be the last.
func (o *operator) release() {
	t := o.w.someTask()
	if t == nil || o.w.running() < 2 {
		return
	}
	id := t.keeper.machine.Worker()
	o.w.tracef("operator releases %s", id)
	o.request(func(r *lease.StreamRequest) {
		if len(r.Released) > 0 || slices.Contains(r.Released, id) {
			return
		}
		r.Released = []string{id}
	}, func(int64) {})
}

// rewind asks for shards to be read again, some or all, from anywhere. While
// another rewind is half done it waits, up to so many times.
func (o *operator) rewind(tries int) {
	target, shards := o.target()
	to, err := operate.ParseTarget(target)
	if err != nil {
		o.w.violate("operator", "%q: %v", target, err)
		return
	}
	o.look(func(s *lease.Stream, _ []*lease.Worker) {
		o.read(lease.ListShards{}, func(all lease.Answer) {
			o.read(lease.ListShards{Since: to.Since()}, func(since lease.Answer) {
				want := asked{whole: shards == nil, made: make(map[string]bool)}
				for shard := range o.w.check.made {
					want.made[shard] = true
				}
				o.read(lease.ScanLeases{}, func(rows lease.Answer) {
					if s.Rewind != nil && o.pending(s.Rewind, rows.Leases) {
						if tries > 0 {
							o.w.after(2*time.Second, func() { o.rewind(tries - 1) })
						}
						return
					}
					r, _, err := operate.Choose(rows.Leases, all.Listing.Shards, since.Listing.Shards, to, shards)
					if err != nil || len(r.Shards) == 0 {
						return // refused: that shard is over
					}
					r.ID = max(r.ID, s.Requests+1)
					want.rewind = &r
					o.askRewind(s, want)
				})
			})
		})
	})
}

func (o *operator) askRewind(s *lease.Stream, want asked) {
	o.w.tracef("operator rewinds %v to %s %v as %d", len(want.rewind.Shards), want.rewind.To, want.rewind.At, want.rewind.ID)
	o.rewinds = append(o.rewinds, want)
	r := same(s)
	r.Rewind = want.rewind
	o.write(r, func(bool) {}) // one attempt; if it lands, it counts
}

// target is a place of chance, and the shards that are meant; none: all.
func (o *operator) target() (string, []string) {
	w := o.w
	s := w.stream.shards[w.rng.IntN(len(w.stream.shards))]
	var shards []string
	if w.chance(0.3) {
		shards = []string{s.id}
	}
	switch {
	case w.chance(0.4):
		return lease.TrimHorizon, shards
	case w.chance(0.3) && s.furthest > 1:
		return s.checkpoint(1 + w.rng.Int64N(s.furthest)).Sequence, []string{s.id}
	}
	at := epoch().Add(w.now - w.between(0, 2*time.Minute))
	return at.Format(time.RFC3339Nano), shards
}

// read attempts a read until it succeeds.
func (o *operator) read(op lease.Op, then func(lease.Answer)) {
	o.w.attempt(o.host, op, func(a lease.Answer) {
		if a.Outcome != lease.Applied {
			o.w.after(o.w.between(0, time.Second), func() { o.read(op, then) })
			return
		}
		then(a)
	})
}

// pending tells whether rows are still to be rewound.
func (o *operator) pending(r *lease.Rewind, rows []*lease.Row) bool {
	byShard := make(map[string]*lease.Row, len(rows))
	for _, row := range rows {
		byShard[row.Shard] = row
	}
	asking := r.Of(func(shard string) *lease.Row { return byShard[shard] })
	return slices.ContainsFunc(rows, asking.Asks)
}

// stands tells whether the fleet has yet to carry a rewind out.
func (o *operator) stands() bool {
	s := o.w.tables.stream
	if s == nil || s.Rewind == nil {
		return false
	}
	var rows []*lease.Row
	for _, row := range o.w.tables.leases.rows {
		if row != nil {
			rows = append(rows, row)
		}
	}
	return o.pending(s.Rewind, rows)
}
