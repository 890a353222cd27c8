// Sim runs seeded schedules of whole fleets and says what was violated. It is a
// tool of the repository, not part of any image.
//
//	go run ./internal/sim/cmd/sim -seeds 2000       # many, on all cores
//	go run ./internal/sim/cmd/sim -seed 42 -trace   # one again, step by step
//
// The last line of standard output is one JSON object.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/sim"
)

func main() {
	seeds := flag.Int("seeds", 200, "how many schedules to run")
	first := flag.Uint64("from", 1, "the first seed")
	one := flag.Uint64("seed", 0, "run this seed alone")
	trace := flag.Bool("trace", false, "with -seed: print every step")
	kind := flag.String("kind", "", "run only schedules of this kind")
	large := flag.Bool("large", true, "with the schedules of 1,000 shards and 100 workers")
	keepOn := flag.Bool("keep-going", false, "do not stop at the first violation")
	flag.Parse()
	if *one != 0 {
		os.Exit(replay(*one, *trace))
	}
	wanted := func(seed uint64) bool {
		k := sim.Kind(seed)
		return (*kind == "" || *kind == k) && (*large || k != sim.KindLarge)
	}
	os.Exit(runMany(*first, *seeds, wanted, *keepOn))
}

func replay(seed uint64, trace bool) int {
	o := sim.Options{Seed: seed}
	if trace {
		o.Trace = os.Stdout
	}
	r := sim.Run(o)
	s := newSummary()
	s.add(r)
	return s.print(os.Stdout, time.Now())
}

func runMany(first uint64, seeds int, wanted func(uint64) bool, keepOn bool) int {
	began := time.Now()
	s := newSummary()
	var next atomic.Uint64
	next.Store(first)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= first+uint64(seeds) {
					return
				}
				if !wanted(seed) {
					continue
				}
				r := sim.Run(sim.Options{Seed: seed})
				mu.Lock()
				s.add(r)
				if s.Schedules%100 == 0 {
					fmt.Fprintf(os.Stderr, "sim: %d schedules, %.1f fleet-hours, %d violations, %s\n",
						s.Schedules, s.FleetHours, s.Violations, time.Since(began).Round(time.Second))
				}
				stop := s.Violations > 0 && !keepOn
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	group.Wait()
	return s.print(os.Stdout, began)
}

// summary is the final JSON line.
type summary struct {
	Sim        string         `json:"sim"`
	Schedules  int            `json:"schedules"`
	FleetHours float64        `json:"fleet_hours"`
	Violations int            `json:"violations"`
	Steps      uint64         `json:"steps"`
	Claims     uint64         `json:"claims"`
	Evictions  uint64         `json:"evictions"`
	Kinds      map[string]int `json:"kinds"`
	GapP50MS   int64          `json:"single_fault_gap_p50_ms"`
	GapP99MS   int64          `json:"single_fault_gap_p99_ms"`
	GapMaxMS   int64          `json:"single_fault_gap_max_ms"`
	Seconds    float64        `json:"seconds"`

	gaps []time.Duration
	bad  []sim.Result
}

func newSummary() *summary { return &summary{Kinds: map[string]int{}} }

func (s *summary) add(r sim.Result) {
	s.Schedules++
	s.FleetHours += r.Fleet.Hours()
	s.Steps += r.Steps
	s.Claims += r.Claims
	s.Evictions += r.Evictions
	s.Kinds[r.Kind]++
	if r.LongestGap > 0 {
		s.gaps = append(s.gaps, r.LongestGap)
	}
	if r.Violation != "" {
		s.Violations++
		s.bad = append(s.bad, r)
	}
}

func (s *summary) print(out io.Writer, began time.Time) int {
	sort.Slice(s.bad, func(i, j int) bool { return s.bad[i].Seed < s.bad[j].Seed })
	for _, r := range s.bad {
		_, _ = fmt.Fprintf(out, "seed %d (%s): %s\n  again: go run ./internal/sim/cmd/sim -seed %d -trace\n", r.Seed, r.Scenario, r.Violation, r.Seed)
	}
	s.Sim = "ok"
	if s.Violations > 0 {
		s.Sim = "failed"
	}
	sort.Slice(s.gaps, func(i, j int) bool { return s.gaps[i] < s.gaps[j] })
	if n := len(s.gaps); n > 0 {
		s.GapP50MS, s.GapP99MS, s.GapMaxMS = s.gaps[n/2].Milliseconds(), s.gaps[n*99/100].Milliseconds(), s.gaps[n-1].Milliseconds()
	}
	s.FleetHours = float64(int(s.FleetHours*10)) / 10
	s.Seconds = float64(time.Since(began).Milliseconds()) / 1000
	line, err := json.Marshal(s)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = fmt.Fprintln(out, string(line))
	if s.Violations > 0 {
		return 1
	}
	return 0
}
