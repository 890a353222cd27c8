package operate

import (
	"fmt"
	"slices"
	"sort"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Choose returns the rewind of the shards that were named, of all if none were:
// those that are not finished, and the finished ones that still hold something
// after the target; what is below one of these comes along by itself. listed are
// the shards of the stream, since those that were not closed before the target.
// gone are finished shards whose records can no longer be read. The target's
// LATEST is resolved already.
func Choose(rows []*lease.Row, listed, since []lease.Shard, to Target, shards []string) (r lease.Rewind, gone []string, err error) {
	r = lease.Rewind{To: to.to, At: to.at}
	if to.to == lease.Latest {
		r.To = lease.AtTimestamp
	}
	there, later, known := keys(listed), keys(since), make(map[string]bool)
	for _, row := range rows {
		known[row.Shard] = true
		r.ID = max(r.ID, row.Rewound+1)
		named := slices.Contains(shards, row.Shard)
		if len(shards) > 0 && !named {
			continue
		}
		switch {
		case !row.Finished():
			r.Shards = append(r.Shards, row.Shard)
		case to.to == lease.Latest || there[row.Shard] && !later[row.Shard]:
			err = refuse(err, named, row.Shard, ErrNothing)
		case !there[row.Shard]:
			err = refuse(err, named, row.Shard, ErrTrimmed)
			gone = append(gone, row.Shard)
		default:
			r.Shards = append(r.Shards, row.Shard)
		}
	}
	sort.Strings(r.Shards)
	for _, shard := range shards {
		if !known[shard] {
			return r, nil, fmt.Errorf("no lease of shard %s: see leasekeeper leases", shard)
		}
	}
	switch {
	case err != nil:
	case to.isNumber() && len(r.Shards) != 1:
		err = ErrOneShard
	case len(r.Shards) > maxRewound:
		err = ErrTooMany
	case to.isNumber():
		err = within(to.to, r.Shards[0], listed)
	}
	return r, gone, err
}

// within refuses a number that is not between the first and the last of the
// shard: a reader that began there would be refused for ever. Where an open
// shard's last one is only the stream knows.
func within(number, id string, listed []lease.Shard) error {
	at := slices.IndexFunc(listed, func(s lease.Shard) bool { return s.ID == id })
	if at < 0 || listed[at].SequenceStart == "" {
		return nil
	}
	s, n := &listed[at], lease.Checkpoint{Sequence: number}
	switch {
	case s.SequenceEnd != "" && (n.Compare(lease.Checkpoint{Sequence: s.SequenceEnd}) > 0 || n.Compare(lease.Checkpoint{Sequence: s.SequenceStart}) < 0):
		return fmt.Errorf("%s: %s %w, which go from %s to %s", id, number, ErrNumber, s.SequenceStart, s.SequenceEnd)
	case n.Compare(lease.Checkpoint{Sequence: s.SequenceStart}) < 0:
		return fmt.Errorf("%s: %s %w, which begin at %s", id, number, ErrNumber, s.SequenceStart)
	}
	return nil
}

// refuse is the error of a shard that was asked for by its name, and before none.
func refuse(before error, named bool, shard string, why error) error {
	if before != nil || !named {
		return before
	}
	return fmt.Errorf("%s: %w", shard, why)
}

func keys(shards []lease.Shard) map[string]bool {
	ids := make(map[string]bool, len(shards))
	for _, s := range shards {
		ids[s.ID] = true
	}
	return ids
}
