package account

import (
	"sort"
	"strconv"
)

// Positions is a set of message positions. The zero value is empty.
type Positions struct {
	all    []int64
	sorted bool
}

// Add puts in one position.
func (p *Positions) Add(position int64) {
	p.all = append(p.all, position)
	p.sorted = false
}

// Len is the number of positions added.
func (p *Positions) Len() int { return len(p.all) }

// Ranges returns the positions in order, neighbors joined: "3", "17-42". At
// most limit of them; 0 means all.
func (p *Positions) Ranges(limit int) []string {
	if !p.sorted {
		sort.Slice(p.all, func(i, j int) bool { return p.all[i] < p.all[j] })
		p.sorted = true
	}
	ranges := []string{}
	for i := 0; i < len(p.all) && (limit == 0 || len(ranges) < limit); {
		j := i
		for j+1 < len(p.all) && p.all[j+1] <= p.all[j]+1 {
			j++
		}
		text := strconv.FormatInt(p.all[i], 10)
		if p.all[j] > p.all[i] {
			text += "-" + strconv.FormatInt(p.all[j], 10)
		}
		ranges = append(ranges, text)
		i = j + 1
	}
	return ranges
}
