// Package kinesis is Amazon Kinesis Data Streams in memory: one account, one
// namespace of streams for all regions.
package kinesis

import (
	"context"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Options of a Service.
type Options struct {
	Now    func() time.Time // the clock of arrival times, iterators and retention
	Tuning Tuning
}

// Service implements wire.Service.
type Service struct {
	patterns   patterns
	operations map[string]operation

	tuningMu sync.RWMutex
	tuning   Tuning
	initial  Tuning
	clock    func() time.Time

	mu          sync.RWMutex
	streams     map[string]*stream
	lastCreated int64 // milliseconds; no two streams share one
	calls       map[string]*bucket
}

// operation serves one operation of the API.
type operation func(ctx context.Context, r *wire.Request) (any, error)

// New returns a service without streams.
func New(o Options) *Service {
	s := &Service{patterns: newPatterns(), clock: o.Now, initial: o.Tuning}
	s.operations = s.table()
	s.Reset()
	return s
}

// Name implements wire.Service.
func (s *Service) Name() string { return "kinesis" }

// Target implements wire.Service.
func (s *Service) Target() string { return "Kinesis_20131202" }

// Now implements wire.Service: the clock with its offset.
func (s *Service) Now() time.Time { return millis(s.now()) }

// Reset implements wire.Service: it forgets all streams and tuning.
func (s *Service) Reset() {
	s.tuningMu.Lock()
	s.tuning = s.initial
	s.tuningMu.Unlock()
	s.mu.Lock()
	old := s.streams
	s.streams = make(map[string]*stream)
	s.calls = make(map[string]*bucket)
	s.mu.Unlock()
	for _, st := range old {
		st.destroy()
	}
}

// Serve implements wire.Service.
func (s *Service) Serve(ctx context.Context, r *wire.Request) (any, error) {
	op := s.operations[r.Operation]
	if op == nil {
		return nil, wire.UnknownOperation("kinesis", r.Operation)
	}
	if err := s.admit(r.Operation); err != nil {
		return nil, err
	}
	return op(ctx, r)
}

func (s *Service) table() map[string]operation {
	return map[string]operation{
		"AddTagsToStream":               s.addTags,
		"CreateStream":                  s.createStream,
		"DecreaseStreamRetentionPeriod": s.decreaseRetention,
		"DeleteStream":                  s.deleteStream,
		"DeregisterStreamConsumer":      s.deregisterStreamConsumer,
		"DescribeLimits":                s.describeLimits,
		"DescribeStream":                s.describeStream,
		"DescribeStreamConsumer":        s.describeStreamConsumer,
		"DescribeStreamSummary":         s.describeStreamSummary,
		"DisableEnhancedMonitoring":     s.setMonitoring(false),
		"EnableEnhancedMonitoring":      s.setMonitoring(true),
		"GetRecords":                    s.getRecords,
		"GetShardIterator":              s.getShardIterator,
		"IncreaseStreamRetentionPeriod": s.increaseRetention,
		"ListShards":                    s.listShards,
		"ListStreamConsumers":           s.listStreamConsumers,
		"ListStreams":                   s.listStreams,
		"ListTagsForResource":           s.listTags,
		"ListTagsForStream":             s.listTags,
		"MergeShards":                   s.mergeShards,
		"PutRecord":                     s.putRecord,
		"PutRecords":                    s.putRecords,
		"RegisterStreamConsumer":        s.registerStreamConsumer,
		"RemoveTagsFromStream":          s.removeTags,
		"SplitShard":                    s.splitShard,
		"StartStreamEncryption":         s.setEncryption(true),
		"StopStreamEncryption":          s.setEncryption(false),
		"SubscribeToShard":              s.subscribeToShard,
		"TagResource":                   s.addTags,
		"UntagResource":                 s.removeTags,
		"UpdateMaxRecordSize":           s.updateMaxRecordSize,
		"UpdateShardCount":              s.updateShardCount,
		"UpdateStreamMode":              s.updateStreamMode,
	}
}

// now is the service's time in milliseconds.
func (s *Service) now() int64 {
	s.tuningMu.RLock()
	offset := s.tuning.ClockOffsetMS
	s.tuningMu.RUnlock()
	return s.clock().UnixMilli() + offset
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
