package inspect

import (
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/shardmap"
)

// builder has the looks by key.
type builder struct {
	first, second Look
	listing       *lease.Listing
	now           time.Time

	counters map[string]int64         // of the first look, by worker
	before   map[string]*lease.Row    // of the first look, by shard
	rows     map[string]*lease.Row    // of the second, by shard
	workers  map[string]*lease.Worker // of the second, by worker
	held     map[string]lease.Held    // of the second, by worker and shard
	listed   map[string]bool
}

func (b *builder) index() {
	b.counters, b.before, b.rows = map[string]int64{}, map[string]*lease.Row{}, map[string]*lease.Row{}
	b.workers, b.held, b.listed = map[string]*lease.Worker{}, map[string]lease.Held{}, map[string]bool{}
	for _, w := range b.first.Workers {
		b.counters[w.ID] = w.Counter
	}
	for _, w := range b.second.Workers {
		b.workers[w.ID] = w
		for _, h := range w.Held {
			b.held[w.ID+" "+h.Shard] = h
		}
	}
	for _, r := range b.first.Leases {
		b.before[r.Shard] = r
	}
	for _, r := range b.second.Leases {
		b.rows[r.Shard] = r
	}
	for _, s := range b.listing.Shards {
		b.listed[s.ID] = true
	}
}

// alive tells whether the worker showed a sign of life between the looks.
func (b *builder) alive(w *lease.Worker) bool {
	counter, known := b.counters[w.ID]
	return w.State != lease.Evicted && (!known || counter != w.Counter)
}

func (b *builder) worker(w *lease.Worker) Worker {
	out := Worker{Worker: w.ID, State: string(w.State), Alive: b.alive(w), Ready: w.Ready, Leases: len(w.Held),
		Version: w.Version, Started: w.StartedAt, Problems: []string{}}
	for _, h := range w.Held {
		out.MaxLagMS = max(out.MaxLagMS, h.LagMillis)
	}
	if w.HeldErr != nil {
		out.Leases = b.named(w.ID)
		out.Problems = append(out.Problems, w.HeldErr.Error()+": written by another version, or damaged")
	}
	switch {
	case w.State == lease.Evicted:
		out.Leases, out.MaxLagMS = 0, 0
	case !out.Alive:
		out.Problems = append(out.Problems, "no heartbeat between two looks: dead, or cut off from the table")
	case !w.Ready && w.State == lease.Active:
		out.Problems = append(out.Problems, "not ready: no consumer is attached")
	}
	return out
}

// named counts the leases whose rows name the worker.
func (b *builder) named(worker string) int {
	n := 0
	for _, row := range b.second.Leases {
		if row.Owner == worker {
			n++
		}
	}
	return n
}

func (b *builder) lease(row *lease.Row) Lease {
	out := Lease{Shard: row.Shard, State: b.state(row), Owner: row.Owner, Generation: row.Counter,
		Checkpoint: row.Checkpoint.Sequence, Sub: row.Checkpoint.Sub, Parents: orEmpty(row.Parents), Children: orEmpty(row.Children)}
	if w := b.workers[row.Owner]; w != nil && !w.StartedAt.IsZero() {
		out.OwnerUpMS = b.now.Sub(w.StartedAt).Milliseconds()
	}
	if h, ok := b.held[row.Owner+" "+row.Shard]; ok {
		out.LagMS, out.BytesPerSecond = h.LagMillis, h.BytesPerSecond
	}
	out.Problems = b.leaseProblems(row, out.State, out.LagMS)
	return out
}

func (b *builder) state(row *lease.Row) string {
	h, held := b.held[row.Owner+" "+row.Shard]
	switch {
	case row.Finished():
		return "finished"
	case row.Owner != "" && held && h.Moving:
		return "moving"
	case row.Owner != "":
		return "held"
	case b.waits(row):
		return "waiting"
	}
	return "unowned"
}

// waits tells whether a parent of the shard is not done.
func (b *builder) waits(row *lease.Row) bool {
	for _, parent := range row.Parents {
		if row.Awaits(b.rows[parent]) {
			return true
		}
	}
	return false
}

func (b *builder) leaseProblems(row *lease.Row, state string, lagMillis int64) []string {
	problems := []string{}
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	before := b.before[row.Shard]
	stood := before != nil && before.Owner == row.Owner && before.Counter == row.Counter
	switch state {
	case "finished", "waiting":
		return problems
	case "unowned":
		if stood {
			add("orphaned: nobody owns it, and nobody has claimed it between two looks")
		}
	default:
		b.ownerProblems(row, stood, add)
		if stood && before.Checkpoint == row.Checkpoint && lagMillis >= StuckLag.Milliseconds() {
			add("stuck: %s behind and the checkpoint does not move", (time.Duration(lagMillis) * time.Millisecond).Round(time.Second))
		}
	}
	if !b.listed[row.Shard] {
		add("the stream no longer has this shard: its records were trimmed before they were read")
	}
	return problems
}

func (b *builder) ownerProblems(row *lease.Row, stood bool, add func(string, ...any)) {
	w := b.workers[row.Owner]
	_, held := b.held[row.Owner+" "+row.Shard]
	switch {
	case w == nil && lease.OwnForm(row.Owner) && row.WorkerTable != "":
		add("held by a worker that has no row here: its worker table is %s", row.WorkerTable)
	case w == nil && lease.OwnForm(row.Owner):
		add("held by a worker that has no row")
	case w == nil && stood:
		add("held by a worker of the Kinesis Client Library that does not renew it: taken over after LEASEKEEPER_FOREIGN_WAIT")
	case w == nil:
		add("held by a live worker of the Kinesis Client Library: nothing is claimed until it stops")
	case w.State == lease.Evicted:
		add("held by a worker that was declared dead")
	case !b.alive(w):
		add("held by a dead worker")
	case !held && stood && w.HeldErr == nil:
		add("its owner does not serve it")
	}
}

// problems are those of the tables as a whole.
func (b *builder) problems() []string {
	problems := []string{}
	if b.second.Stream == nil && len(b.second.Workers) == 0 {
		problems = append(problems, "never used: no leasekeeper has run with these tables")
	}
	if s := b.second.Stream; s != nil && !s.SameStream(b.listing.ARN, b.listing.CreatedAt) {
		problems = append(problems, fmt.Sprintf("the tables belong to stream %s created at %s, not to the one that is there now (created at %s)",
			s.ARN, s.CreatedAt.Format(time.RFC3339), b.listing.CreatedAt.Format(time.RFC3339)))
	}
	if s := b.second.Stream; s != nil && s.Paused {
		problems = append(problems, "the fleet is paused: nothing is read until leasekeeper resume")
	}
	if s := b.second.Stream; s != nil {
		asking := s.Rewind.Of(func(shard string) *lease.Row { return b.rows[shard] })
		for _, row := range b.second.Leases {
			if asking.Asks(row) {
				problems = append(problems, fmt.Sprintf("shard %s is to be rewound, and is not yet", row.Shard))
			}
		}
	}
	alive := 0
	for _, w := range b.second.Workers {
		if b.alive(w) {
			alive++
		}
	}
	if alive == 0 && len(b.second.Leases) > 0 {
		problems = append(problems, "no worker is alive")
	}
	if alive == 0 {
		return problems
	}
	for _, level := range shardmap.Missing(b.listing.Shards, b.rows, &lease.Stream{}) {
		for _, row := range level {
			problems = append(problems, fmt.Sprintf("shard %s has no lease yet", row.Shard))
		}
	}
	return problems
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
