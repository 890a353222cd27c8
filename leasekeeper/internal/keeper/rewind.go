package keeper

import "github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"

// rewound has a change that makes a new generation of row, and is not sent yet,
// carry out the rewind that was asked for, if it was not yet: position, the
// rewind's number and the generation in one write, so that it happens once, and
// every write of the generations before it is refused.
func (r *requests) rewound(row *lease.Row, change *lease.LeaseChange) {
	if !r.rewind.Asks(row) {
		return
	}
	change.Checkpoint = &lease.Checkpoint{Sequence: r.rewind.To}
	change.OwnerSwitches = 0
	change.Rewind = r.rewind
	r.note(Info, "rewinding lease", Field{"shard", row.Shard}, Field{"generation", change.Counter},
		Field{"request", r.rewind.ID}, Field{"from", checkpointText(row.Checkpoint)}, Field{"to", r.rewind.To})
	r.move("rewound to "+r.rewind.To, row.Shard, "", "")
}
