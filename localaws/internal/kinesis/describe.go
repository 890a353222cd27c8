package kinesis

import (
	"context"
	"math"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type hashKeyRange struct {
	StartingHashKey string `json:"StartingHashKey"`
	EndingHashKey   string `json:"EndingHashKey"`
}

func describeRange(r hashRange) hashKeyRange {
	return hashKeyRange{StartingHashKey: r.start.String(), EndingHashKey: r.end.String()}
}

type sequenceRange struct {
	StartingSequenceNumber string `json:"StartingSequenceNumber"`
	EndingSequenceNumber   string `json:"EndingSequenceNumber,omitempty"`
}

type shardDescription struct {
	ShardID               string        `json:"ShardId"`
	ParentShardID         string        `json:"ParentShardId,omitempty"`
	AdjacentParentShardID string        `json:"AdjacentParentShardId,omitempty"`
	HashKeyRange          hashKeyRange  `json:"HashKeyRange"`
	SequenceNumberRange   sequenceRange `json:"SequenceNumberRange"`
}

func (s *shard) describe() shardDescription { return s.describeAsOf(math.MaxInt64) }

// describeAsOf describes the shard as it was at a time.
func (s *shard) describeAsOf(asOf int64) shardDescription {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := shardDescription{
		ShardID: s.id, ParentShardID: s.parent, AdjacentParentShardID: s.adjacent,
		HashKeyRange:        describeRange(s.keys),
		SequenceNumberRange: sequenceRange{StartingSequenceNumber: s.startingSequence()},
	}
	if closed := s.closedAsOf(asOf); closed != 0 {
		d.SequenceNumberRange.EndingSequenceNumber = s.sequence(lastIndex, closed).String()
	}
	return d
}

type enhancedMonitoring struct {
	ShardLevelMetrics []string `json:"ShardLevelMetrics"`
}

type streamDescription struct {
	StreamName              string               `json:"StreamName"`
	StreamARN               string               `json:"StreamARN"`
	StreamStatus            string               `json:"StreamStatus"`
	StreamModeDetails       streamModeDetails    `json:"StreamModeDetails"`
	StreamCreationTimestamp wire.Time            `json:"StreamCreationTimestamp"`
	RetentionPeriodHours    int                  `json:"RetentionPeriodHours"`
	EnhancedMonitoring      []enhancedMonitoring `json:"EnhancedMonitoring"`
	EncryptionType          string               `json:"EncryptionType"`
	KeyID                   string               `json:"KeyId,omitempty"`

	// Only of DescribeStream.
	Shards        []shardDescription `json:"Shards,omitzero"`
	HasMoreShards *bool              `json:"HasMoreShards,omitempty"`
	// Only of DescribeStreamSummary.
	StreamID           string          `json:"StreamId,omitempty"`
	OpenShardCount     *int            `json:"OpenShardCount,omitempty"`
	ConsumerCount      *int            `json:"ConsumerCount,omitempty"`
	MaxRecordSizeInKiB *int            `json:"MaxRecordSizeInKiB,omitempty"`
	WarmThroughput     *warmThroughput `json:"WarmThroughput,omitempty"`
}

type warmThroughput struct {
	TargetMiBps  int `json:"TargetMiBps"`
	CurrentMiBps int `json:"CurrentMiBps"`
}

// describe needs mu.
func (st *stream) describe(now int64) streamDescription {
	metrics := append([]string{}, st.metrics...)
	return streamDescription{
		StreamName: st.name, StreamARN: st.arn, StreamStatus: st.status(now),
		StreamModeDetails:       streamModeDetails{st.mode},
		StreamCreationTimestamp: wire.Time{Time: millis(st.created)},
		RetentionPeriodHours:    st.hours,
		EnhancedMonitoring:      []enhancedMonitoring{{ShardLevelMetrics: metrics}},
		EncryptionType:          st.encryption, KeyID: st.keyID,
	}
}

func (s *Service) describeStream(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		ExclusiveStartShardId *string
		Limit                 *int
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	c.between("limit", in.Limit, 1, maxShards)
	c.text("exclusiveStartShardId", in.ExclusiveStartShardId, 128, s.patterns.name)
	if err := c.err(); err != nil {
		return nil, err
	}
	st, err := s.lookup(in.streamRef)
	if err != nil {
		return nil, err
	}
	limit, after := 100, ""
	if in.Limit != nil {
		limit = min(limit, *in.Limit)
	}
	if in.ExclusiveStartShardId != nil {
		after = *in.ExclusiveStartShardId
	}
	now := s.now()
	st.mu.Lock()
	defer st.mu.Unlock()
	d := st.describe(now)
	d.Shards = []shardDescription{}
	more := false
	if d.StreamStatus != statusCreating {
		st.expire(now)
		for _, sh := range st.shards {
			if sh.id <= after {
				continue
			}
			if more = len(d.Shards) == limit; more {
				break
			}
			d.Shards = append(d.Shards, sh.describe())
		}
	}
	d.HasMoreShards = &more
	return map[string]any{"StreamDescription": d}, nil
}

func (s *Service) describeStreamSummary(_ context.Context, r *wire.Request) (any, error) {
	var in streamRef
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	st, err := s.lookup(in)
	if err != nil {
		return nil, err
	}
	st.mu.RLock()
	defer st.mu.RUnlock()
	now := s.now()
	d := st.describe(now)
	open, consumers, size := len(st.open), len(st.registered(now)), st.maxRecord
	d.StreamID, d.OpenShardCount, d.ConsumerCount, d.MaxRecordSizeInKiB = st.id, &open, &consumers, &size
	if st.warmMiBps > 0 {
		d.WarmThroughput = &warmThroughput{TargetMiBps: st.warmMiBps, CurrentMiBps: st.warmMiBps}
	}
	return map[string]any{"StreamDescriptionSummary": d}, nil
}
