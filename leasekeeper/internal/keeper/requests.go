package keeper

import (
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// requests is what operators ask of the fleet in the `#stream` row, as this
// worker saw it in its scans, and how far it is carried out here
// (docs/DESIGN.md, Requests). Only the owner of a lease acts on it (A12).
type requests struct {
	*life
	version  int64 // of what was seen last
	paused   bool  // every lease is kept and none granted, claimed or planned
	released bool  // this worker publishes DRAINING, hands over what others can take, and stays
	rewind   *lease.Rewind
	done     int64 // the version that is carried out; in the worker's row

	asking     *lease.Asking // what the rewind asks of the rows as they are; nil: to be made
	sweeping   bool
	sweepTimer *timer
}

// seen takes over what a scan showed. Scans are consistent and one after the
// other, so none is older than the one before.
func (r *requests) seen(row *lease.Stream) {
	if row == nil || row.Requests == r.version {
		return
	}
	r.version = row.Requests
	paused, released := row.Paused, slices.Contains(row.Released, r.self.id)
	if paused != r.paused {
		r.told(paused, "paused", "resumed")
	}
	if released != r.released {
		r.told(released, "released", "taken back")
	}
	changed := released != r.released
	r.paused, r.released, r.rewind, r.asking = paused, released, row.Rewind, nil
	r.planning.stale, r.dirty = true, true
	if changed {
		r.self.publish()
	}
}

func (r *requests) told(on bool, yes, no string) {
	what := no
	if on {
		what = yes
	}
	r.note(Info, "asked by an operator", Field{"worker", r.self.id}, Field{"request", r.version}, Field{"what", what})
	r.move(what+" by an operator", "", "", r.self.id)
}

// report has the worker's row say that the latest request is carried out, once
// it is.
func (r *requests) report() {
	if r.done == r.version || r.exited || r.leaving || !r.carriedOut() {
		return
	}
	r.done = r.version
	r.self.publish()
}

// carriedOut tells, while paused, whether no grant can be live, and else whether
// nothing is kept back. That a released worker has nothing left is in its row.
func (r *requests) carriedOut() bool {
	if len(r.claims) > 0 {
		return false
	}
	for _, h := range r.holdings {
		if !r.paused && h.phase == serving && r.asks(h.row) {
			return false
		}
		if r.paused && (h.phase == serving || !h.isOver()) || !r.paused && h.phase == withdrawn {
			return false
		}
	}
	for _, until := range r.over {
		if r.paused && r.now < until {
			return false
		}
	}
	return true
}
