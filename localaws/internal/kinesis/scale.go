package kinesis

import (
	"context"
	"sort"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Limits of UpdateShardCount that the service has for everybody.
const (
	scaleUpFactor   = 2
	scaleDownFactor = 2
	scalingsADay    = 10 // only with limits enforced
	dayMS           = 24 * 60 * 60 * 1000
)

type updateShardCountOutput struct {
	StreamName        string `json:"StreamName"`
	StreamARN         string `json:"StreamARN"`
	CurrentShardCount int    `json:"CurrentShardCount"`
	TargetShardCount  int    `json:"TargetShardCount"`
}

func (s *Service) updateShardCount(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		TargetShardCount *int
		ScalingType      *string
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	if required(&c, "targetShardCount", in.TargetShardCount) {
		c.between("targetShardCount", in.TargetShardCount, 1, 1<<31-1)
	}
	if required(&c, "scalingType", in.ScalingType) {
		c.oneOf("scalingType", in.ScalingType, "UNIFORM_SCALING")
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	target := *in.TargetShardCount
	enforce := s.tuned().Enforce
	var out updateShardCountOutput
	err := s.reshard(in.streamRef, func(st *stream, now int64) error {
		out = updateShardCountOutput{st.name, st.arn, len(st.open), target}
		if err := st.mayScale(target, now, enforce); err != nil {
			return err
		}
		st.scale(uniformRanges(target), now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mayScale applies the limits of UpdateShardCount. It needs mu.
func (st *stream) mayScale(target int, now int64, enforce bool) error {
	current := len(st.open)
	switch {
	case st.mode == modeOnDemand:
		return wire.Errorf(codeValidation, "The UpdateShardCount API is only supported for the data streams with the provisioned capacity mode.")
	case target > maxShards:
		return wire.Errorf(codeLimit, "UpdateShardCount cannot scale up over the limit of %d shards.", maxShards)
	case target > current*scaleUpFactor:
		return wire.Errorf(codeLimit, "UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: %d Target shard count: %d", current, target)
	case target*scaleDownFactor < current:
		return wire.Errorf(codeLimit, "UpdateShardCount cannot scale down below half your current open shard count. Current open shard count: %d Target shard count: %d", current, target)
	case target == current:
		return invalid("Target shard count of %d is equal to the current open shard count.", target)
	}
	recent := 0
	for _, at := range st.scalings {
		if now-at < dayMS {
			recent++
		}
	}
	if enforce && recent >= scalingsADay {
		return wire.Errorf(codeLimit, "UpdateShardCount cannot be called more than %d times per rolling 24-hour period.", scalingsADay)
	}
	st.scalings = append(st.scalings, now)
	return nil
}

// scale brings the shards to the given ranges by splits and merges alone, as the
// service does: every shard is cut at the new boundaries inside it, then the
// pieces of each new range are merged, two and two. Shards that fit stay. It
// needs mu.
func (st *stream) scale(ranges []hashRange, now int64) {
	for _, sh := range append([]*shard(nil), st.open...) {
		st.cut(sh, ranges, now)
	}
	st.sortOpen()
	pieces := append([]*shard(nil), st.open...)
	for _, r := range ranges {
		n := 0
		for n < len(pieces) && pieces[n].keys.end.compare(r.end) <= 0 {
			n++
		}
		st.join(pieces[:n], now)
		pieces = pieces[n:]
	}
}

// cut splits a shard at every start of a range inside it, the middle one first.
func (st *stream) cut(sh *shard, ranges []hashRange, now int64) {
	first := sort.Search(len(ranges), func(i int) bool { return ranges[i].start.compare(sh.keys.start) > 0 })
	end := sort.Search(len(ranges), func(i int) bool { return ranges[i].start.compare(sh.keys.end) > 0 })
	if first >= end {
		return
	}
	low, high := st.split(sh, ranges[(first+end)/2].start, now)
	st.cut(low, ranges, now)
	st.cut(high, ranges, now)
}

// join merges neighbors into one shard.
func (st *stream) join(pieces []*shard, now int64) {
	for len(pieces) > 1 {
		var merged []*shard
		for i := 0; i+1 < len(pieces); i += 2 {
			merged = append(merged, st.merge(pieces[i], pieces[i+1], now))
		}
		if len(pieces)%2 == 1 {
			merged = append(merged, pieces[len(pieces)-1])
		}
		pieces = merged
	}
}
