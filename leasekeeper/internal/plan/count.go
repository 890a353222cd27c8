package plan

import (
	"container/heap"
	"sort"
)

// setTargets gives every worker the number of leases it shall have: level or
// one less, or its cap where that is lower. Those that have the most now get
// the higher number, so that as few leases as possible move.
func (t *table) setTargets() {
	all := len(t.leases)
	if all == 0 {
		return
	}
	fits := func(level int) int {
		sum := 0
		for _, c := range t.workers {
			sum += min(c.room(all), level)
		}
		return sum
	}
	level := 1 + sort.Search(all-1, func(l int) bool { return fits(l+1) >= all })
	rest := all - fits(level-1)
	byCount := append([]*column(nil), t.workers...)
	sort.SliceStable(byCount, func(i, j int) bool { return len(byCount[i].leases) > len(byCount[j].leases) })
	for _, c := range byCount {
		c.target = min(c.room(all), level-1)
		if rest > 0 && c.room(all) >= level {
			c.target, rest = level, rest-1
		}
	}
}

// collect takes from every worker what it has above its target and returns
// these and the leases nobody has, heaviest first.
func (t *table) collect() []int {
	pool := t.pool
	for _, c := range t.workers {
		surplus := len(c.leases) - c.target
		if surplus <= 0 {
			continue
		}
		given := t.surplus(c.leases, surplus)
		kept := c.leases
		c.leases, c.load = make([]int, 0, c.target), 0
		for _, i := range kept {
			if given[i] {
				pool = append(pool, i)
			} else {
				t.give(c, i)
			}
		}
	}
	sort.Slice(pool, func(i, j int) bool { return t.heavier(pool[i], pool[j]) })
	return pool
}

// surplus picks n of the leases: those already announced to move, then a
// sample that is spread evenly over light and heavy ones.
func (t *table) surplus(leases []int, n int) map[int]bool {
	given := make(map[int]bool, n)
	rest := make([]int, 0, len(leases))
	for _, i := range leases {
		if t.leases[i].Moving && len(given) < n {
			given[i] = true
		} else {
			rest = append(rest, i)
		}
	}
	sort.Slice(rest, func(i, j int) bool { return t.heavier(rest[i], rest[j]) })
	for k, need := 0, n-len(given); k < need; k++ {
		given[rest[(2*k+1)*len(rest)/(2*need)]] = true
	}
	return given
}

// fill gives the pool's leases, heaviest first, each to the worker with the
// least load of those below their target.
func (t *table) fill(pool []int) {
	var open lightest
	for _, c := range t.workers {
		if len(c.leases) < c.target {
			open = append(open, c)
		}
	}
	heap.Init(&open)
	for _, i := range pool {
		if len(open) == 0 {
			return
		}
		t.give(open[0], i)
		if len(open[0].leases) >= open[0].target {
			heap.Pop(&open)
		} else {
			heap.Fix(&open, 0)
		}
	}
}

// heavier orders leases by load, the heaviest first, and by shard.
func (t *table) heavier(a, b int) bool {
	if t.leases[a].Load != t.leases[b].Load {
		return t.leases[a].Load > t.leases[b].Load
	}
	return t.leases[a].Shard < t.leases[b].Shard
}

// lightest is a heap of workers, the one with the least load on top.
type lightest []*column

func (h lightest) Len() int { return len(h) }
func (h lightest) Less(i, j int) bool {
	if h[i].load != h[j].load {
		return h[i].load < h[j].load
	}
	if len(h[i].leases) != len(h[j].leases) {
		return len(h[i].leases) < len(h[j].leases)
	}
	return h[i].ID < h[j].ID
}
func (h lightest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *lightest) Push(x any)   { *h = append(*h, x.(*column)) }
func (h *lightest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
