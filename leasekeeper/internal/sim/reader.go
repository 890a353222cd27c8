package sim

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
)

// reader is a consumer that keeps the contract of leasekeeper/api/v1.yaml.
type reader struct {
	process
	task     *task
	id       string
	worker   string
	revision int64
	draining bool
	parted   bool // an answer to a request with draining has come
	holds    []*hold

	call     uint64 // id of the open sync; 0: none
	sent     time.Duration
	request  contract.SyncRequest
	failures int
}

type holdState int

const (
	waiting  holdState = iota // for an older grant of the shard to stop
	reading                   // good until it expires
	stopping                  // withdrawn or expired
	drained
	ended
)

// hold is one grant at the reader.
type hold struct {
	reader     *reader
	worker     string
	shard      *shard
	generation int64
	start      contract.Start
	state      holdState
	expires    time.Duration // on the reader's clock
	dies       time.Duration // the same in true time
	position   int64         // messages done
	at         time.Duration // true time at which position was true
	withdrawn  bool
	revision   int64 // of the first answer without it
	spurious   bool  // it believes that the shard is gone
}

// live tells whether messages may be processed under the hold now.
func (h *hold) live(now time.Duration) bool {
	return (h.state == reading || h.state == stopping) && now < h.dies && !h.reader.dead
}

const (
	progressEvery = 500 * time.Millisecond
	waitMS        = 2000
	catchUp       = 20 // how much faster than they arrive messages are processed
)

func (t *task) startReader() {
	w := t.w
	r := &reader{process: newProcess(w, t.rate), task: t}
	w.nextID++
	r.id = uuidOf(w.nextID)
	t.reader = r
	w.tracef("%s consumer %s starts, clock rate %.3f", t.name, r.id, r.clock.rate)
	r.after(w.between(0, 300*time.Millisecond), r.sync)
	r.after(progressEvery, r.tick)
}

// stop is SIGKILL of the reader alone.
func (r *reader) stop() {
	r.kill()
}

func (r *reader) drain() {
	r.draining = true
	r.urgent()
}

// sync sends what is held and how far it is, one call at a time.
func (r *reader) sync() {
	if r.call != 0 || r.dead {
		return
	}
	r.advance()
	r.w.nextID++
	id := r.w.nextID
	r.call, r.sent = id, r.now()
	r.request = contract.SyncRequest{Consumer: r.id, Version: "sim", Worker: r.worker, Revision: r.revision, WaitMS: waitMS, Draining: r.draining}
	for _, h := range r.holds {
		if h.worker == r.worker && h.state != waiting {
			r.request.Shards = append(r.request.Shards, h.report(r.w))
		}
	}
	r.task.call(r, id, r.request)
	r.after(waitMS*time.Millisecond+time.Second, func() { // hung
		if r.call == id {
			r.task.hangUp(id)
			r.failed(id)
		}
	})
}

// urgent cuts the open call short: there is something to say.
func (r *reader) urgent() {
	if r.call != 0 {
		r.task.hangUp(r.call)
		r.call = 0
	}
	r.sync()
}

func (r *reader) failed(id uint64) {
	if r.call != id {
		return
	}
	r.call = 0
	r.failures++
	r.after(r.w.between(20*time.Millisecond, min(time.Duration(r.failures)*50*time.Millisecond, 500*time.Millisecond)), r.sync)
}

func (h *hold) report(w *world) contract.ShardReport {
	report := contract.ShardReport{
		Shard: h.shard.id, Generation: h.generation, State: contract.Reading, Checkpoint: h.shard.checkpoint(h.position),
		BytesPerSecond: int64(h.shard.rate * 1000), LagMS: 100,
	}
	switch h.state {
	case waiting, reading, stopping:
	case drained:
		report.State = contract.Drained
	case ended:
		report.State = contract.Ended
		if !h.spurious && !h.shard.trimmed {
			report.Children = w.stream.children(h.shard)
		}
	}
	return report
}

// reply carries an answer over the loopback.
func (r *reader) reply(a keeper.Reply) {
	w := r.w
	if w.chance(w.weather.unheard / 4) {
		w.after(w.between(0, time.Second), func() { r.run(func() { r.failed(a.ID) }) })
		return
	}
	w.after(w.loopback(), func() {
		r.run(func() {
			if r.call != a.ID {
				return
			}
			if a.Refusal != nil {
				r.failed(a.ID)
				return
			}
			r.call, r.failures = 0, 0
			r.answer(a.Response)
		})
	})
}

// answer applies everything the reader should hold, and calls again.
func (r *reader) answer(a *contract.SyncResponse) {
	if a.Worker == r.worker && a.Revision < r.revision {
		r.sync()
		return
	}
	r.expire()
	if a.Worker != r.worker {
		r.worker = a.Worker
		for _, h := range r.holds {
			r.withdraw(h)
		}
	}
	r.revision = a.Revision
	r.parted = r.parted || r.request.Draining
	deadline := r.sent + time.Duration(a.TTLMS)*time.Millisecond
	granted := make(map[string]int64, len(a.Grants))
	for _, g := range a.Grants {
		granted[g.Shard] = g.Generation
		r.grant(g, deadline)
	}
	r.forgetHeard(granted)
	for _, h := range r.holds {
		if h.worker == r.worker && granted[h.shard.id] != h.generation {
			if !h.withdrawn {
				h.withdrawn, h.revision = true, a.Revision
			}
			r.withdraw(h)
		}
	}
	r.startWaiting()
	if r.draining && r.parted && len(r.holds) == 0 {
		r.w.tracef("%s consumer has nothing left and exits", r.task.name)
		r.stop()
		return
	}
	r.sync()
}

func (r *reader) grant(g contract.Grant, deadline time.Duration) {
	for _, h := range r.holds {
		if h.shard.id != g.Shard || h.worker != r.worker {
			continue
		}
		if h.generation > g.Generation {
			return
		}
		if h.generation == g.Generation {
			if (h.state == reading || h.state == waiting) && deadline > h.expires {
				h.expires, h.dies = deadline, r.clock.trueAt(deadline)
				r.w.check.extended(h)
			}
			return
		}
	}
	h := &hold{reader: r, worker: r.worker, shard: r.w.stream.byID[g.Shard], generation: g.Generation, start: g.Start, expires: deadline, dies: r.clock.trueAt(deadline)}
	r.holds = append(r.holds, h)
}

// startWaiting starts what waited for an older grant of its shard to stop.
func (r *reader) startWaiting() {
	for _, h := range r.holds {
		if h.state != waiting || r.now() >= h.expires || r.busy(h.shard) {
			continue
		}
		h.state, h.at = reading, r.w.now
		h.position = r.w.check.started(h)
		r.expireAt(h)
	}
}

func (r *reader) busy(s *shard) bool {
	for _, h := range r.holds {
		if h.shard == s && (h.state == reading || h.state == stopping) {
			return true
		}
	}
	return false
}

// forgetHeard drops what the answered request reported final, knowing of its withdrawal.
func (r *reader) forgetHeard(granted map[string]int64) {
	kept := r.holds[:0]
	for _, h := range r.holds {
		final := h.state == drained || h.state == ended
		if final && (h.worker != r.worker || h.withdrawn && granted[h.shard.id] != h.generation && r.request.Revision >= h.revision && r.reported(h)) {
			continue
		}
		kept = append(kept, h)
	}
	r.holds = kept
}

func (r *reader) reported(h *hold) bool {
	for _, s := range r.request.Shards {
		if s.Shard == h.shard.id && s.Generation == h.generation && s.State != contract.Reading && r.request.Worker == h.worker {
			return true
		}
	}
	return false
}
