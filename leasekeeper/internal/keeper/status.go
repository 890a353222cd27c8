package keeper

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Counts are what happened since the start, and what is now, for metrics.
type Counts struct {
	Lives, Beats, BeatFailures, Evictions, ScanFailures               int64
	Claims, ClaimsRefused, Releases, Lost, Finished                   int64
	Checkpoints, WriteFailures, Plans, Discoveries, DiscoveryFailures int64
	Syncs, Trimmed                                                    int64

	Held, Served, Workers, Leases int64         // now
	Valid                         time.Duration // now: what is left of V; 0 or less: leases are over
	MaxLagMillis                  int64         // now: of the leases held
	Ready                         bool          // now
}

// Counts returns the counters and gauges at time now.
func (k *Keeper) Counts(now time.Duration) Counts {
	c := k.counts
	l := k.life
	if l == nil {
		return c
	}
	c.Held, c.Leases, c.Valid = int64(len(l.holdings)), int64(len(l.view.rows)), l.self.until-now
	for _, h := range l.holdings {
		if h.phase == serving {
			c.Served++
		}
		c.MaxLagMillis = max(c.MaxLagMillis, h.lagMillis)
	}
	for _, row := range l.peers.rows {
		if row.State != lease.Evicted {
			c.Workers++
		}
	}
	reason := k.notReady(now)
	c.Ready = reason == ""
	return c
}

// notReady says in a few words why this worker is not ready; empty when it is.
func (k *Keeper) notReady(now time.Duration) string {
	l := k.life
	switch {
	case k.exited || k.leaving:
		return "leaving"
	case l == nil || l.self.row == nil:
		return "joining: not registered yet"
	case !l.self.good || now >= l.self.until:
		return "heartbeats do not land: is the worker table reachable?"
	case l.peers.stream == nil && l.discovery.err != nil:
		return "the stream's shards could not be listed: " + l.discovery.err.Error()
	case !l.view.known || l.peers.stream == nil:
		return "the tables were not read yet"
	case l.requests.paused:
		return "paused: nothing is read until leasekeeper resume"
	case l.requests.released:
		return "released: takes no leases until leasekeeper resume " + l.self.id
	case l.view.frozen():
		return "leases of a KCL application are alive: nothing is claimed"
	case !l.session.ready():
		return "no consumer is attached"
	}
	return l.lagging(now)
}

// stalled is how long a shard may stand still behind its stream, or a lease
// that is planned here not be held, before readiness says so.
const stalled = time.Minute

// lagging names a shard that should be read here and is not, or does not get on.
func (l *life) lagging(now time.Duration) string {
	for _, s := range l.view.leases {
		if s.free != nil && l.planning.mine(s.outlook) && now-s.free.since > stalled {
			return "shard " + s.shard + " is planned here and not held"
		}
		h := l.holdings[s.shard]
		switch {
		case h == nil || now-h.progressAt <= stalled:
		case h.phase == serving:
			return "shard " + s.shard + " stands still behind its stream: is the consumer stuck?"
		case h.phase == finishing:
			return "shard " + s.shard + " was read to its end, which waits for the stream's list to show its children"
		}
	}
	return ""
}

// Status returns what is known at time now. It costs time in proportion to all
// leases and workers and is for people, not for every event.
func (k *Keeper) Status(now time.Duration) contract.Status {
	s := contract.Status{
		Version: k.cfg.Version, Worker: k.Worker(), Stream: k.cfg.Stream, Now: k.cfg.Epoch.Add(now).UTC(),
		Reason: k.notReady(now), Workers: []contract.WorkerStatus{}, Leases: []contract.LeaseStatus{}, Moves: []contract.Move{},
	}
	s.Ready = s.Reason == ""
	for i := len(k.moves) - 1; i >= 0 && len(s.Moves) < movesKept; i-- {
		s.Moves = append(s.Moves, k.moves[i])
	}
	if k.life != nil {
		s.Workers = k.life.workerStatus(now)
		s.Leases = k.life.leaseStatus(now)
	}
	return s
}

func (l *life) workerStatus(now time.Duration) []contract.WorkerStatus {
	list := make([]contract.WorkerStatus, 0, len(l.peers.rows))
	for id, row := range l.peers.rows {
		w := contract.WorkerStatus{Worker: id, State: string(row.State), Ready: row.Ready, Version: row.Version,
			StartedAt: row.StartedAt, Leases: l.leasesOf(row)}
		switch {
		case id == l.self.id && l.self.row != nil:
			w.State, w.Ready, w.Leases = string(l.self.row.State), l.session.ready(), len(l.holdings)
			w.HeartbeatAgeMS = (now - l.self.until + l.cfg.validity()).Milliseconds()
		case row.State == lease.Evicted:
			w.Leases = 0
		default:
			if _, since, seen := l.peers.counters.Watched(id); seen {
				w.HeartbeatAgeMS = (now - since).Milliseconds()
			}
		}
		list = append(list, w)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Worker < list[j].Worker })
	return list
}

// leasesOf counts the leases a worker says it holds or, where it cannot be
// understood, those whose rows name it.
func (l *life) leasesOf(worker *lease.Worker) int {
	if worker.HeldErr == nil {
		return len(worker.Held)
	}
	n := 0
	for _, seen := range l.view.rows {
		if seen.row.Owner == worker.ID {
			n++
		}
	}
	return n
}

func (l *life) leaseStatus(now time.Duration) []contract.LeaseStatus {
	told := make(map[string]lease.Held)
	for _, row := range l.peers.rows {
		for _, held := range row.Held {
			if row.State != lease.Evicted && held.Generation >= told[held.Shard].Generation {
				told[held.Shard] = held
			}
		}
	}
	list := make([]contract.LeaseStatus, 0, len(l.view.leases))
	for _, seen := range l.view.leases {
		row, shard := seen.row, seen.shard
		s := contract.LeaseStatus{Shard: shard, Owner: row.Owner, Generation: row.Counter, Checkpoint: row.Checkpoint.Sequence,
			Sub: row.Checkpoint.Sub, State: contract.LeaseUnowned, Parents: list0(row.Parents), Children: list0(row.Children)}
		held, isHeld := seen.held(row)
		if to := seen.planned; to != row.Owner {
			s.PlannedFor = to
		}
		switch h := l.holdings[shard]; {
		case row.Finished():
			s.State, s.PlannedFor = contract.LeaseFinished, ""
		case h != nil:
			s.State, s.Owner, s.Generation = heldState(h.moving || h.phase == withdrawn), l.self.id, h.generation
			s.Checkpoint, s.Sub = h.best().Sequence, h.best().Sub
			s.LagMS, s.BytesPerSecond, s.AgeMS = h.lagMillis, h.bytesPerSecond, (now - h.claimedAt).Milliseconds()
		case isHeld:
			s.State, s.Owner, s.Generation = heldState(held.moving), held.worker, held.generation
			s.LagMS, s.BytesPerSecond, s.AgeMS = told[shard].LagMillis, told[shard].BytesPerSecond, (now - held.since).Milliseconds()
		case l.peers.unreadable(row.Owner):
			s.State = contract.LeaseHeld
		case l.view.waitsForParents(row):
			s.State = contract.LeaseWaiting
		}
		list = append(list, s)
	}
	return list
}

func heldState(draining bool) string {
	if draining {
		return contract.LeaseDraining
	}
	return contract.LeaseHeld
}

func list0(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
