// Package plan says which worker should read which shard. It is a pure function
// of what stands in the tables: every worker computes the same, so nobody leads.
//
// A plan is sticky: a lease stays where it is unless a move is needed to even
// out the counts, which never differ by more than one where caps allow it, or
// evens out the loads by more than a margin. Applied to its own result it
// changes nothing.
package plan

import "sort"

// Lease is a lease that can be read now: not finished, waiting for no parent.
type Lease struct {
	Shard  string
	Owner  string // the live worker that holds it, taking leases or not; empty: nobody
	Load   int64  // bytes per second, smoothed
	Moving bool   // its owner has announced to give it up
}

// Worker is a worker that takes leases.
type Worker struct {
	ID  string
	Max int // no more leases than these; 0: no cap
}

// Make returns the worker each lease is planned for. Leases are missing from it
// only when there are no workers or their caps leave no room. Shards and worker
// ids must be unique; the order of the arguments does not matter, and they are
// not changed.
func Make(leases []Lease, workers []Worker) map[string]string {
	if len(workers) == 0 {
		return map[string]string{}
	}
	t := newTable(leases, workers)
	t.setTargets()
	t.fill(t.collect())
	t.balance()
	return t.result()
}

// table is a plan in the making.
type table struct {
	leases  []Lease   // by shard
	workers []*column // by id
	pool    []int     // leases without a worker, indexes
}

// column is one worker's part of the plan.
type column struct {
	Worker
	leases []int
	load   int64
	target int // how many leases it gets
}

func newTable(leases []Lease, workers []Worker) *table {
	t := &table{leases: append([]Lease(nil), leases...), workers: make([]*column, 0, len(workers))}
	sort.Slice(t.leases, func(i, j int) bool { return t.leases[i].Shard < t.leases[j].Shard })
	byID := make(map[string]*column, len(workers))
	for _, w := range workers {
		c := &column{Worker: w}
		byID[w.ID] = c
		t.workers = append(t.workers, c)
	}
	sort.Slice(t.workers, func(i, j int) bool { return t.workers[i].ID < t.workers[j].ID })
	for i, l := range t.leases {
		if c := byID[l.Owner]; c != nil {
			t.give(c, i)
		} else {
			t.pool = append(t.pool, i)
		}
	}
	return t
}

func (t *table) give(c *column, lease int) {
	c.leases = append(c.leases, lease)
	c.load += t.leases[lease].Load
}

func (t *table) result() map[string]string {
	planned := make(map[string]string, len(t.leases))
	for _, c := range t.workers {
		for _, i := range c.leases {
			planned[t.leases[i].Shard] = c.ID
		}
	}
	return planned
}

// room is how many leases the worker takes when nobody else's count matters.
func (c *column) room(all int) int {
	if c.Max > 0 && c.Max < all {
		return c.Max
	}
	return all
}
