package dispatch

// Lanes is lanes with messages of its own, for the tests of this package.
type Lanes struct {
	lanes lanes
	chunk chunk
}

// NewLanes returns Lanes with so many buckets and messages with these hashes.
func NewLanes(buckets int, hashes []uint64) *Lanes {
	l := &Lanes{lanes: newLanes(buckets)}
	for _, h := range hashes {
		l.chunk.links = append(l.chunk.links, link{lane: h})
	}
	return l
}

// Add adds the message at a place, and returns the place of the one before.
func (l *Lanes) Add(place int) (last int, busy bool) {
	f, busy := l.lanes.add(ref{&l.chunk, place})
	return f.place, busy
}

// Remove removes the message at a place.
func (l *Lanes) Remove(place int) { l.lanes.remove(ref{&l.chunk, place}) }
