package plan_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/plan"
)

type fleet struct {
	leases  []plan.Lease
	workers []plan.Worker
}

// genFleet draws a fleet; equal: every lease has the same load, and no caps.
func genFleet(t *rapid.T, equal bool) fleet {
	var f fleet
	for i := range rapid.IntRange(0, 12).Draw(t, "workers") {
		w := plan.Worker{ID: fmt.Sprintf("w%02d", i)}
		if !equal {
			w.Max = rapid.SampledFrom([]int{0, 0, 0, 1, 3, 10}).Draw(t, "max")
		}
		f.workers = append(f.workers, w)
	}
	for i := range rapid.IntRange(0, 60).Draw(t, "leases") {
		l := plan.Lease{Shard: fmt.Sprintf("s%02d", i), Moving: rapid.IntRange(0, 9).Draw(t, "moving") == 0}
		if owner := rapid.IntRange(-3, 14).Draw(t, "owner"); owner >= 0 { // some own what they are not in the fleet for
			l.Owner = fmt.Sprintf("w%02d", owner)
		}
		if !equal {
			l.Load = rapid.SampledFrom([]int64{0, 1000, 50_000, 400_000, 2_000_000}).Draw(t, "load")
		}
		f.leases = append(f.leases, l)
	}
	return f
}

func counts(f fleet, p map[string]string) map[string]int {
	n := make(map[string]int, len(f.workers))
	for _, w := range f.workers {
		n[w.ID] = 0
	}
	for _, w := range p {
		n[w]++
	}
	return n
}

// Every lease is planned for a worker of the fleet, as far as caps leave room.
func TestMake_AssignsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFleet(t, false)
		p := plan.Make(f.leases, f.workers)
		room := 0
		caps := map[string]int{}
		for _, w := range f.workers {
			caps[w.ID] = w.Max
			if w.Max == 0 {
				room += len(f.leases)
			} else {
				room += w.Max
			}
		}
		if want := min(room, len(f.leases)); len(p) != want {
			t.Fatalf("got %d leases planned, want %d", len(p), want)
		}
		for id, n := range counts(f, p) {
			if limit, known := caps[id]; !known || limit > 0 && n > limit {
				t.Fatalf("got %d leases for %s, whose cap is %d (known %v)", n, id, limit, known)
			}
		}
	})
}

// The counts differ by no more than one, but for caps.
func TestMake_BalancesCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFleet(t, false)
		n := counts(f, plan.Make(f.leases, f.workers))
		for _, low := range f.workers {
			for _, high := range f.workers {
				if n[high.ID] > n[low.ID]+1 && (low.Max == 0 || n[low.ID] < low.Max) {
					t.Fatalf("got %d for %s and %d for %s", n[high.ID], high.ID, n[low.ID], low.ID)
				}
			}
		}
	})
}

// The order of the arguments does not matter, and they are not changed.
func TestMake_IgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFleet(t, false)
		want := plan.Make(f.leases, f.workers)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(f.leases), func(i, j int) { f.leases[i], f.leases[j] = f.leases[j], f.leases[i] })
		r.Shuffle(len(f.workers), func(i, j int) { f.workers[i], f.workers[j] = f.workers[j], f.workers[i] })
		if got := plan.Make(f.leases, f.workers); !maps.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// A plan that was carried out is the plan: nothing moves in a steady fleet (I5).
func TestMake_FixedPoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFleet(t, false)
		p := plan.Make(f.leases, f.workers)
		for i := range f.leases {
			f.leases[i].Owner, f.leases[i].Moving = p[f.leases[i].Shard], false
		}
		if again := plan.Make(f.leases, f.workers); !maps.Equal(again, p) {
			t.Fatalf("got %v after %v was carried out", again, p)
		}
	})
}

// A plan carried out in part leads to the same end: no lease is sent on a detour.
func TestMake_PartlyCarriedOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFleet(t, true)
		p := plan.Make(f.leases, f.workers)
		for i := range f.leases {
			if rapid.Bool().Draw(t, "done") {
				f.leases[i].Owner = p[f.leases[i].Shard]
			} else if f.leases[i].Owner != p[f.leases[i].Shard] {
				f.leases[i].Moving = true // announced
			}
		}
		if again := plan.Make(f.leases, f.workers); moves(f.leases, again) > moves(f.leases, p) {
			t.Fatalf("got %d moves to go, want %d", moves(f.leases, again), moves(f.leases, p))
		}
	})
}

func moves(leases []plan.Lease, p map[string]string) int {
	n := 0
	for _, l := range leases {
		if p[l.Shard] != l.Owner {
			n++
		}
	}
	return n
}

// With equal loads no more leases move than even counts need.
func TestMake_FewestMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := genFleet(t, true)
		if len(f.workers) == 0 {
			return
		}
		p := plan.Make(f.leases, f.workers)
		held := map[string]int{}
		for _, l := range f.leases {
			held[l.Owner]++
		}
		low, high := len(f.leases)/len(f.workers), (len(f.leases)+len(f.workers)-1)/len(f.workers)
		over, under, homeless := 0, 0, len(f.leases)
		for _, w := range f.workers {
			homeless -= held[w.ID]
			over += max(0, held[w.ID]-high)
			under += max(0, low-held[w.ID])
		}
		if want := max(over+homeless, under); moves(f.leases, p) > want {
			t.Fatalf("got %d moves, want %d at most", moves(f.leases, p), want)
		}
	})
}

// Throughput counts: two hot shards do not stay together.
func TestMake_BalancesLoad(t *testing.T) {
	leases := []plan.Lease{
		{Shard: "s0", Owner: "a", Load: 1_000_000}, {Shard: "s1", Owner: "a", Load: 1_000_000},
		{Shard: "s2", Owner: "b", Load: 1000}, {Shard: "s3", Owner: "b", Load: 1000},
	}
	p := plan.Make(leases, []plan.Worker{{ID: "a"}, {ID: "b"}})
	if p["s0"] == p["s1"] {
		t.Errorf("got %v, want the hot shards apart", p)
	}
	leases[2].Load = 900_000 // a is not much above b now
	leases[3].Load = 900_000
	if p := plan.Make(leases, []plan.Worker{{ID: "a"}, {ID: "b"}}); moves(leases, p) != 0 {
		t.Errorf("got %v, want nothing moved for a small difference", p)
	}
}

// BenchmarkMake plans 10,000 leases for 500 workers of which fifty are new.
func BenchmarkMake(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	leases := make([]plan.Lease, 10_000)
	for i := range leases {
		leases[i] = plan.Lease{Shard: fmt.Sprintf("shardId-%012d", i), Owner: fmt.Sprintf("w%03d", r.IntN(450)), Load: r.Int64N(1 << 20)}
	}
	workers := make([]plan.Worker, 500)
	for i := range workers {
		workers[i] = plan.Worker{ID: fmt.Sprintf("w%03d", i)}
	}
	for b.Loop() {
		plan.Make(leases, workers)
	}
}
