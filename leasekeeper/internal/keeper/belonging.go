package keeper

import (
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Whose tables these are: the `#stream` row of the worker table names the stream
// and the lease table, and a lease row the worker table in which its owner has
// its row. A fleet that shares one of the two with another is stopped, for who
// of the other is alive cannot be seen (S16).

// streamSeen checks whose tables these are and follows the shard map's version
// and the operators' requests.
func (p *peers) streamSeen(row *lease.Stream) {
	if row != nil && !p.allows(row) {
		return
	}
	p.requests.seen(row)
	switch {
	case row == nil && p.stream == nil:
		p.discovery.found() // makes the row
	case row == nil:
		return // an operator's deletion; ours is remembered
	case p.stream == nil:
		p.belongs(row)
		p.discovery.found()
	case !row.SameStream(p.stream.ARN, p.stream.CreatedAt):
		p.exit(foreignStream(row, p.stream.ARN, p.stream.CreatedAt))
	case row.ShardMapVersion != p.stream.ShardMapVersion:
		p.belongs(row)
		p.view.scan()
	}
}

// belongs takes over the `#stream` row, and says there which lease table goes
// with it where nobody did. It returns false where the row names another one.
func (p *peers) belongs(row *lease.Stream) bool {
	if !p.allows(row) {
		return false
	}
	p.stream = row
	if !p.bound() && !p.binding {
		p.binding = true
		p.bind(0)
	}
	return true
}

// bound tells whether the worker table is known to go with this lease table:
// nothing is claimed before.
func (p *peers) bound() bool { return p.stream != nil && p.stream.LeaseTable == p.cfg.LeaseTable }

func (p *peers) bind(attempts int) {
	p.do(lease.StreamWrite{LeaseTable: p.cfg.LeaseTable}, func(a lease.Answer) {
		switch {
		case a.Stream != nil:
			p.binding, p.dirty = false, true
			p.belongs(a.Stream)
		case a.Outcome == lease.Refused: // an operator's deletion
			p.binding = false
		default:
			p.timers.after(p.now+p.backoff(attempts), func() { p.bind(attempts + 1) })
		}
	})
}

// allows ends the process where row names another lease table.
func (p *peers) allows(row *lease.Stream) bool {
	if row.LeaseTable == "" || row.LeaseTable == p.cfg.LeaseTable {
		return true
	}
	p.exit(fmt.Errorf("the worker table %s belongs to the lease table %s, but LEASEKEEPER_LEASE_TABLE is %s: give each lease table its own worker table. "+
		"If the leases were moved to %[3]s: stop every task, remove leaseTable from the row %[4]s, and start again",
		p.cfg.WorkerTable, row.LeaseTable, p.cfg.LeaseTable, lease.StreamKey))
	return false
}

func foreignStream(row *lease.Stream, arn string, createdAt time.Time) error {
	return fmt.Errorf("the worker table belongs to stream %s created %s, but the stream is %s created %s: "+
		"give each stream its own lease and worker tables, or delete both tables' rows to begin anew",
		row.ARN, row.CreatedAt.UTC().Format(time.RFC3339), arn, createdAt.UTC().Format(time.RFC3339))
}

// watchFleet notes, for people, a lease that is another fleet's. It is left alone.
func (v *view) watchFleet(row *lease.Row) {
	if !row.OtherFleet(v.cfg.WorkerTable) {
		delete(v.others, row.Shard)
		return
	}
	if len(v.others) == 0 && v.joined {
		v.note(Warn, "a lease is another fleet's, with another worker table: it is left alone; stop one of the two",
			Field{"shard", row.Shard}, Field{"owner", row.Owner}, Field{"worker_table", row.WorkerTable})
	}
	v.others[row.Shard] = true
}

// alone ends a process that has just begun and finds the lease table in use by
// another fleet. One that was there first goes on with what is its own.
func (v *view) alone() bool {
	if !v.joined {
		for _, s := range v.leases {
			if v.others[s.shard] {
				v.exit(otherFleet(s.row, v.cfg))
				return false
			}
		}
	}
	v.joined = true
	return true
}

func otherFleet(row *lease.Row, cfg Config) error {
	return fmt.Errorf("the lease table %s is in use by the fleet of the worker table %s (lease %s is held by %s), but LEASEKEEPER_WORKER_TABLE is %s: "+
		"set it to %[2]s, or stop that fleet's tasks first, which then release their leases. "+
		"If none of them runs any more and leases still name them, remove leaseOwner from these rows",
		cfg.LeaseTable, row.WorkerTable, row.Shard, row.Owner, cfg.WorkerTable)
}
