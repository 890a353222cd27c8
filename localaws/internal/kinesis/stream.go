package kinesis

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// States of a stream or consumer.
const (
	statusCreating = "CREATING"
	statusActive   = "ACTIVE"
	statusUpdating = "UPDATING"
	statusDeleting = "DELETING"
)

const defaultRetentionHours = 24

// stream is a stream. name, arn, id and created never change; mu guards the rest
// and is taken before the mu of a shard.
type stream struct {
	name    string
	arn     string
	id      string
	created int64 // milliseconds

	mu         sync.RWMutex
	phase      string // CREATING, UPDATING or DELETING until settled
	settled    int64  // milliseconds
	deleted    chan struct{}
	gone       bool
	shards     []*shard // all, by number, closed ones until they expire
	open       []*shard // by hash key
	nextShard  uint32
	hours      int // of retention
	maxRecord  int // KiB
	mode       string
	encryption string
	keyID      string
	metrics    []string
	tags       map[string]string
	warmMiBps  int
	consumers  []*consumer      // some may be gone already
	stamps     map[string]int64 // second in the ARN of the last consumer of a name
	scalings   []int64          // when UpdateShardCount was called
}

// status at the given time. It needs mu.
func (st *stream) status(now int64) string {
	if now < st.settled || st.phase == statusDeleting {
		return st.phase
	}
	return statusActive
}

// change puts the stream into a passing state, if it is to last at all. It needs
// mu.
func (st *stream) change(phase string, now, transition int64) {
	st.phase, st.settled = phase, now+transition
	if transition == 0 && phase != statusDeleting {
		st.phase = statusActive // whatever the clock does
	}
}

// destroy ends whatever waits on the stream.
func (st *stream) destroy() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.gone {
		st.gone = true
		close(st.deleted)
	}
}

// horizon is the time from which on records are kept. It needs mu.
func (st *stream) horizon(now int64) int64 {
	return now - int64(st.hours)*time.Hour.Milliseconds()
}

// expire drops closed shards all of whose records are past the horizon. It
// needs mu for writing.
func (st *stream) expire(now int64) {
	horizon := st.horizon(now)
	st.shards = slices.DeleteFunc(st.shards, func(sh *shard) bool { return sh.expired(horizon) })
}

// shardFor finds the open shard of a hash key. It needs mu.
func (st *stream) shardFor(k hashKey) *shard {
	i := sort.Search(len(st.open), func(i int) bool { return st.open[i].keys.end.compare(k) >= 0 })
	return st.open[i]
}

// shard finds a shard by its id, unless it is past the horizon. It needs mu.
func (st *stream) shard(id string, now int64) (*shard, error) {
	for _, sh := range st.shards {
		if sh.id == id && !sh.expired(st.horizon(now)) {
			return sh, nil
		}
	}
	return nil, wire.Errorf(codeNotFound, "Shard %s in stream %s under account %s does not exist", id, st.name, wire.Account)
}

// add makes a new open shard out of parents, of which there may be none. It needs
// mu; the caller sorts open when done.
func (st *stream) add(keys hashRange, now int64, parents ...*shard) *shard {
	for _, p := range parents {
		now = max(now, p.created+1)
	}
	sh := newShard(st.nextShard, now, keys)
	st.nextShard++
	if len(parents) > 0 {
		sh.parent = parents[0].id
	}
	if len(parents) > 1 {
		sh.adjacent = parents[1].id
	}
	st.shards = append(st.shards, sh)
	st.open = append(st.open, sh)
	return sh
}

// sortOpen brings open shards into the order of their hash keys. It needs mu.
func (st *stream) sortOpen() {
	slices.SortFunc(st.open, func(a, b *shard) int { return a.keys.start.compare(b.keys.start) })
}

// streamRef is how requests name a stream.
type streamRef struct {
	StreamName *string
	StreamARN  *string
}

// lookup finds the stream a request names, whatever its status. An ARN is that
// of one region and account.
func (s *Service) lookup(ref streamRef) (*stream, error) {
	name, err := s.nameOf(ref)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	st := s.streams[name]
	s.mu.RUnlock()
	if st == nil || st.over(s.now()) || ref.StreamARN != nil && *ref.StreamARN != st.arn {
		return nil, notFound(name)
	}
	return st, nil
}

// over tells whether a deletion is done.
func (st *stream) over(now int64) bool {
	st.mu.RLock()
	defer st.mu.RUnlock()
	return st.phase == statusDeleting && now >= st.settled
}

func notFound(name string) *wire.Error {
	return wire.Errorf(codeNotFound, "Stream %s under account %s not found.", name, wire.Account)
}

func (s *Service) nameOf(ref streamRef) (string, error) {
	var c checks
	c.text("streamName", ref.StreamName, 128, s.patterns.name)
	c.text("streamARN", ref.StreamARN, 2048, s.patterns.arn)
	if err := c.err(); err != nil {
		return "", err
	}
	switch {
	case ref.StreamARN != nil:
		_, name, _ := strings.Cut(*ref.StreamARN, ":stream/")
		if ref.StreamName != nil && *ref.StreamName != name {
			return "", invalid("StreamARN %s does not match StreamName %s.", *ref.StreamARN, *ref.StreamName)
		}
		return name, nil
	case ref.StreamName != nil:
		return *ref.StreamName, nil
	}
	return "", invalid("Either StreamName or StreamARN must be specified.")
}
