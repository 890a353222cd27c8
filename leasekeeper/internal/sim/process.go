package sim

import "time"

// clock is a monotonic clock that began at origin and runs at rate times true time.
type clock struct {
	origin time.Duration
	rate   float64
}

func (c clock) local(t time.Duration) time.Duration {
	return time.Duration(float64(t-c.origin) * c.rate)
}

// trueAt is the first true time at which the clock shows local or more.
func (c clock) trueAt(local time.Duration) time.Duration {
	t := c.origin + time.Duration(float64(local)/c.rate)
	for c.local(t) < local {
		t++
	}
	return t
}

// process is something that can be stopped, continued and killed. Its clock
// runs on while it is stopped, and what arrives meanwhile waits.
type process struct {
	w      *world
	clock  clock
	paused bool
	dead   bool
	inbox  []func()
}

// newProcess starts a process on a host whose clocks run at rate.
func newProcess(w *world, rate float64) process {
	return process{w: w, clock: clock{origin: w.now, rate: rate}}
}

func (p *process) now() time.Duration { return p.clock.local(p.w.now) }

// run executes f now, when the process continues, or never.
func (p *process) run(f func()) {
	switch {
	case p.dead:
	case p.paused:
		p.inbox = append(p.inbox, f)
	default:
		f()
	}
}

func (p *process) after(d time.Duration, f func()) {
	p.w.after(time.Duration(float64(d)/p.clock.rate), func() { p.run(f) })
}

func (p *process) pause() { p.paused = true }

func (p *process) resume() {
	if p.dead || !p.paused {
		return
	}
	p.paused = false
	inbox := p.inbox
	p.inbox = nil
	for _, f := range inbox {
		p.run(f)
	}
}

func (p *process) kill() { p.dead, p.inbox = true, nil }

// working tells whether the process runs now.
func (p *process) working() bool { return !p.dead && !p.paused }
