package account

import (
	"slices"
	"sort"
	"strconv"
)

// maxRanges bounds a set's ranges: two such lists of twelve-digit positions stay
// under 256 KiB, the most that CloudWatch Logs and others take as one line.
const maxRanges = 4000

// span is the positions from first to last.
type span struct{ first, last int64 }

// Positions is a set of message positions in bounded memory: neighbors join, and
// what would be one range too many is counted only. The zero value is empty.
type Positions struct {
	spans   []span // in order, with a gap between each two
	added   int64
	unnamed int64
}

// Add puts in one position.
func (p *Positions) Add(position int64) {
	p.added++
	at := sort.Search(len(p.spans), func(i int) bool { return p.spans[i].last >= position-1 })
	if at < len(p.spans) && p.spans[at].first <= position+1 {
		p.extend(at, position)
		return
	}
	if len(p.spans) >= maxRanges {
		p.unnamed++
		return
	}
	p.spans = slices.Insert(p.spans, at, span{position, position})
}

// extend adds a position within or beside a range; the next one may join it.
func (p *Positions) extend(at int, position int64) {
	s := &p.spans[at]
	s.first, s.last = min(s.first, position), max(s.last, position)
	if at+1 < len(p.spans) && p.spans[at+1].first <= s.last+1 {
		s.last = p.spans[at+1].last
		p.spans = slices.Delete(p.spans, at+1, at+2)
	}
}

// Len is the number of positions added.
func (p *Positions) Len() int64 { return p.added }

// Unnamed is how many of them Ranges does not name.
func (p *Positions) Unnamed() int64 { return p.unnamed }

// Ranges returns the positions in order, neighbors joined: "3", "17-42".
func (p *Positions) Ranges() []string {
	ranges := make([]string, 0, len(p.spans))
	for _, s := range p.spans {
		text := strconv.FormatInt(s.first, 10)
		if s.last > s.first {
			text += "-" + strconv.FormatInt(s.last, 10)
		}
		ranges = append(ranges, text)
	}
	return ranges
}
