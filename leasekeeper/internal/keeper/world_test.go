package keeper_test

import (
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// world is a small fleet in virtual time: one stream, two tables, keepers, and
// a consumer beside each. Everything takes a millisecond.
type world struct {
	t       *testing.T
	now     time.Duration
	stream  *lease.Stream
	leases  map[string]*lease.Row
	workers map[string]*lease.Worker
	listing lease.Listing
	nodes   []*node
	claimed map[string]bool // claims whose success their worker knows of
	ended   map[string]bool // generations that were in an answer and then in none
	queue   []item
	seq     int
	grants  map[string]grantee // shard → who reads it last, for I1
	rates   map[string]int64   // bytes per second of a shard, whoever reads it
	// fault may take an operation over: it returns true when it did.
	fault func(n *node, op lease.Op, execute func() lease.Answer, answer func(after time.Duration, a lease.Answer)) bool
}

type item struct {
	at  time.Duration
	seq int
	run func()
}

type grantee struct {
	node  *node
	until time.Duration
}

// node is one task.
type node struct {
	w        *world
	name     string
	k        *keeper.Keeper
	c        *consumer
	replies  map[uint64]func(keeper.Reply)
	nextSync uint64
	dead     bool
	exited   bool
	err      error
	notes    []keeper.Note
}

func newWorld(t *testing.T, shards ...string) *world {
	w := &world{t: t, leases: map[string]*lease.Row{}, workers: map[string]*lease.Worker{}, grants: map[string]grantee{},
		claimed: map[string]bool{}, ended: map[string]bool{}}
	w.listing = lease.Listing{ARN: "arn:test", CreatedAt: time.Unix(1000, 0), Now: time.Unix(5000, 0)}
	for _, s := range shards {
		w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: s})
	}
	return w
}

func config(name string) keeper.Config {
	return keeper.Config{Name: name, Version: "test", Stream: "test", Epoch: time.Unix(10_000, 0), Seed: uint64(len(name))*7 + uint64(name[0]),
		Duration: 8 * time.Second, InitialPosition: lease.TrimHorizon, ForeignWait: 30 * time.Second,
		CheckpointInterval: 2 * time.Second, DrainTimeout: 25 * time.Second}
}

// add starts a task with a consumer.
func (w *world) add(name string) *node {
	n := w.addAlone(config(name))
	n.attach()
	return n
}

func (w *world) addAlone(cfg keeper.Config) *node {
	n := &node{w: w, name: cfg.Name, k: keeper.New(cfg), replies: map[uint64]func(keeper.Reply){}}
	w.nodes = append(w.nodes, n)
	w.at(w.now, func() { n.handle(keeper.Tick{}) })
	return n
}

func (w *world) at(at time.Duration, run func()) {
	w.seq++
	w.queue = append(w.queue, item{max(at, w.now), w.seq, run})
}

// run lets d pass.
func (w *world) run(d time.Duration) {
	end := w.now + d
	for steps := 0; ; steps++ {
		if steps > 2_000_000 {
			w.t.Fatal("the world does not come to rest")
		}
		sort.Slice(w.queue, func(i, j int) bool {
			a, b := w.queue[i], w.queue[j]
			return a.at < b.at || a.at == b.at && a.seq < b.seq
		})
		next := end + 1
		if len(w.queue) > 0 {
			next = w.queue[0].at
		}
		var waker *node
		for _, n := range w.nodes {
			if !n.dead && n.k.Worker() != "" && n.k.Wake() < next {
				next, waker = n.k.Wake(), n
			}
		}
		if next > end {
			w.now = end
			return
		}
		w.now = max(w.now, next)
		if waker != nil {
			waker.handle(keeper.Tick{})
			continue
		}
		it := w.queue[0]
		w.queue = w.queue[1:]
		it.run()
	}
}

func (n *node) handle(e keeper.Event) {
	if n.dead {
		return
	}
	actions := append([]keeper.Action(nil), n.k.Handle(n.w.now, e)...)
	for _, a := range actions {
		switch a := a.(type) {
		case keeper.Do:
			n.do(a)
		case keeper.Reply:
			reply := n.replies[a.ID]
			delete(n.replies, a.ID)
			if reply == nil {
				n.w.t.Fatalf("reply to sync %d, which is not open", a.ID)
			}
			n.w.at(n.w.now+time.Millisecond, func() { reply(a) })
		case keeper.Note:
			n.notes = append(n.notes, a)
		case keeper.Exit:
			n.dead, n.exited, n.err = true, true, a.Err
		}
	}
}

func (n *node) do(d keeper.Do) {
	w := n.w
	execute := func() lease.Answer { return w.execute(d.Op) }
	answer := func(after time.Duration, a lease.Answer) {
		w.at(w.now+after, func() {
			n.learned(d.Op, a)
			n.handle(keeper.Answered{ID: d.ID, Answer: a})
		})
	}
	if w.fault != nil && w.fault(n, d.Op, execute, answer) {
		return
	}
	w.at(w.now+time.Millisecond, func() { answer(time.Millisecond, execute()) })
}

// learned notes the claims a worker knows of: only their generations may be
// granted (rule 4, S2 to S4).
func (n *node) learned(op lease.Op, a lease.Answer) {
	if write, ok := op.(lease.LeaseWrite); ok && a.Outcome == lease.Applied && write.Change != nil && write.Change.Owner != "" &&
		write.Change.Counter > write.If.Counter {
		n.w.claimed[fmt.Sprint(write.Change.Owner, a.Lease.Shard, a.Lease.Counter)] = true
	}
}

func outcome(applied bool) lease.Outcome {
	if applied {
		return lease.Applied
	}
	return lease.Refused
}

func (w *world) execute(op lease.Op) lease.Answer {
	switch op := op.(type) {
	case lease.LeaseWrite:
		old := w.leases[op.Shard]
		row, ok := op.Apply(old)
		if ok && old != nil && row != nil && row.Checkpoint.Compare(old.Checkpoint) < 0 &&
			(row.Rewound <= old.Rewound || row.Counter == old.Counter) {
			w.t.Errorf("%v: checkpoint of %s goes back from %v to %v", w.now, op.Shard, old.Checkpoint, row.Checkpoint)
		}
		if ok && op.Change != nil && op.Change.Rewind != nil && (old.Rewound >= op.Change.Rewind.ID || row.Counter == old.Counter) {
			w.t.Errorf("%v: %s is rewound twice, or in its generation: %+v", w.now, op.Shard, old)
		}
		if row == nil {
			delete(w.leases, op.Shard)
		} else {
			w.leases[op.Shard] = row
			w.ordered()
		}
		return lease.Answer{Outcome: outcome(ok), Lease: row}
	case lease.WorkerWrite:
		row, ok := op.Apply(w.workers[op.Worker])
		if row == nil {
			delete(w.workers, op.Worker)
		} else {
			w.workers[op.Worker] = row
		}
		return lease.Answer{Outcome: outcome(ok), Worker: row}
	case lease.StreamWrite:
		row, ok := op.Apply(w.stream)
		w.stream = row
		return lease.Answer{Outcome: outcome(ok), Stream: row}
	case lease.GetLease:
		return lease.Answer{Outcome: lease.Applied, Lease: w.leases[op.Shard]}
	case lease.ScanWorkers:
		a := lease.Answer{Outcome: lease.Applied, Stream: w.stream}
		for _, row := range w.workers {
			a.Workers = append(a.Workers, row)
		}
		sort.Slice(a.Workers, func(i, j int) bool { return a.Workers[i].ID < a.Workers[j].ID })
		return a
	case lease.ScanLeases:
		a := lease.Answer{Outcome: lease.Applied}
		for _, row := range w.leases {
			a.Leases = append(a.Leases, row)
		}
		sort.Slice(a.Leases, func(i, j int) bool { return a.Leases[i].Shard < a.Leases[j].Shard })
		return a
	case lease.ListShards:
		l := w.listing
		l.Shards = append([]lease.Shard(nil), l.Shards...)
		return lease.Answer{Outcome: lease.Applied, Listing: &l}
	}
	panic(fmt.Sprintf("no such operation: %T", op))
}

// consumer is a well-behaved one: it drains in 10 ms.
type consumer struct {
	n        *node
	uuid     string
	worker   string
	revision int64
	holds    map[string]*reading
	draining bool
	wait     time.Duration
	gone     bool
	stuck    bool // never drains what is withdrawn
	silent   bool // reports no shard
	lag      int64
	rate     int64  // bytes per second, of every shard, beside the world's rates
	open     uint64 // the call under way
	syncs    int
	conflict int
}

type reading struct {
	generation int64
	state      string
	until      time.Duration
	checkpoint *contract.Checkpoint
	children   []contract.ChildShard
	start      contract.Start
}

func (n *node) attach() *consumer {
	c := &consumer{n: n, uuid: fmt.Sprintf("%s-%d", n.name, n.w.seq), holds: map[string]*reading{}, wait: 2 * time.Second}
	n.c = c
	n.w.at(n.w.now, c.call)
	return c
}

func (c *consumer) call() {
	n, w := c.n, c.n.w
	if n.dead || c.gone {
		return
	}
	r := contract.SyncRequest{Consumer: c.uuid, Version: "test", Worker: c.worker, Revision: c.revision, WaitMS: c.wait.Milliseconds(), Draining: c.draining}
	for _, shard := range c.shards() {
		h := c.holds[shard]
		if h.state == contract.Reading && w.now >= h.until && !c.stuck {
			h.state = contract.Drained
		}
		if c.silent {
			continue
		}
		r.Shards = append(r.Shards, contract.ShardReport{Shard: shard, Generation: h.generation, State: h.state,
			Checkpoint: h.checkpoint, Children: h.children, LagMS: c.lag, BytesPerSecond: c.rate + w.rates[shard]})
	}
	sent := w.now
	n.nextSync++
	id := n.nextSync
	c.open = id
	n.replies[id] = func(a keeper.Reply) { c.answered(sent, r, a) }
	w.at(w.now+time.Millisecond, func() { n.handle(keeper.Sync{ID: id, Request: r}) })
}

// die ends the consumer; its connection is closed.
func (c *consumer) die() {
	c.gone = true
	n := c.n
	n.w.at(n.w.now+time.Millisecond, func() {
		delete(n.replies, c.open)
		n.handle(keeper.SyncGone{ID: c.open})
	})
}

func (c *consumer) shards() []string {
	var shards []string
	for s := range c.holds {
		shards = append(shards, s)
	}
	sort.Strings(shards)
	return shards
}

func (c *consumer) answered(sent time.Duration, r contract.SyncRequest, a keeper.Reply) {
	w := c.n.w
	if c.gone {
		return
	}
	if a.Refusal != nil {
		if a.Refusal.Code == contract.ConsumerConflict {
			c.conflict++
		}
		w.at(w.now+100*time.Millisecond, c.call)
		return
	}
	c.syncs++
	for _, said := range r.Shards {
		if h := c.holds[said.Shard]; h != nil && said.State != contract.Reading && h.generation == said.Generation {
			delete(c.holds, said.Shard)
		}
	}
	c.worker, c.revision = a.Response.Worker, a.Response.Revision
	until := sent + time.Duration(a.Response.TTLMS)*time.Millisecond
	granted := map[string]bool{}
	for _, g := range a.Response.Grants {
		granted[g.Shard] = true
		if name := fmt.Sprint(c.worker, g.Shard, g.Generation); !w.claimed[name] {
			w.t.Errorf("%v: %s generation %d is granted by %s without a claim of its own", w.now, g.Shard, g.Generation, c.worker)
		} else if w.ended[name] {
			w.t.Errorf("%v: %s generation %d was withdrawn by %s and is granted again", w.now, g.Shard, g.Generation, c.worker)
		}
		h := c.holds[g.Shard]
		if h == nil || h.generation != g.Generation {
			if h != nil && h.state == contract.Reading && w.now < h.until {
				continue // the old one first
			}
			h = &reading{generation: g.Generation, state: contract.Reading, start: g.Start}
			c.holds[g.Shard] = h
		}
		h.until = max(h.until, until)
		c.reads(g.Shard, h)
	}
	for _, shard := range c.shards() {
		if h := c.holds[shard]; !granted[shard] && h.state == contract.Reading {
			w.ended[fmt.Sprint(c.worker, shard, h.generation)] = true
			if c.stuck {
				continue
			}
			w.at(w.now+10*time.Millisecond, func() { h.state = contract.Drained; c.stop(shard) })
		}
	}
	w.at(w.now+12*time.Millisecond, c.call)
}

// reads notes who reads a shard until when, and fails the test where somebody
// else still does (I1).
func (c *consumer) reads(shard string, h *reading) {
	w := c.n.w
	if h.state != contract.Reading {
		return
	}
	if g := w.grants[shard]; g.node != nil && g.node != c.n && w.now < g.until {
		w.t.Errorf("%v: %s is read by %s until %v, and now by %s too", w.now, shard, g.node.name, g.until, c.n.name)
	}
	w.grants[shard] = grantee{c.n, h.until}
	w.ordered()
}

// ordered fails the test when a shard is read whose parent is not finished (I3).
func (w *world) ordered() {
	for _, s := range w.listing.Shards {
		for _, parent := range s.Parents {
			row, g := w.leases[parent], w.grants[s.ID]
			if row != nil && !row.Finished() && g.node != nil && w.now < g.until {
				w.t.Errorf("%v: %s is read by %s while its parent is %+v", w.now, s.ID, g.node.name, row)
			}
		}
	}
}

func (c *consumer) stop(shard string) {
	if g := c.n.w.grants[shard]; g.node == c.n {
		delete(c.n.w.grants, shard)
	}
}

// holders returns "shard=task" for every shard that is read now.
func (w *world) holders() map[string]string {
	held := map[string]string{}
	for _, n := range w.nodes {
		if n.c == nil {
			continue
		}
		for shard, h := range n.c.holds {
			if h.state == contract.Reading && w.now < h.until && !n.c.gone {
				held[shard] = n.name
			}
		}
	}
	return held
}

// kill ends a task at once; its consumer reads on for nobody.
func (w *world) kill(n *node) {
	n.dead = true
	n.c.gone = true
	for shard, g := range w.grants {
		if g.node == n {
			delete(w.grants, shard)
		}
	}
}
