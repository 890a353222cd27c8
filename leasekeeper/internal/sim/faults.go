package sim

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// storm plans the faults of the schedule and returns when the last of them is over.
func (w *world) storm() time.Duration {
	switch w.sc.kind {
	case kindSingle:
		return w.singleFault()
	case kindOutage:
		return w.tableOutage()
	}
	start, last := w.now, w.now+w.sc.storm
	if w.chance(0.7) {
		w.weather = foul()
	}
	for range w.sc.faults {
		w.at(start+w.between(0, w.sc.storm), func() { w.fault() })
	}
	return last
}

// fault is one fault of any kind that the schedule knows.
func (w *world) fault() {
	switch {
	case w.sc.kind == kindDeploy:
		w.scale()
	case w.sc.kind == kindReshard && w.chance(0.7):
		w.reshard()
	case w.sc.kind == kindOperate && w.chance(0.5):
		w.operator.ask()
	case w.sc.kind == kindOperate && w.chance(0.5):
		w.reshard()
	default:
		w.taskFault()
	}
}

// taskFault is one that befalls a task, the tables or the stream.
func (w *world) taskFault() {
	t := w.someTask()
	if t == nil {
		return
	}
	long := w.between(w.sc.duration/2, 3*w.sc.duration)
	switch w.rng.IntN(14) {
	case 0:
		w.crashTask(t, long)
	case 1:
		w.crashKeeper(t, w.between(0, long))
	case 2:
		w.crashReader(t, w.between(0, long))
	case 3:
		w.pauseKeeper(t, long)
	case 4:
		w.pauseReader(t, long)
	case 5:
		w.pauseKeeper(t, long)
		w.pauseReader(t, long)
	case 6:
		w.isolate(t, long)
	case 7:
		w.outage(long)
	case 8:
		w.reshard()
	case 9:
		w.scale()
	case 10:
		if w.sc.kind != kindOperate && w.chance(0.3) {
			w.loseWorkerTable(long)
		} else {
			w.loseRow(t)
		}
	case 11:
		w.misleadReader(t)
	case 12:
		w.cutOffWhileJoining(t)
	case 13:
		w.startStray()
	}
}

// someTask chooses among the tasks that live and are not asked to stop.
func (w *world) someTask() *task {
	var alive []*task
	for _, t := range w.tasks {
		if t.alive() && !t.stopping && t.stray == nil {
			alive = append(alive, t)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	return alive[w.rng.IntN(len(alive))]
}

func (w *world) crashTask(t *task, replaceAfter time.Duration) {
	t.crash()
	w.after(replaceAfter, func() { w.startTask() })
}

func (w *world) crashKeeper(t *task, restartAfter time.Duration) {
	w.tracef("%s leasekeeper is killed", t.name)
	dead := t.keeper
	dead.kill()
	w.after(restartAfter, func() {
		if t.alive() && t.keeper == dead && !t.stopping {
			t.startKeeper()
		}
	})
}

func (w *world) crashReader(t *task, restartAfter time.Duration) {
	w.tracef("%s consumer is killed", t.name)
	dead := t.reader
	dead.stop()
	w.after(restartAfter, func() {
		if t.alive() && t.reader == dead && !t.stopping {
			t.startReader()
		}
	})
}

func (w *world) pauseKeeper(t *task, d time.Duration) {
	w.tracef("%s leasekeeper is stopped for %v", t.name, d)
	k := t.keeper
	k.pause()
	w.after(d, func() {
		w.tracef("%s leasekeeper goes on", t.name)
		k.resume()
	})
}

// cutOffWhileJoining starts the leasekeeper anew and loses the answer to its
// registration, for so long that its row may be evicted and deleted.
func (w *world) cutOffWhileJoining(t *task) {
	w.crashKeeper(t, 0)
	w.after(w.between(0, 10*time.Millisecond), func() { w.isolate(t, w.between(w.sc.duration, 12*w.sc.duration)) })
}

func (w *world) pauseReader(t *task, d time.Duration) {
	w.tracef("%s consumer is stopped for %v", t.name, d)
	r := t.reader
	r.pause()
	w.after(d, func() {
		w.tracef("%s consumer goes on", t.name)
		r.resume()
	})
}

func (w *world) isolate(t *task, d time.Duration) {
	w.tracef("%s is cut off for %v", t.name, d)
	t.isolated = true
	w.after(d, func() { t.isolated = false })
}

func (w *world) outage(d time.Duration) {
	w.tracef("the tables are gone for %v", d)
	w.weather.outage = true
	w.after(d, func() {
		w.tracef("the tables are back")
		w.weather.outage = false
	})
}

// tableOutage: everybody misses the tables, and when they are back nobody is
// to be declared dead for it (L3).
func (w *world) tableOutage() time.Duration {
	w.weather = weather{}
	w.check.evictionsForbidden = true
	d := w.between(w.sc.duration, 60*time.Second)
	w.outage(d)
	return w.now + d
}

// singleFault is the one fault of an I4 schedule.
func (w *world) singleFault() time.Duration {
	w.weather = weather{}
	t := w.someTask()
	long := w.between(w.sc.duration, 3*w.sc.duration)
	switch w.rng.IntN(8) {
	case 0, 1:
		w.crashTask(t, long)
	case 2:
		w.crashKeeper(t, w.between(0, long))
	case 3:
		w.crashReader(t, w.between(0, long))
	case 4:
		w.pauseKeeper(t, long)
	case 5:
		w.pauseReader(t, long)
	case 6:
		w.pauseKeeper(t, long)
		w.pauseReader(t, long)
	case 7:
		w.isolate(t, long)
	}
	return w.now + long
}

// reshard splits a shard or merges two that lie side by side.
func (w *world) reshard() {
	var open []*shard
	for _, s := range w.stream.shards {
		if s.isOpen() {
			open = append(open, s)
		}
	}
	s := open[w.rng.IntN(len(open))]
	if w.chance(0.5) {
		for _, other := range open {
			if other.lo == s.hi {
				w.stream.merge(w, s, other)
				return
			}
		}
	}
	if s.hi-s.lo > 1 && len(open) < 3*w.sc.shards+4 {
		w.stream.split(w, s)
	}
}

// running counts the tasks that live and are not asked to stop.
func (w *world) running() int {
	n := 0
	for _, t := range w.tasks {
		if t.alive() && !t.stopping && t.stray == nil {
			n++
		}
	}
	return n
}

// scale starts a task, stops one, or replaces one as a rolling deploy does.
func (w *world) scale() {
	alive := w.running()
	switch n := w.rng.IntN(3); {
	case n == 0 && alive < 2*w.sc.workers:
		w.startTask()
	case n == 1 && alive > 1:
		w.someTask().shutdown()
	default:
		old := w.someTask()
		w.startTask()
		if old != nil {
			w.after(w.between(2*time.Second, 10*time.Second), func() {
				if old.alive() && !old.stopping && w.running() > 1 {
					old.shutdown()
				}
			})
		}
	}
}

// loseRow deletes a live worker's row, as an operator or the TTL would.
func (w *world) loseRow(t *task) {
	id := t.keeper.machine.Worker()
	if w.tables.workers.rows[id] != nil {
		w.tracef("the row of %s is deleted", id)
		w.tables.workers.put(id, nil)
	}
}

// loseWorkerTable empties the worker table, as if it were deleted and made anew.
// Mostly nobody is left that knew it, and shards are split or merged before others
// come. Not where operators ask: what they asked is lost with it; nor before every
// shard has a row, which says where it starts.
func (w *world) loseWorkerTable(downFor time.Duration) {
	for _, s := range w.stream.shards {
		if w.tables.leases.rows[s.id] == nil && s.isOpen() {
			return
		}
	}
	w.check.positionTime() // remembered
	w.tracef("the worker table is lost")
	w.tables.workers = newTable[lease.Worker]()
	w.tables.stream = nil
	if w.chance(0.3) {
		return
	}
	for _, t := range w.tasks {
		if t.alive() && t.stray == nil {
			w.crashTask(t, downFor)
		}
	}
	w.reshard()
	w.reshard()
}

// misleadReader makes a reader believe that a shard it reads is gone.
func (w *world) misleadReader(t *task) {
	for _, h := range t.reader.holds {
		if h.state == reading {
			w.tracef("%s is told that %s does not exist", t.name, short(h.shard.id))
			h.spurious = true
			return
		}
	}
}
