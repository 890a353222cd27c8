package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// throughput measures against canned answers.
type throughput struct {
	programs []string // the first is what the others are compared with
	rounds   int
	mb       int     // to read in each cell
	least    float64 // ratio of the consumer; less is an error
	profile  string
}

var errSlow = errors.New("the consumer is slower than it should be")

func (t throughput) run(sizes, counts []int) error {
	fmt.Println("| message | shards | who | messages/CPU-s | MB/CPU-s | allocations/message | peak RSS | ratio | lowest to highest |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	var slow error
	for _, s := range sizes {
		for _, n := range counts {
			w := newWorkload(s, n, t.mb)
			c, err := t.measure(w)
			if err != nil {
				return err
			}
			t.print(w, c)
			if r := c.ratios(ours).middle; r < t.least {
				slow = errors.Join(slow, fmt.Errorf("%w: %d B, %d shards: %.2f times the plain loop, want %.2f", errSlow, s, n, r, t.least))
			}
		}
	}
	return slow
}

// newWorkload bounds small messages, of which a few hundred thousand do.
func newWorkload(size, shards, mb int) workload {
	return workload{Size: size, Shards: shards, PerShard: max(10, min(200_000, mb*1_000_000/size)/shards)}
}

// attempts at one measurement: on a machine that is very busy, the SDK's client
// gives up calls now and then.
const attempts = 3

// measure runs the programs in turn, so that what slows the machine down for a
// while slows them all down.
func (t throughput) measure(w workload) (cell, error) {
	c := cell{base: t.programs[0], results: map[string][]result{}}
	for range t.rounds {
		for _, who := range t.programs {
			r, err := child(who, w, t.profile)
			for n := 1; err != nil && n < attempts; n++ {
				fmt.Fprintln(os.Stderr, "measured again:", err)
				r, err = child(who, w, t.profile)
			}
			if err != nil {
				return c, err
			}
			c.results[who] = append(c.results[who], r)
		}
	}
	return c, nil
}

func (t throughput) print(w workload, c cell) {
	for _, who := range t.programs {
		of := func(f func(result) float64) float64 { return newSpread(c.results[who], f).middle }
		ratio := c.ratios(who)
		fmt.Printf("| %d B | %d | %s | %.0f | %.1f | %.1f | %.0f MB | %.2f | %.2f to %.2f |\n", w.Size, w.Shards, who,
			of(func(r result) float64 { return r.PerCPUSecond }), of(func(r result) float64 { return r.MBPerCPUSecond }),
			of(func(r result) float64 { return r.AllocsPerMessage }), of(func(r result) float64 { return r.PeakMB }),
			ratio.middle, ratio.lowest, ratio.highest)
	}
}

// cell is what was measured of one workload, round by round.
type cell struct {
	base    string
	results map[string][]result
}

// ratios are a program's to the base's in the same round.
func (c cell) ratios(who string) spread {
	list := make([]float64, len(c.results[who]))
	for i, r := range c.results[who] {
		list[i] = r.PerCPUSecond / c.results[c.base][i].PerCPUSecond
	}
	return newSpread(list, func(f float64) float64 { return f })
}

// spread is a median, and what it is the median of.
type spread struct{ lowest, middle, highest float64 }

func newSpread[T any](list []T, f func(T) float64) spread {
	values := make([]float64, len(list))
	for i, v := range list {
		values[i] = f(v)
	}
	if len(values) == 0 {
		return spread{}
	}
	slices.Sort(values)
	n := len(values)
	return spread{values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]}
}
