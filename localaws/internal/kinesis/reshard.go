package kinesis

import (
	"context"
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

func (s *Service) splitShard(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		ShardToSplit       *string
		NewStartingHashKey *string
		DryRun             bool
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	if required(&c, "shardToSplit", in.ShardToSplit) {
		c.text("shardToSplit", in.ShardToSplit, 128, s.patterns.name)
	}
	if required(&c, "newStartingHashKey", in.NewStartingHashKey) {
		c.text("newStartingHashKey", in.NewStartingHashKey, 39, s.patterns.hashKey)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return nil, s.reshard(in.streamRef, func(st *stream, now int64) error {
		sh, err := st.openShard(*in.ShardToSplit, now)
		if err != nil {
			return err
		}
		at, ok := parseHashKey(*in.NewStartingHashKey)
		if !ok || at.compare(sh.keys.start.add(1)) < 0 || at.compare(sh.keys.end) > 0 {
			return invalid("NewStartingHashKey %s used in SplitShard() on shard %s in stream %s under account %s is not both greater than one plus the shard's StartingHashKey %s and less than the shard's EndingHashKey %s.",
				*in.NewStartingHashKey, sh.id, st.name, wire.Account, sh.keys.start, sh.keys.end)
		}
		if in.DryRun {
			return dryRunDone()
		}
		st.split(sh, at, now)
		return nil
	})
}

func (s *Service) mergeShards(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		ShardToMerge         *string
		AdjacentShardToMerge *string
		DryRun               bool
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	if required(&c, "shardToMerge", in.ShardToMerge) {
		c.text("shardToMerge", in.ShardToMerge, 128, s.patterns.name)
	}
	if required(&c, "adjacentShardToMerge", in.AdjacentShardToMerge) {
		c.text("adjacentShardToMerge", in.AdjacentShardToMerge, 128, s.patterns.name)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return nil, s.reshard(in.streamRef, func(st *stream, now int64) error {
		a, err := st.openShard(*in.ShardToMerge, now)
		if err != nil {
			return err
		}
		b, err := st.openShard(*in.AdjacentShardToMerge, now)
		if err != nil {
			return err
		}
		if a == b || a.keys.end.add(1) != b.keys.start && b.keys.end.add(1) != a.keys.start {
			return invalid("Shards %s and %s in stream %s under account %s are not an adjacent pair of shards eligible for merging",
				a.id, b.id, st.name, wire.Account)
		}
		if in.DryRun {
			return dryRunDone()
		}
		st.merge(a, b, now)
		return nil
	})
}

// reshard runs a change of the shards of an active stream, which is UPDATING for a
// while after it.
func (s *Service) reshard(ref streamRef, change func(st *stream, now int64) error) error {
	st, err := s.lookup(ref)
	if err != nil {
		return err
	}
	now, transition := s.now(), s.tuned().TransitionMS
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.gone {
		return notFound(st.name)
	}
	if status := st.status(now); status != statusActive {
		return wire.Errorf(codeInUse, "Stream %s under account %s not ACTIVE, instead in state %s", st.name, wire.Account, status)
	}
	st.expire(now)
	if err := change(st, now); err != nil {
		return err
	}
	st.sortOpen()
	st.change(statusUpdating, now, transition)
	return nil
}

// openShard finds a shard that can be split or merged. It needs mu.
func (st *stream) openShard(id string, now int64) (*shard, error) {
	sh, err := st.shard(id, now)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(st.open, sh) {
		return nil, wire.Errorf(codeInUse, "Shard %s in stream %s under account %s has already been merged or split, and thus is not eligible for merging or splitting.",
			id, st.name, wire.Account)
	}
	return sh, nil
}

// split replaces a shard by one that ends before at and one that begins there.
// It needs mu; the caller sorts open.
func (st *stream) split(sh *shard, at hashKey, now int64) (low, high *shard) {
	st.retire(sh)
	low = st.add(hashRange{sh.keys.start, at.sub(1)}, now, sh)
	high = st.add(hashRange{at, sh.keys.end}, now, sh)
	sh.close(low.created, low, high)
	return low, high
}

// merge replaces two adjacent shards by one. It needs mu; the caller sorts open.
func (st *stream) merge(a, b *shard, now int64) *shard {
	st.retire(a)
	st.retire(b)
	keys := hashRange{a.keys.start, b.keys.end}
	if b.keys.start.compare(a.keys.start) < 0 {
		keys = hashRange{b.keys.start, a.keys.end}
	}
	child := st.add(keys, now, a, b)
	a.close(child.created, child)
	b.close(child.created, child)
	return child
}

func (st *stream) retire(sh *shard) {
	st.open = slices.DeleteFunc(st.open, func(o *shard) bool { return o == sh })
}
