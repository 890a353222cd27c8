package sim

import (
	"hash/fnv"
	"sort"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// table is rows by key, in the order a scan meets them: by a hash of the key,
// as in DynamoDB. Keys stay after a delete.
type table[R any] struct {
	rows  map[string]*R
	order []string
}

func newTable[R any]() table[R] { return table[R]{rows: make(map[string]*R)} }

func (t *table[R]) put(key string, row *R) {
	if _, known := t.rows[key]; !known {
		at := sort.Search(len(t.order), func(i int) bool { return !scanBefore(t.order[i], key) })
		t.order = append(t.order, "")
		copy(t.order[at+1:], t.order[at:])
		t.order[at] = key
	}
	t.rows[key] = row
}

// page returns up to n rows after key, and the key to go on from; "" at the end.
func (t *table[R]) page(after string, n int) (rows []*R, last string) {
	at := 0
	if after != "" {
		at = sort.Search(len(t.order), func(i int) bool { return scanBefore(after, t.order[i]) })
	}
	for ; at < len(t.order); at++ {
		if row := t.rows[t.order[at]]; row != nil {
			rows = append(rows, row)
		}
		if len(rows) == n {
			return rows, t.order[at]
		}
	}
	return rows, ""
}

func scanBefore(a, b string) bool {
	ha, hb := scanHash(a), scanHash(b)
	return ha < hb || ha == hb && a < b
}

func scanHash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64() * 0x9e3779b97f4a7c15
}

// tables is the lease table and the worker table with its `#stream` row.
type tables struct {
	leases  table[lease.Row]
	workers table[lease.Worker]
	stream  *lease.Stream
}

func newTables() tables {
	return tables{leases: newTable[lease.Row](), workers: newTable[lease.Worker]()}
}

// write applies op as the table would, tells the checker, and answers.
func (w *world) write(op lease.Op, by string) lease.Answer {
	switch op := op.(type) {
	case lease.LeaseWrite:
		old := w.tables.leases.rows[op.Shard]
		row, applied := op.Apply(old)
		if applied {
			w.tables.leases.put(op.Shard, row)
			w.traceLease(by, op.Shard, old, row)
			w.check.leaseWritten(op.Shard, old, row)
		}
		return lease.Answer{Outcome: outcome(applied), Lease: row}
	case lease.WorkerWrite:
		old := w.tables.workers.rows[op.Worker]
		row, applied := op.Apply(old)
		if applied {
			w.tables.workers.put(op.Worker, row)
			w.check.workerWritten(by, op.Worker, old, row)
		}
		return lease.Answer{Outcome: outcome(applied), Worker: row}
	case lease.StreamWrite:
		row, applied := op.Apply(w.tables.stream)
		if applied {
			w.check.streamWritten(w.tables.stream, row)
			w.tables.stream = row
		}
		return lease.Answer{Outcome: outcome(applied), Stream: row}
	}
	panic("sim: no write")
}

func outcome(applied bool) lease.Outcome {
	if applied {
		return lease.Applied
	}
	return lease.Refused
}

func (w *world) traceLease(by, shard string, old, row *lease.Row) {
	if w.opts.Trace == nil {
		return
	}
	switch {
	case row == nil:
		w.tracef("table   %s deleted by %s", short(shard), by)
	case old == nil:
		w.tracef("table   %s created by %s: %s parents %v", short(shard), by, row.Checkpoint.Sequence, row.Parents)
	default:
		w.tracef("table   %s %s/%d %s:%d -> %s/%d %s:%d by %s", short(shard), old.Owner, old.Counter, old.Checkpoint.Sequence,
			old.Checkpoint.Sub, row.Owner, row.Counter, row.Checkpoint.Sequence, row.Checkpoint.Sub, by)
	}
}

func short(shard string) string {
	if len(shard) > 12 {
		return "…" + shard[len(shard)-4:]
	}
	return shard
}
