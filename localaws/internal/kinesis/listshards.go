package kinesis

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// nextTokenLife is how long a NextToken is good.
const nextTokenLife = 300 * time.Second

// maxListShards is the most that ListShards returns at once.
const maxListShards = 1000

type shardFilter struct {
	Type      *string
	ShardId   *string
	Timestamp *wire.Time
}

type listShardsInput struct {
	streamRef
	NextToken               *string
	ExclusiveStartShardId   *string
	MaxResults              *int
	StreamCreationTimestamp *wire.Time
	ShardFilter             *shardFilter
}

// shardToken is what a NextToken holds.
type shardToken struct {
	Stream string `json:"s"`
	ID     string `json:"i"` // of the stream
	After  string `json:"a"`
	Type   string `json:"t,omitempty"`
	At     int64  `json:"m,omitempty"`
	Issued int64  `json:"c"`
}

func (s *Service) listShards(_ context.Context, r *wire.Request) (any, error) {
	var in listShardsInput
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if err := s.checkListShards(&in); err != nil {
		return nil, err
	}
	now := s.now()
	token, err := in.token(now)
	if err != nil {
		return nil, err
	}
	ref := in.streamRef
	if in.NextToken != nil {
		ref = streamRef{StreamName: &token.Stream}
	}
	st, err := s.lookup(ref)
	if err != nil {
		return nil, err
	}
	if t := in.StreamCreationTimestamp; t != nil && t.UnixMilli()/1000 != st.created/1000 || token.ID != "" && token.ID != st.id {
		return nil, notFound(st.name)
	}
	token.Stream, token.ID, token.Issued = st.name, st.id, now
	limit := maxListShards
	if in.MaxResults != nil {
		limit = min(limit, *in.MaxResults)
	}
	return st.pageOfShards(token, limit, now, s.tuned().ListingLagMS)
}

func (s *Service) checkListShards(in *listShardsInput) error {
	var c checks
	c.between("maxResults", in.MaxResults, 1, maxShards)
	c.text("exclusiveStartShardId", in.ExclusiveStartShardId, 128, s.patterns.name)
	c.text("nextToken", in.NextToken, 1048576, nil)
	f := in.ShardFilter
	if f != nil && required(&c, "shardFilter.type", f.Type) {
		c.oneOf("shardFilter.type", f.Type, "AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP")
	}
	if err := c.err(); err != nil {
		return err
	}
	switch {
	case in.NextToken != nil && (in.StreamName != nil || in.StreamARN != nil):
		return invalid("NextToken and StreamName cannot be provided together.")
	case in.NextToken != nil && (in.ExclusiveStartShardId != nil || in.StreamCreationTimestamp != nil || f != nil):
		return invalid("NextToken cannot be provided together with ExclusiveStartShardId, StreamCreationTimestamp or ShardFilter.")
	case f == nil:
		return nil
	case in.ExclusiveStartShardId != nil:
		return invalid("ExclusiveStartShardId and ShardFilter cannot be provided together.")
	}
	return f.check()
}

// check tells whether the members that the type asks for are there, and no more.
func (f *shardFilter) check() error {
	stamped := *f.Type == "AT_TIMESTAMP" || *f.Type == "FROM_TIMESTAMP"
	switch {
	case stamped && f.Timestamp == nil:
		return invalid("Timestamp must be provided with a ShardFilter of type %s.", *f.Type)
	case !stamped && f.Timestamp != nil:
		return invalid("Timestamp cannot be provided with a ShardFilter of type %s.", *f.Type)
	case (*f.Type == "AFTER_SHARD_ID") != (f.ShardId != nil):
		return invalid("ShardId must be provided with a ShardFilter of type AFTER_SHARD_ID, and only with it.")
	}
	return nil
}

// token returns where to begin: what NextToken holds, or what the request asks.
func (in *listShardsInput) token(now int64) (shardToken, error) {
	var t shardToken
	if in.NextToken != nil {
		raw, err := base64.StdEncoding.DecodeString(*in.NextToken)
		if err != nil || json.Unmarshal(raw, &t) != nil {
			return t, invalid("Invalid NextToken.")
		}
		if now-t.Issued > nextTokenLife.Milliseconds() {
			return t, wire.Errorf(codeExpiredToken, "NextToken expired: it was created more than %d seconds ago.", int(nextTokenLife.Seconds()))
		}
		return t, nil
	}
	if in.ExclusiveStartShardId != nil {
		t.After = *in.ExclusiveStartShardId
	}
	f := in.ShardFilter
	if f == nil {
		return t, nil
	}
	t.Type = *f.Type
	if f.ShardId != nil {
		t.After = *f.ShardId
	}
	if f.Timestamp != nil {
		t.At = f.Timestamp.UnixMilli()
	}
	return t, nil
}

type listShardsOutput struct {
	Shards    []shardDescription `json:"Shards"`
	NextToken string             `json:"NextToken,omitempty"`
}

// pageOfShards lists the shards as they were lag milliseconds ago, when none of
// the stream's first shards was missing.
func (st *stream) pageOfShards(t shardToken, limit int, now, lag int64) (any, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if status := st.status(now); status != statusActive && status != statusUpdating {
		return nil, wire.Errorf(codeInUse, "Stream %s under account %s is in state %s.", st.name, wire.Account, status)
	}
	st.expire(now)
	horizon := max(st.created, st.horizon(now))
	asOf := int64(math.MaxInt64) // a child may be a millisecond ahead of the clock
	if lag > 0 {
		asOf = max(now-lag, st.created)
	}
	out := listShardsOutput{Shards: []shardDescription{}}
	for _, sh := range st.shards {
		if sh.id <= t.After || sh.created > asOf || !sh.passes(t.Type, t.At, horizon, asOf) {
			continue
		}
		if len(out.Shards) == limit {
			t.After = out.Shards[limit-1].ShardID
			raw, err := json.Marshal(t)
			if err != nil {
				return nil, err
			}
			out.NextToken = base64.StdEncoding.EncodeToString(raw)
			break
		}
		out.Shards = append(out.Shards, sh.describeAsOf(asOf))
	}
	return out, nil
}

// passes applies a ShardFilter to the shard as it was at a time. A time before
// the horizon means the horizon.
func (s *shard) passes(filter string, at, horizon, asOf int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at = max(at, horizon)
	closed := s.closedAsOf(asOf)
	switch filter {
	case "AT_LATEST":
		return closed == 0
	case "AT_TRIM_HORIZON":
		return s.created <= horizon && (closed == 0 || closed > horizon)
	case "AT_TIMESTAMP":
		return s.created <= at && (closed == 0 || closed >= at)
	case "FROM_TIMESTAMP":
		return closed == 0 || closed >= at
	}
	return true
}
