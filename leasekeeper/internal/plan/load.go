package plan

import "sort"

// Margins of load balancing (rule 6, invariant I5): a difference below them is
// left alone, and a move must gain at least as much, so that loads which waver
// do not make leases wander.
const (
	marginShare = 5         // a fifth of a worker's mean load
	marginLeast = 32 * 1024 // bytes per second; less is not worth a move
)

// balance evens out the loads while the counts stay within their bounds: it
// moves a lease to a worker that has one less, or exchanges two.
func (t *table) balance() {
	var total int64
	for _, c := range t.workers {
		total += c.load
		sort.Slice(c.leases, func(i, j int) bool { return t.heavier(c.leases[i], c.leases[j]) })
	}
	margin := max(total/int64(len(t.workers))/marginShare, marginLeast)
	for range 4 * len(t.leases) { // every step lowers the sum of squares; this bounds what a worst case costs
		if !t.improve(margin) {
			return
		}
	}
}

// improve makes the one best step from the heaviest worker that has one to the
// lightest, and tells whether there was one.
func (t *table) improve(margin int64) bool {
	byLoad := append([]*column(nil), t.workers...)
	sort.SliceStable(byLoad, func(i, j int) bool { return byLoad[i].load > byLoad[j].load })
	low := byLoad[len(byLoad)-1]
	for _, high := range byLoad[:len(byLoad)-1] {
		gap := high.load - low.load
		if gap <= margin {
			return false
		}
		give, take, after := t.bestStep(high, low, gap)
		if after <= gap-margin {
			t.exchange(high, low, give, take)
			return true
		}
	}
	return false
}

// bestStep finds the lease of high to give, and the one of low to take for it
// (-1: none), after which their loads are closest: positions and the gap left.
func (t *table) bestStep(high, low *column, gap int64) (give, take int, after int64) {
	give, take, after = -1, -1, gap
	try := func(i, j int, shift int64) {
		if left := abs(gap - 2*shift); left < after {
			give, take, after = i, j, left
		}
	}
	all := len(t.leases)
	if len(high.leases) > len(low.leases) && len(low.leases) < low.room(all) {
		for i := range high.leases {
			try(i, -1, t.leases[high.leases[i]].Load)
		}
	}
	j := 0 // both are sorted, heaviest first: as what is given falls, so does what is taken
	for i := range high.leases {
		given := t.leases[high.leases[i]].Load
		for j < len(low.leases) && 2*(given-t.leases[low.leases[j]].Load) < gap {
			try(i, j, given-t.leases[low.leases[j]].Load)
			j++
		}
		if j < len(low.leases) {
			try(i, j, given-t.leases[low.leases[j]].Load)
		}
		if j > 0 {
			j--
		}
	}
	return give, take, after
}

func (t *table) exchange(high, low *column, give, take int) {
	given := high.leases[give]
	high.leases = append(high.leases[:give], high.leases[give+1:]...)
	high.load -= t.leases[given].Load
	if take >= 0 {
		taken := low.leases[take]
		low.leases = append(low.leases[:take], low.leases[take+1:]...)
		low.load -= t.leases[taken].Load
		t.insert(high, taken)
	}
	t.insert(low, given)
}

// insert keeps the worker's leases sorted.
func (t *table) insert(c *column, lease int) {
	at := sort.Search(len(c.leases), func(i int) bool { return t.heavier(lease, c.leases[i]) })
	c.leases = append(c.leases, 0)
	copy(c.leases[at+1:], c.leases[at:])
	c.leases[at] = lease
	c.load += t.leases[lease].Load
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
