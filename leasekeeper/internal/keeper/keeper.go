// Package keeper is the lease protocol as a state machine without input or
// output: it has no clock, no goroutine, no random source of its own and knows
// no database. It is told what happened and when ([Event], with a monotonic
// time), and says what should be done ([Action]); the same events always give
// the same actions.
//
// A driver owns the loop: it executes each [Do] in the background, feeds the
// answers back as [Answered], passes syncs in and replies out, and calls Handle
// with a [Tick] no later than [Keeper.Wake].
//
// The rules it follows are numbered in docs/DESIGN.md; comments name the rule,
// and the attack a line is there against.
//
// What it does not guarantee: times are only as good as the driver's clock,
// which must run while the process does, within 5 % of everybody else's; a
// driver that delays events makes leases end early, never late.
package keeper

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Keeper is one leasekeeper process: a worker life after the other, for a new
// one begins, under a new id, when peers have declared the old one dead. It is
// not safe for concurrent use.
type Keeper struct {
	cfg     Config
	rng     *rand.Rand
	now     time.Duration
	actions []Action
	nextID  uint64
	pending map[uint64]func(lease.Answer) // of the present life
	timers  timers                        // of the present life
	life    *life
	leaving bool
	exited  bool
	joined  bool          // the lease table, once read, showed no other fleet
	ahead   time.Duration // the service's clock over this host's, when the stream was last listed
	counts  Counts
	moves   []contract.Move // oldest first, bounded
}

// New returns a keeper that starts with its first Handle. Times are durations
// since an origin of the driver's choosing, the same for every call.
func New(cfg Config) *Keeper {
	return &Keeper{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed^0x9e3779b97f4a7c15))}
}

// Handle takes one event at time now, which never goes back, and returns what
// is to be done, in order. The slice is valid until the next call.
func (k *Keeper) Handle(now time.Duration, e Event) []Action {
	k.now = max(k.now, now)
	k.actions = k.actions[:0]
	if k.exited {
		return nil
	}
	if k.life == nil {
		k.begin()
	}
	// Time first: what ended before the event arrived must not serve it.
	k.runTimers()
	switch e := e.(type) {
	case Answered:
		if answered := k.pending[e.ID]; answered != nil {
			delete(k.pending, e.ID)
			answered(e.Answer)
		}
	case Sync:
		k.life.session.sync(e)
	case SyncGone:
		k.life.session.gone(e.ID)
	case Shutdown:
		k.shutdown()
	case Tick:
	}
	if !k.exited {
		k.life.settle()
	}
	return k.actions
}

// Wake returns when the next Tick is due at the latest.
func (k *Keeper) Wake() time.Duration { return k.timers.next() }

// Worker returns the id of the present life; empty before the first Handle.
func (k *Keeper) Worker() string {
	if k.life == nil {
		return ""
	}
	return k.life.self.id
}

// begin starts a life: a new id, nothing held, nothing known.
func (k *Keeper) begin() {
	id := fmt.Sprintf("%s/%08x", k.cfg.Name, k.rng.Uint32())
	k.pending = make(map[uint64]func(lease.Answer))
	k.timers = timers{}
	k.life = newLife(k, id)
	k.counts.Lives++
	k.note(Info, "joining", Field{"worker", id})
	k.life.start()
}

// rebirth ends the present life, in which nothing may be granted any more
// (rule 1), and begins another.
func (k *Keeper) rebirth(reason string) {
	old := k.life
	k.note(Warn, "worker is out; rejoining under a new id", Field{"worker", old.self.id}, Field{"reason", reason})
	k.move("worker out: "+reason, "", old.self.id, "")
	old.session.refuseOpen(contract.NotReady, "this worker was declared dead by its peers; a new one is joining")
	if k.leaving {
		k.exit(nil) // nothing is ours any more: there is nothing to hand over
		return
	}
	over := old.live()
	k.begin()
	k.life.over = over
}

// live returns until when, at the latest, shards are read on grants of this life.
func (l *life) live() map[string]time.Duration {
	live := make(map[string]time.Duration)
	for shard, until := range l.over {
		if l.now < until {
			live[shard] = until
		}
	}
	for shard, h := range l.holdings {
		if !h.isOver() {
			live[shard] = h.expires
		}
	}
	return live
}

func (k *Keeper) runTimers() {
	for t := k.timers.due(k.now); t != nil && !k.exited; t = k.timers.due(k.now) {
		t.run()
	}
}

// do has op attempted once; answered is called with what came of it, unless
// this life ends before.
func (k *Keeper) do(op lease.Op, answered func(lease.Answer)) {
	k.nextID++
	k.pending[k.nextID] = answered
	k.actions = append(k.actions, Do{ID: k.nextID, Op: op})
}

// backoff is how long to wait after the n-th failed attempt in a row (from 0):
// full jitter under a bound that doubles up to half a heartbeat.
func (k *Keeper) backoff(n int) time.Duration {
	const first = 20 * time.Millisecond
	limit := min(first<<min(n, 10), k.cfg.heartbeat()/2)
	return first/4 + time.Duration(k.rng.Int64N(int64(limit)))
}

// jitter is d, up to a fifth more or less.
func (k *Keeper) jitter(d time.Duration) time.Duration {
	return d*4/5 + time.Duration(k.rng.Int64N(int64(d*2/5)+1))
}

func (k *Keeper) note(level Level, message string, fields ...Field) {
	k.actions = append(k.actions, Note{Level: level, Message: message, Fields: fields})
}

func (k *Keeper) exit(err error) {
	if k.exited {
		return
	}
	k.exited = true
	k.life.session.refuseOpen(contract.NotReady, "this leasekeeper is leaving")
	k.actions = append(k.actions, Exit{Err: err})
}

// wall is the wall clock's time at the present moment, for people.
func (k *Keeper) wall() time.Time { return k.cfg.Epoch.Add(k.now).UTC() }

// rowLife is how far ahead every heartbeat sets expiresAt, after which the
// table's TTL may remove the row that nobody beats any more.
const rowLife = 24 * time.Hour

// expiry is expiresAt of a row that is written now: by the service's clock, for
// the table's TTL goes by that, and a host's may be off by days.
func (k *Keeper) expiry() time.Time { return k.wall().Add(k.ahead + rowLife) }

// movesKept is how many of the latest changes the status shows.
const movesKept = 50

func (k *Keeper) move(what, shard, from, to string) {
	if len(k.moves) >= 2*movesKept {
		k.moves = append(k.moves[:0], k.moves[movesKept:]...)
	}
	k.moves = append(k.moves, contract.Move{At: k.wall(), What: what, Shard: shard, From: from, To: to})
}
