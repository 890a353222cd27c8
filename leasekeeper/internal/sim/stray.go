package sim

import (
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// What the tables are called; a stray task has another name for the second.
const (
	leaseTable  = "leases"
	workerTable = "workers"
)

// stray is the worker table of a task that was given a wrong name for it, beside
// the fleet's lease table (S16).
type stray struct {
	name    string
	workers table[lease.Worker]
	stream  *lease.Stream
}

// startStray starts a task with another worker table. It stops where it finds
// the fleet's leases; else, after a while, somebody notices. What it leaves is
// given free by hand, for nobody else may.
func (w *world) startStray() {
	if w.sc.fromNow { // it would have a time T of its own for the rows it makes
		return
	}
	t := w.newTask()
	t.stray = &stray{name: fmt.Sprintf("stray-%d", len(w.tasks)), workers: newTable[lease.Worker]()}
	w.tracef("%s starts with the worker table %s", t.name, t.stray.name)
	t.start()
	w.after(w.between(w.sc.duration, 3*w.sc.duration), func() {
		if t.alive() && !t.stopping {
			t.shutdown()
		}
	})
	w.after(5*time.Second, t.cleanUp)
}

// cleanUp removes the owner from what a stray left, now and later: a claim of it
// may land late.
func (t *task) cleanUp() {
	w := t.w
	for _, shard := range w.tables.leases.order {
		row := w.tables.leases.rows[shard]
		if !t.alive() && row != nil && row.Owner != "" && row.WorkerTable == t.stray.name {
			w.tracef("%s is freed of %s by hand", short(row.Shard), row.Owner)
			free := *row
			free.Owner = ""
			w.tables.leases.rows[row.Shard] = &free
		}
	}
	w.after(5*time.Second, t.cleanUp)
}

// strays tells whether a stray may have leases: tasks of the fleet that start
// meanwhile may stop for it.
func (w *world) strays() bool {
	for _, t := range w.tasks {
		if t.stray != nil && (t.alive() || w.now < t.ended+lateness+10*time.Second) {
			return true
		}
	}
	return false
}

// workerTable is the name of the task's worker table.
func (t *task) workerTable() string {
	if t.stray != nil {
		return t.stray.name
	}
	return workerTable
}

// write applies op to the tables that the task uses.
func (t *task) write(op lease.Op, by string) lease.Answer {
	if t.stray == nil {
		return t.w.write(op, by)
	}
	switch op := op.(type) {
	case lease.WorkerWrite:
		row, applied := op.Apply(t.stray.workers.rows[op.Worker])
		if applied {
			t.stray.workers.put(op.Worker, row)
		}
		return lease.Answer{Outcome: outcome(applied), Worker: row}
	case lease.StreamWrite:
		row, applied := op.Apply(t.stray.stream)
		t.stray.stream = row
		return lease.Answer{Outcome: outcome(applied), Stream: row}
	}
	return t.w.write(op, by)
}

// workers is the worker table that the task uses, and its `#stream` row.
func (t *task) workers() (*table[lease.Worker], **lease.Stream) {
	if t.stray != nil {
		return &t.stray.workers, &t.stray.stream
	}
	return &t.w.tables.workers, &t.w.tables.stream
}
