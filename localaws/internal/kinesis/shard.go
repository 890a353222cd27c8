package kinesis

import (
	"fmt"
	"sort"
	"sync"
	"time"
)

// record is one stored record. Its bytes are never changed.
type record struct {
	bytes   []byte // the data, then the partition key
	keyLen  uint32
	kms     bool
	arrival int64 // milliseconds since 1970
}

func (r *record) data() []byte { return r.bytes[:len(r.bytes)-int(r.keyLen)] }
func (r *record) key() []byte  { return r.bytes[len(r.bytes)-int(r.keyLen):] }

// shard is a shard and its records. The fields above mu never change.
type shard struct {
	id               string
	number           uint32
	created          int64 // milliseconds; later than that of its parents
	keys             hashRange
	parent, adjacent string

	mu       sync.Mutex
	closed   int64 // milliseconds; 0 while open
	children []*shard
	records  []record
	first    uint64        // index of records[0]; the next one if there are none
	arrival  int64         // of the last record put
	changed  chan struct{} // closed and replaced at every change; nil if nobody waits

	writeRecords, writeBytes, reads, readBytes, iterators bucket
}

func newShard(number uint32, created int64, keys hashRange) *shard {
	return &shard{id: shardID(number), number: number, created: created, keys: keys, first: 1}
}

func shardID(number uint32) string { return fmt.Sprintf("shardId-%012d", number) }

// next is the index the next record gets. It needs mu.
func (s *shard) next() uint64 { return s.first + uint64(len(s.records)) }

func (s *shard) sequence(index uint64, arrivalMS int64) sequence {
	return sequence{created: s.created, index: index, arrival: arrivalMS / 1000, shard: s.number}
}

func (s *shard) startingSequence() string { return s.sequence(0, s.created).String() }

// put appends a record that arrives now and returns its sequence. It needs mu.
func (s *shard) put(bytes []byte, keyLen int, kms bool, nowMS int64) sequence {
	s.arrival = max(s.arrival, nowMS) // arrival times never go back, so that AT_TIMESTAMP can search
	index := s.next()
	s.records = append(s.records, record{bytes: bytes, keyLen: uint32(keyLen), kms: kms, arrival: s.arrival})
	return s.sequence(index, s.arrival)
}

// wake tells those who wait for a change. It needs mu.
func (s *shard) wake() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// wait returns a channel that is closed at the next change. It needs mu.
func (s *shard) wait() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// close ends the shard in favor of its children.
func (s *shard) close(nowMS int64, children ...*shard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = max(nowMS, s.created)
	s.children = children
	s.wake()
}

// closedAsOf is when the shard was closed, 0 if it was open at the time. It needs
// mu.
func (s *shard) closedAsOf(asOf int64) int64 {
	if s.closed > asOf {
		return 0
	}
	return s.closed
}

// expired tells whether the shard was closed before the horizon: its last
// record is gone, and the shard with it.
func (s *shard) expired(horizonMS int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed != 0 && s.closed < horizonMS
}

// trim forgets records older than the horizon. It needs mu. Slices handed out
// before stay valid.
func (s *shard) trim(horizonMS int64) {
	if len(s.records) == 0 || s.records[0].arrival >= horizonMS {
		return
	}
	n := s.search(horizonMS)
	kept := s.records[n:]
	if n > len(s.records)/4 { // else appending will copy the kept ones some day
		kept = append(make([]record, 0, len(kept)), kept...)
	}
	s.records = kept
	s.first += uint64(n)
}

// search returns the place of the first record that arrived at ms or later. It
// needs mu.
func (s *shard) search(ms int64) int {
	return sort.Search(len(s.records), func(i int) bool { return s.records[i].arrival >= ms })
}

// batch is what one read finds.
type batch struct {
	shard   *shard
	index   uint64 // of records[0]
	records []record
	bytes   int
	next    uint64 // index to go on from
	behind  time.Duration
	ended   bool // the shard is closed and everything of it was read
	changed <-chan struct{}
}

// read returns at most limit records and about maxBytes from index on.
func (s *shard) read(index uint64, limit, maxBytes int, horizonMS, nowMS int64, wantChanged bool) batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim(horizonMS)
	index = max(index, s.first)
	b := batch{shard: s, index: index}
	if index < s.next() {
		b.records = s.records[index-s.first:]
	}
	b.cut(limit, maxBytes)
	b.next = index + uint64(len(b.records))
	if b.next < s.next() {
		last := s.records[max(b.next, s.first+1)-1-s.first].arrival     // of the record before the next one, if there is one
		b.behind = time.Duration(max(1, nowMS-last)) * time.Millisecond // zero would say that nothing is left
	}
	b.ended = s.closed != 0 && b.next >= s.next()
	if wantChanged {
		b.changed = s.wait()
	}
	return b
}

// cut keeps what fits; the first record always does.
func (b *batch) cut(limit, maxBytes int) {
	b.records = b.records[:min(limit, len(b.records))]
	for i := range b.records {
		size := len(b.records[i].bytes)
		if i > 0 && b.bytes+size > maxBytes {
			b.records = b.records[:i]
			return
		}
		b.bytes += size
	}
}
