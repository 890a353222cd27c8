package sim

import "time"

// play runs the schedule: the fleet starts and settles, faults happen, and
// after the last one everything must come to rest again.
func (w *world) play() {
	w.weather = fair()
	if w.sc.kind == kindTakeover {
		w.startKCL()
	}
	for range w.sc.workers {
		w.after(w.between(0, 2*time.Second), func() { w.startTask() })
	}
	if w.sc.kind == kindTakeover {
		w.endKCL()
	}
	w.awaitRecovery("the start", w.patience())
	if w.sc.kind != kindLarge {
		w.runUntil(w.now + w.settling())
	}
	last := w.storm()
	if w.sc.kind == kindSingle {
		w.watchGap(last)
	}
	w.runUntil(last)
	w.calm()
	if w.sc.kind == kindOperate {
		w.calmOperations()
	}
	begun := w.now
	w.awaitRecovery("the last fault", w.patience())
	w.result.Recovery = w.now - begun
	w.check.evictionsForbidden = false
	if w.sc.kind == kindReshard {
		w.calmReshard()
	}
	w.steady()
}

// calmReshard splits or merges once while nothing else happens: the children
// are to be read soon, not when somebody happens to look.
func (w *world) calmReshard() {
	w.weather = weather{}
	w.runUntil(w.now + lateness + w.sc.duration)
	w.reshard()
	begun := w.now
	w.awaitRecovery("a reshard in calm weather", 5*time.Second+2*w.sc.duration)
	w.result.Reshard = w.now - begun
}

// patience is how long the fleet may take to read everything again: long
// enough for late writes to land, for rows to be looked at once a minute, and
// for what was closed meanwhile to be read to its end, generation by generation.
func (w *world) patience() time.Duration {
	switch w.sc.kind {
	case kindReshard, kindChaos, kindDeploy, kindOperate:
		return 4*time.Minute + 3*w.sc.duration
	case kindTakeover:
		return 5*time.Minute + 3*w.sc.duration
	}
	return 90*time.Second + 3*w.sc.duration
}

// settling is how long a fleet moves leases until they are balanced: one a
// heartbeat and worker, none younger than 2D.
func (w *world) settling() time.Duration {
	if w.sc.kind == kindLarge {
		return 4 * time.Minute // the first task to come has nearly all of them
	}
	each := w.sc.shards/max(1, w.sc.workers) + 1
	return 8*w.sc.duration + time.Duration(min(each, 20)+2)*3*w.sc.heartbeat()
}

// awaitRecovery runs until every shard that can be read is read.
func (w *world) awaitRecovery(what string, limit time.Duration) {
	end, next := w.now+limit, w.now
	why := ""
	for w.now < end && w.result.Violation == "" {
		next += 250 * time.Millisecond
		w.runUntil(next)
		if why = w.unread(); why == "" {
			return
		}
	}
	if why != "" {
		w.violate("I4", "%v after %s %s", limit, what, why)
	}
}

// unread says which shard is not read though it could be; "" for none.
func (w *world) unread() string {
	for _, s := range w.stream.shards {
		if s.done() {
			continue
		}
		ready := true
		for _, p := range s.parents {
			ready = ready && p.done()
		}
		if !ready {
			return s.id + " waits for a parent"
		}
		if !s.isOpen() || w.check.holder(s) == nil {
			return s.id + " is not read"
		}
	}
	return ""
}

// calm ends every fault that lasts.
func (w *world) calm() {
	w.tracef("the faults are over")
	w.weather = fair()
	for _, t := range w.tasks {
		t.isolated = false
		if !t.alive() {
			continue
		}
		t.keeper.resume()
		t.reader.resume()
		if t.keeper.dead && !t.stopping {
			t.startKeeper()
		}
		if t.reader.dead && !t.stopping {
			t.startReader()
		}
	}
}

// steady checks I5: once settled, a fleet that nothing happens to moves no lease.
func (w *world) steady() {
	if w.sc.retention > 0 {
		w.runUntil(w.now + w.sc.retention)
	}
	w.weather = weather{} // a lost heartbeat is a reason to move a lease
	w.runUntil(w.now + lateness + w.settling())
	w.check.stood = true
	w.runUntil(w.now + 10*w.sc.duration)
	if why := w.unread(); why != "" {
		w.violate("I4", "at the end %s", why)
	}
	w.check.progress()
	w.operator.check()
}

// watchGap measures, from a single fault on, how long shards are without a
// ready holder, and checks I4.
func (w *world) watchGap(until time.Duration) {
	const step = 50 * time.Millisecond
	// True time: the slowest clock allowed measures D and H.
	limit := time.Duration(float64(w.sc.duration+w.sc.heartbeat())/0.95) + 500*time.Millisecond + step
	since := make(map[*shard]time.Duration)
	end := until + 3*w.sc.duration
	var look func()
	look = func() {
		for _, s := range w.stream.shards {
			if w.check.holder(s) != nil {
				delete(since, s)
				continue
			}
			if _, was := since[s]; !was {
				since[s] = w.now
			}
			gap := w.now - since[s]
			w.result.LongestGap = max(w.result.LongestGap, gap)
			if gap > limit {
				w.violate("I4", "%s is without a ready holder for %v after a single fault", s.id, gap)
			}
		}
		if w.now < end {
			w.after(step, look)
		}
	}
	look()
}
