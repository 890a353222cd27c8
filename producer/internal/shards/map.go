package shards

import (
	"fmt"
	"math"
	"sort"
)

// Range is one open shard with the hash keys it takes, both ends included.
type Range struct {
	ID         string
	Start, End Hash
}

// Map tells for every hash key which open shard takes it. It does not change.
type Map struct {
	ranges []Range
	closed []Range
}

// Whole is the map for a stream whose shards are not known: one nameless shard
// that takes everything.
func Whole() *Map {
	return &Map{ranges: []Range{{End: Hash{math.MaxUint64, math.MaxUint64}}}}
}

// NewMap returns the map of the given open shards; closed ones are only known
// by Range. The open ones must cover every hash
// key once; they do not for a moment while a stream is being resharded, and
// the error then says where the gap is.
func NewMap(open, closed []Range) (*Map, error) {
	ranges := append([]Range(nil), open...)
	sort.Slice(ranges, func(i, j int) bool { return ranges[i].Start.Less(ranges[j].Start) })
	if len(ranges) == 0 {
		return nil, fmt.Errorf("map shards: no open shard")
	}
	var want Hash
	for i, r := range ranges {
		if r.Start != want || r.End.Less(r.Start) {
			return nil, fmt.Errorf("map shards: %s begins at hash key %s, want %s", r.ID, r.Start.Decimal(), want.Decimal())
		}
		if want = r.End.next(); want == (Hash{}) && i != len(ranges)-1 {
			return nil, fmt.Errorf("map shards: %s overlaps", ranges[i+1].ID)
		}
	}
	if want != (Hash{}) {
		return nil, fmt.Errorf("map shards: no shard from hash key %s on", want.Decimal())
	}
	return &Map{ranges: ranges, closed: closed}, nil
}

// Len is the number of open shards.
func (m *Map) Len() int { return len(m.ranges) }

// Find returns the index, from 0 to Len()-1, of the shard that takes h.
func (m *Map) Find(h Hash) int {
	low, high := 0, len(m.ranges)-1
	for low < high {
		mid := (low + high) / 2
		if m.ranges[mid].End.Less(h) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// ID names the shard with that index; empty when it is not known.
func (m *Map) ID(index int) string { return m.ranges[index].ID }

// Range returns the range of the named shard, open or closed.
func (m *Map) Range(id string) (Range, bool) {
	for _, list := range [][]Range{m.ranges, m.closed} {
		for _, r := range list {
			if r.ID == id {
				return r, true
			}
		}
	}
	return Range{}, false
}

// Contains tells whether the range takes h.
func (r Range) Contains(h Hash) bool { return !h.Less(r.Start) && !r.End.Less(h) }

// Same tells whether both maps have the same open shards.
func (m *Map) Same(other *Map) bool {
	if len(m.ranges) != len(other.ranges) {
		return false
	}
	for i, r := range m.ranges {
		if r != other.ranges[i] {
			return false
		}
	}
	return true
}
