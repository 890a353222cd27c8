package grants

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// Answer applies the answer to request, which was sent at sent. An answer that
// is older than one applied before does nothing.
func (m *Machine) Answer(request contract.SyncRequest, sent, now time.Time, answer contract.SyncResponse) []Action {
	if answer.Worker == m.worker && answer.Revision < m.revision {
		return nil
	}
	actions := m.Tick(now) // what has run out before the answer came is not renewed by it
	if answer.Worker != m.worker {
		actions = append(actions, m.change(answer.Worker)...)
	}
	m.revision = answer.Revision
	if request.Draining {
		m.parted = true
	}
	deadline := sent.Add(time.Duration(answer.TTLMS) * time.Millisecond)
	granted := make(map[Key]bool, len(answer.Grants))
	for _, g := range answer.Grants {
		k := Key{Worker: answer.Worker, Shard: g.Shard, Generation: g.Generation}
		granted[k] = true
		actions = append(actions, m.grant(k, g, deadline)...)
	}
	actions = append(actions, m.withdraw(granted, request)...)
	return append(actions, m.startWaiting(now)...)
}

// change begins with another life of leasekeeper: nothing of the one before is
// good any more, or reported.
func (m *Machine) change(worker string) []Action {
	m.worker = worker
	var actions []Action
	kept := m.holds[:0:0]
	for _, h := range m.holds {
		if h.state == reading {
			actions = append(actions, h.stop())
		}
		if h.state == stopping {
			kept = append(kept, h)
		}
	}
	m.holds = kept
	return actions
}

// grant applies one grant of an answer: it renews one that is held, and notes
// a new one.
func (m *Machine) grant(k Key, g contract.Grant, deadline time.Time) []Action {
	if h := m.find(k); h != nil {
		if (h.state != reading && h.state != waiting) || !deadline.After(h.expires) {
			return nil
		}
		h.expires = deadline
		if h.state == waiting {
			return nil
		}
		return []Action{{Kind: Extend, Key: k, Deadline: deadline}}
	}
	for _, h := range m.holds {
		if h.key.Worker == k.Worker && h.key.Shard == k.Shard && h.key.Generation > k.Generation {
			return nil // older than what was granted already
		}
	}
	h := &hold{key: k, grant: g, state: waiting, expires: deadline}
	if m.closed {
		h.state = drained // never started
	}
	m.holds = append(m.holds, h)
	return nil
}

// withdraw stops what an answer does not contain, and forgets what was
// reported final in a request that already knew that it was withdrawn.
func (m *Machine) withdraw(granted map[Key]bool, request contract.SyncRequest) []Action {
	reported := make(map[Key]bool, len(request.Shards))
	for _, s := range request.Shards {
		if s.State != contract.Reading {
			reported[Key{Worker: request.Worker, Shard: s.Shard, Generation: s.Generation}] = true
		}
	}
	var actions []Action
	var heard []*hold
	for _, h := range m.holds {
		if h.key.Worker != m.worker || granted[h.key] {
			continue
		}
		if h.final() && h.withdrawn && reported[h.key] && request.Revision >= h.revision {
			heard = append(heard, h)
			continue
		}
		if !h.withdrawn {
			h.withdrawn, h.revision = true, m.revision
		}
		actions = append(actions, h.end()...)
	}
	for _, h := range heard {
		m.forget(h)
	}
	return actions
}

// startWaiting starts the grants whose shard has no other one left that may
// have messages in process.
func (m *Machine) startWaiting(now time.Time) []Action {
	var actions []Action
	for _, h := range m.holds {
		if h.state != waiting || !now.Before(h.expires) || m.busy(h) {
			continue
		}
		h.state = reading
		actions = append(actions, Action{Kind: Start, Key: h.key, Grant: h.grant, Deadline: h.expires})
	}
	return actions
}

func (m *Machine) busy(h *hold) bool {
	for _, other := range m.holds {
		if other.key.Shard == h.key.Shard && (other.state == reading || other.state == stopping) {
			return true
		}
	}
	return false
}
