package sim

import (
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// task is one ECS task: a keeper beside a reader.
type task struct {
	w        *world
	name     string
	keeper   *keeperProcess
	reader   *reader
	rate     float64 // of the host's clock, which both read
	stray    *stray  // nil: of the fleet
	isolated bool    // no network, but the loopback
	stopping bool
	began    time.Duration
	ended    time.Duration // never while it lives
}

func (w *world) startTask() { w.newTask().start() }

func (w *world) newTask() *task {
	t := &task{w: w, name: fmt.Sprintf("task-%d", len(w.tasks)), rate: 1 + 0.05*(2*w.rng.Float64()-1), began: w.now, ended: never}
	w.tasks = append(w.tasks, t)
	return t
}

func (t *task) start() {
	t.startKeeper()
	t.startReader()
}

func (t *task) lived(now time.Duration) time.Duration { return min(now, t.ended) - t.began }

func (t *task) alive() bool { return t.ended == never }

func (t *task) startKeeper() {
	w := t.w
	t.keeper = &keeperProcess{process: newProcess(w, t.rate), task: t, wakeAt: never}
	t.keeper.machine = keeper.New(keeper.Config{
		Name: t.name, Version: "sim", Stream: "test", LeaseTable: leaseTable, WorkerTable: t.workerTable(), Epoch: epoch().Add(w.now), Seed: w.rng.Uint64(), Duration: w.sc.duration,
		InitialPosition: w.sc.position, ForeignWait: foreignWait, CheckpointInterval: w.sc.checkpoints, DrainTimeout: 25 * time.Second,
	})
	w.tracef("%s leasekeeper starts, clock rate %.3f", t.name, t.keeper.clock.rate)
	t.keeper.handle(keeper.Tick{})
}

// crash ends both processes at once; SIGKILL of the task.
func (t *task) crash() {
	t.w.tracef("%s is killed", t.name)
	t.keeper.kill()
	t.reader.stop()
	t.ended = t.w.now
}

// shutdown is SIGTERM to both, up to a second apart, and SIGKILL after the stop timeout.
func (t *task) shutdown() {
	w := t.w
	w.tracef("%s is asked to stop", t.name)
	t.stopping = true
	t.reader.run(func() { t.reader.drain() })
	k := t.keeper
	w.after(w.between(0, time.Second), func() { k.run(func() { k.handle(keeper.Shutdown{}) }) })
	w.after(30*time.Second, func() {
		if t.alive() {
			t.crash()
		}
	})
}

// keeperProcess drives one keeper.
type keeperProcess struct {
	process
	task    *task
	machine *keeper.Keeper
	wakeAt  time.Duration // true time of the next Tick planned
}

// handle gives the keeper an event and does what it wants done.
func (p *keeperProcess) handle(e keeper.Event) {
	actions := p.machine.Handle(p.now(), e)
	p.w.mix(uint64(len(actions)))
	for _, a := range actions {
		p.do(a)
	}
	if !p.dead {
		p.sleep()
	}
}

func (p *keeperProcess) do(a keeper.Action) {
	switch a := a.(type) {
	case keeper.Do:
		p.w.attempt(p.task, a.Op, func(answer lease.Answer) {
			p.run(func() { p.handle(keeper.Answered{ID: a.ID, Answer: answer}) })
		})
	case keeper.Reply:
		p.task.reader.reply(a)
	case keeper.Note:
		p.w.tracef("%s %s %v", p.task.name, a.Message, a.Fields)
	case keeper.Exit:
		p.exit(a.Err)
	}
}

// sleep plans the next Tick where none is planned in time.
func (p *keeperProcess) sleep() {
	wake := p.machine.Wake()
	if wake > 1<<61 {
		return
	}
	at := p.clock.trueAt(wake) + p.w.between(0, 3*time.Millisecond)
	if p.wakeAt <= at && p.wakeAt > p.w.now {
		return
	}
	p.wakeAt = at
	p.w.at(at, func() {
		if p.wakeAt == at {
			p.wakeAt = never
			p.run(func() { p.handle(keeper.Tick{}) })
		}
	})
}

// exit is the end the keeper chose. The rest of the task follows, as an
// essential container takes its task along.
func (p *keeperProcess) exit(err error) {
	t := p.task
	p.w.tracef("%s leasekeeper exits: %v", t.name, err)
	p.kill()
	switch {
	case err == nil || t.stopping || t.stray != nil:
	case p.w.strays():
		p.w.after(p.w.between(2*time.Second, 10*time.Second), p.w.startTask)
	default:
		p.w.violate("liveness", "%s gave up: %v", t.name, err)
	}
	p.w.after(p.w.between(0, 2*time.Second), func() {
		if t.alive() && t.keeper == p {
			t.reader.stop()
			t.ended = p.w.now
		}
	})
}

// call is one sync on the loopback: request there, answer back, either lost or
// late in foul weather.
func (t *task) call(r *reader, id uint64, request contract.SyncRequest) {
	w, k := t.w, t.keeper
	if k.dead {
		r.after(w.between(100*time.Microsecond, time.Millisecond), func() { r.failed(id) })
		return
	}
	if w.chance(w.weather.lost / 4) {
		r.after(w.between(0, 2*time.Second), func() { r.failed(id) })
		return
	}
	w.after(w.loopback(), func() {
		k.run(func() { k.handle(keeper.Sync{ID: id, Request: request}) })
	})
}

func (w *world) loopback() time.Duration {
	if w.chance(w.weather.slow / 2) {
		return w.between(0, 3*time.Second)
	}
	return w.between(50*time.Microsecond, 2*time.Millisecond)
}

// hangUp tells the keeper that the caller of a sync is gone.
func (t *task) hangUp(id uint64) {
	k := t.keeper
	t.w.after(t.w.loopback(), func() { k.run(func() { k.handle(keeper.SyncGone{ID: id}) }) })
}
