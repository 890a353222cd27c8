// Package grants decides what a consumer reads: it is the consumer's half of
// the protocol in leasekeeper/api/v1.yaml as a state machine, without I/O and
// with explicit time.
//
// The caller sends what Request returns, hands every answer to Answer, calls
// Tick when Next is over, and does what they tell: start a grant, extend it,
// stop it. It says Drained or Ended when a grant has stopped.
//
// What is guaranteed, whatever is lost, late or repeated: a grant is good from
// its start until TTL after the moment the request was sent whose answer last
// contained it, and never again after it was stopped; a shard has one grant
// that is good; a final report is repeated until it was heard.
package grants

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
)

// Key names a grant. Another worker is another life of leasekeeper, and all
// its grants are new.
type Key struct {
	Worker     string
	Shard      string
	Generation int64
}

// Kind is what an Action asks for.
type Kind int

// What is asked for.
const (
	Start  Kind = iota // begin to read Grant, until Deadline
	Extend             // the deadline moves to Deadline
	Stop               // stop reading, finish what is in process, say Drained
)

// Action is something the caller must do.
type Action struct {
	Kind     Kind
	Key      Key
	Grant    contract.Grant // of Start
	Deadline time.Time      // of Start and Extend
}

// Progress is what a report says of a grant beside its state.
type Progress struct {
	Checkpoint       position.Position // zero: nothing is done yet
	LagMS            int64
	BytesPerSecond   int64
	RecordsPerSecond int64
}

type state int

const (
	waiting  state = iota // for an older grant of the shard to stop
	reading               // good
	stopping              // withdrawn or expired; its messages may be in process
	drained
	ended
)

type hold struct {
	key       Key
	grant     contract.Grant
	state     state
	expires   time.Time
	withdrawn bool  // an answer did not contain it
	revision  int64 // of the first such answer
	progress  Progress
	children  []contract.ChildShard
}

func (h *hold) final() bool { return h.state == drained || h.state == ended }

// Machine is the state machine. It is not safe for use by several goroutines.
type Machine struct {
	consumer, version string

	worker   string
	revision int64
	draining bool
	closed   bool // nothing is started any more
	parted   bool // an answer to a request with draining has come
	holds    []*hold
}

// New returns a Machine that holds nothing. consumer is a new UUID, version
// the consumer's.
func New(consumer, version string) *Machine {
	return &Machine{consumer: consumer, version: version}
}

// Request returns the request to send now. Grants of an earlier life of
// leasekeeper are not in it: this one knows nothing of them.
func (m *Machine) Request(wait time.Duration) contract.SyncRequest {
	r := contract.SyncRequest{
		Consumer: m.consumer, Version: m.version, Worker: m.worker, Revision: m.revision,
		WaitMS: wait.Milliseconds(), Draining: m.draining, Shards: []contract.ShardReport{},
	}
	for _, h := range m.holds {
		if h.key.Worker == m.worker && h.state != waiting {
			r.Shards = append(r.Shards, h.report())
		}
	}
	return r
}

func (h *hold) report() contract.ShardReport {
	r := contract.ShardReport{
		Shard: h.key.Shard, Generation: h.key.Generation, State: contract.Reading,
		LagMS: h.progress.LagMS, BytesPerSecond: h.progress.BytesPerSecond, RecordsPerSecond: h.progress.RecordsPerSecond,
	}
	if p := h.progress.Checkpoint; !p.IsZero() {
		r.Checkpoint = &contract.Checkpoint{Sequence: p.Sequence, Sub: p.Sub}
	}
	if h.state == drained {
		r.State = contract.Drained
	}
	if h.state == ended {
		r.State, r.Children = contract.Ended, h.children
	}
	return r
}

// Progress notes how far a grant is done, for the next Request. A checkpoint
// that is behind one noted before is ignored, and so is a grant that has
// stopped.
func (m *Machine) Progress(k Key, p Progress) {
	h := m.find(k)
	if h == nil || h.final() {
		return
	}
	h.advance(p)
}

func (h *hold) advance(p Progress) {
	if p.Checkpoint.Compare(h.progress.Checkpoint) < 0 {
		p.Checkpoint = h.progress.Checkpoint
	}
	h.progress = p
}

// Drained notes that a grant was stopped, that nothing of it is in process any
// more, and its last progress.
func (m *Machine) Drained(k Key, p Progress, now time.Time) []Action {
	return m.finish(k, drained, p, nil, now)
}

// Ended notes that the end of a shard was reached and every message of it is
// done.
func (m *Machine) Ended(k Key, p Progress, children []contract.ChildShard, now time.Time) []Action {
	return m.finish(k, ended, p, children, now)
}

func (m *Machine) finish(k Key, s state, p Progress, children []contract.ChildShard, now time.Time) []Action {
	h := m.find(k)
	if h == nil || h.final() {
		return nil
	}
	h.advance(p)
	h.state, h.children = s, children
	if k.Worker != m.worker {
		m.forget(h) // nobody is there to hear of it
	}
	return m.startWaiting(now)
}

// Drain begins the consumer's end. What is granted, before or after, is read
// until leasekeeper withdraws it, some 1¼ heartbeats later: by then those who take
// over know and wait, and nobody misses the shard for long.
func (m *Machine) Drain() { m.draining = true }

// StopAll stops what is still read, and nothing is started any more: for the end
// of a drain that leasekeeper does not withdraw.
func (m *Machine) StopAll() []Action {
	m.closed = true
	var actions []Action
	for _, h := range m.holds {
		switch h.state {
		case reading:
			actions = append(actions, h.stop())
		case waiting:
			h.state = drained
		case stopping, drained, ended:
		}
	}
	return actions
}

// Parted tells, after Drain, that leasekeeper has heard of the end and of all
// final checkpoints.
func (m *Machine) Parted() bool {
	if !m.parted {
		return false
	}
	for _, h := range m.holds {
		if h.key.Worker == m.worker || !h.final() {
			return false
		}
	}
	return true
}

// Tick stops what has expired.
func (m *Machine) Tick(now time.Time) []Action {
	var actions []Action
	for _, h := range m.holds {
		if h.state == reading && !now.Before(h.expires) {
			actions = append(actions, h.stop())
		}
	}
	return actions
}

// Next returns when Tick must be called next, if ever.
func (m *Machine) Next() (at time.Time, ok bool) {
	for _, h := range m.holds {
		if h.state == reading && (!ok || h.expires.Before(at)) {
			at, ok = h.expires, true
		}
	}
	return at, ok
}

// end stops what is read, and ends what was never started.
func (h *hold) end() []Action {
	if h.state == waiting {
		h.state = drained
	}
	if h.state != reading {
		return nil
	}
	return []Action{h.stop()}
}

func (h *hold) stop() Action {
	h.state = stopping
	return Action{Kind: Stop, Key: h.key}
}

func (m *Machine) find(k Key) *hold {
	for _, h := range m.holds {
		if h.key == k {
			return h
		}
	}
	return nil
}

func (m *Machine) forget(gone *hold) {
	kept := m.holds[:0:0]
	for _, h := range m.holds {
		if h != gone {
			kept = append(kept, h)
		}
	}
	m.holds = kept
}
