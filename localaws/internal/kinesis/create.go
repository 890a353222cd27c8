package kinesis

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Stream modes, and the number of shards an on-demand stream begins with.
const (
	modeProvisioned = "PROVISIONED"
	modeOnDemand    = "ON_DEMAND"
	onDemandShards  = 4
)

// Bounds of the account and of records.
const (
	maxShards         = 10000
	defaultMaxRecord  = 1024  // KiB
	greatestMaxRecord = 10240 // KiB
)

type streamModeDetails struct {
	StreamMode string `json:"StreamMode"`
}

func (s *Service) createStream(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		StreamName          *string
		ShardCount          *int
		StreamModeDetails   *streamModeDetails
		MaxRecordSizeInKiB  *int
		WarmThroughputMiBps *int
		Tags                map[string]string
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	mode := modeProvisioned
	var c checks
	if required(&c, "streamName", in.StreamName) {
		c.text("streamName", in.StreamName, 128, s.patterns.name)
	}
	c.between("shardCount", in.ShardCount, 1, maxShards)
	c.between("maxRecordSizeInKiB", in.MaxRecordSizeInKiB, defaultMaxRecord, greatestMaxRecord)
	if in.StreamModeDetails != nil {
		mode = in.StreamModeDetails.StreamMode
		c.oneOf("streamModeDetails.streamMode", &mode, modeProvisioned, modeOnDemand)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	count := onDemandShards
	switch {
	case mode == modeProvisioned && in.ShardCount == nil:
		return nil, invalid("ShardCount must be specified for a stream in PROVISIONED mode.")
	case mode == modeProvisioned:
		count = *in.ShardCount
	case in.ShardCount != nil:
		return nil, invalid("ShardCount can't be specified for a stream in ON_DEMAND mode.")
	}
	st := newStream(*in.StreamName, r.Region)
	st.mode = mode
	if in.MaxRecordSizeInKiB != nil {
		st.maxRecord = *in.MaxRecordSizeInKiB
	}
	if in.WarmThroughputMiBps != nil {
		st.warmMiBps = *in.WarmThroughputMiBps
	}
	for k, v := range in.Tags {
		st.tags[k] = v
	}
	return nil, s.register(st, count)
}

func newStream(name, region string) *stream {
	return &stream{
		name: name, arn: "arn:aws:kinesis:" + region + ":" + wire.Account + ":stream/" + name, id: uuid.NewString(),
		hours: defaultRetentionHours, maxRecord: defaultMaxRecord, encryption: "NONE",
		tags: map[string]string{}, stamps: map[string]int64{}, deleted: make(chan struct{}),
	}
}

// register makes the stream known, with its first shards.
func (s *Service) register(st *stream, shards int) error {
	now, transition := s.now(), s.tuned().TransitionMS
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.streams[st.name]; old != nil && !old.over(now) {
		return wire.Errorf(codeInUse, "Stream %s under account %s already exists.", st.name, wire.Account)
	}
	st.created = max(now, s.lastCreated+1)
	s.lastCreated = st.created
	for _, keys := range uniformRanges(shards) {
		st.add(keys, st.created)
	}
	st.change(statusCreating, now, transition)
	s.streams[st.name] = st
	return nil
}

func (s *Service) deleteStream(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		EnforceConsumerDeletion *bool
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	st, err := s.lookup(in.streamRef)
	if err != nil {
		return nil, err
	}
	now, transition := s.now(), s.tuned().TransitionMS
	if err := st.markDeleted(now, transition, in.EnforceConsumerDeletion != nil && *in.EnforceConsumerDeletion); err != nil {
		return nil, err
	}
	st.destroy()
	if transition == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.streams[st.name] == st {
			delete(s.streams, st.name)
		}
	}
	return nil, nil
}

func (st *stream) markDeleted(now, transition int64, withConsumers bool) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.status(now) == statusDeleting {
		return wire.Errorf(codeInUse, "Stream %s under account %s is in state DELETING.", st.name, wire.Account)
	}
	if len(st.registered(now)) > 0 && !withConsumers {
		return wire.Errorf(codeInUse, "Stream %s under account %s has consumers registered. Set EnforceConsumerDeletion to delete them with it.", st.name, wire.Account)
	}
	st.change(statusDeleting, now, transition)
	return nil
}

type streamSummary struct {
	StreamName              string            `json:"StreamName"`
	StreamARN               string            `json:"StreamARN"`
	StreamStatus            string            `json:"StreamStatus"`
	StreamModeDetails       streamModeDetails `json:"StreamModeDetails"`
	StreamCreationTimestamp wire.Time         `json:"StreamCreationTimestamp"`
}

func (s *Service) listStreams(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		ExclusiveStartStreamName *string
		NextToken                *string
		Limit                    *int
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	c.between("limit", in.Limit, 1, maxShards)
	c.text("exclusiveStartStreamName", in.ExclusiveStartStreamName, 128, s.patterns.name)
	if err := c.err(); err != nil {
		return nil, err
	}
	limit, after := 100, ""
	if in.Limit != nil {
		limit = min(limit, *in.Limit)
	}
	if in.NextToken != nil {
		after = *in.NextToken
	}
	if in.ExclusiveStartStreamName != nil {
		after = *in.ExclusiveStartStreamName
	}
	return s.pageOfStreams(after, limit), nil
}

type listStreamsOutput struct {
	StreamNames     []string        `json:"StreamNames"`
	StreamSummaries []streamSummary `json:"StreamSummaries"`
	HasMoreStreams  bool            `json:"HasMoreStreams"`
	NextToken       string          `json:"NextToken,omitempty"`
}

func (s *Service) pageOfStreams(after string, limit int) listStreamsOutput {
	now := s.now()
	s.mu.RLock()
	var found []*stream
	for name, st := range s.streams {
		if name > after && !st.over(now) {
			found = append(found, st)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(found, func(a, b *stream) int { return strings.Compare(a.name, b.name) })
	out := listStreamsOutput{StreamNames: []string{}, StreamSummaries: []streamSummary{}, HasMoreStreams: len(found) > limit}
	for _, st := range found[:min(limit, len(found))] {
		st.mu.RLock()
		out.StreamNames = append(out.StreamNames, st.name)
		out.StreamSummaries = append(out.StreamSummaries, streamSummary{
			StreamName: st.name, StreamARN: st.arn, StreamStatus: st.status(now),
			StreamModeDetails: streamModeDetails{st.mode}, StreamCreationTimestamp: wire.Time{Time: millis(st.created)},
		})
		st.mu.RUnlock()
	}
	if out.HasMoreStreams {
		out.NextToken = out.StreamNames[limit-1]
	}
	return out
}
