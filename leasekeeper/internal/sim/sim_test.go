package sim_test

import (
	"bytes"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/sim"
)

// TestRun is a small share of what `go run ./internal/sim/cmd/sim` runs.
func TestRun(t *testing.T) {
	t.Parallel()
	seeds := uint64(60)
	if testing.Short() {
		seeds = 20
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		if r := sim.Run(sim.Options{Seed: seed}); r.Violation != "" {
			t.Errorf("seed %d (%s): %s", seed, r.Scenario, r.Violation)
		}
	}
}

// TestRun_regressions replays the seeds that found something.
func TestRun_regressions(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{
		86, // a checkpoint without an answer took over the timer of the shard's end
	} {
		if r := sim.Run(sim.Options{Seed: seed}); r.Violation != "" {
			t.Errorf("seed %d (%s): %s", seed, r.Scenario, r.Violation)
		}
	}
}

func TestRun_sameSeedSameRun(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		first := sim.Run(sim.Options{Seed: seed})
		var trace bytes.Buffer
		second := sim.Run(sim.Options{Seed: seed, Trace: &trace})
		if first != second {
			t.Errorf("seed %d: got %+v, then, traced, %+v", seed, first, second)
		}
		if trace.Len() == 0 {
			t.Errorf("seed %d: got no trace", seed)
		}
	}
}

func TestKind_everyKindIsRun(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for seed := uint64(1); seed <= 2000; seed++ {
		kinds[sim.Kind(seed)]++
	}
	if len(kinds) != 8 || kinds[sim.KindLarge] != 2 {
		t.Errorf("got %v, want 8 kinds with 2 large ones in 2000 schedules", kinds)
	}
}
