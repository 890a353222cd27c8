package keeper_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
)

// rollout is a fleet of three tasks on thirty shards of different throughput
// that is changed while somebody watches for how long each shard is unread.
type rollout struct {
	*world
	rng     *rand.Rand
	old     []*node
	since   map[string]time.Duration // shard → unread from then on
	longest time.Duration
}

func newRollout(t *testing.T, seed uint64) *rollout {
	var shards []string
	for i := range 30 {
		shards = append(shards, fmt.Sprintf("s%02d", i))
	}
	r := &rollout{world: newWorld(t, shards...), rng: rand.New(rand.NewPCG(seed, 1)), since: map[string]time.Duration{}}
	r.rates = map[string]int64{}
	for _, s := range shards {
		r.rates[s] = 1000 + r.rng.Int64N(100_000)
	}
	for range 3 {
		r.old = append(r.old, r.start())
		r.run(r.upTo(2 * time.Second))
	}
	r.run(3 * time.Minute)
	return r
}

func (r *rollout) upTo(d time.Duration) time.Duration { return time.Duration(r.rng.Int64N(int64(d))) }

func (r *rollout) start() *node {
	cfg := config(fmt.Sprintf("t%d", len(r.nodes)))
	cfg.Seed = r.rng.Uint64()
	n := r.addAlone(cfg)
	n.attach()
	return n
}

// stop is SIGTERM to both processes of the task.
func (r *rollout) stop(n *node) {
	n.c.draining = true
	r.at(r.now, func() { n.handle(keeper.Shutdown{}) })
}

// watch lets d pass.
func (r *rollout) watch(d time.Duration) {
	const step = 20 * time.Millisecond
	for end := r.now + d; r.now < end; {
		r.run(step)
		held := r.holders()
		for _, s := range r.listing.Shards {
			if held[s.ID] != "" {
				delete(r.since, s.ID)
				continue
			}
			if _, unread := r.since[s.ID]; !unread {
				r.since[s.ID] = r.now - step
			}
			r.longest = max(r.longest, r.now-r.since[s.ID])
		}
	}
}

// However a fleet of many shards is replaced or resized, no shard is unread for
// a second: what is announced says who takes it, so that nobody waits for a
// worker whose plan says another.
func TestFleet_RolloutOfManyShards(t *testing.T) {
	for name, change := range map[string]func(r *rollout){
		"one by one": func(r *rollout) {
			for _, n := range r.old {
				r.start()
				r.watch(5*time.Second + r.upTo(5*time.Second))
				r.stop(n)
				r.watch(20 * time.Second)
			}
		},
		"all at once": func(r *rollout) {
			for range r.old {
				r.start()
				r.watch(r.upTo(time.Second))
			}
			r.watch(5*time.Second + r.upTo(5*time.Second))
			for _, n := range r.old {
				r.stop(n)
			}
		},
		"two of four leave": func(r *rollout) {
			r.start()
			r.watch(30 * time.Second)
			r.stop(r.old[0])
			r.stop(r.old[1])
		},
		"two more": func(r *rollout) { r.start(); r.start() },
		"one less": func(r *rollout) { r.stop(r.old[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(26); seed < 32; seed++ {
				r := newRollout(t, seed)
				change(r)
				r.watch(90 * time.Second)
				if r.longest >= time.Second {
					t.Errorf("seed %d: a shard was unread for %v", seed, r.longest)
				}
			}
		})
	}
}
