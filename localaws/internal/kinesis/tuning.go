package kinesis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Tuning is what tests may change while the service runs, and what of it is
// shown by the admin endpoint at limits. The limits are those per shard of
// https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
// and hold only where Enforce is set.
type Tuning struct {
	Enforce            bool `json:"enforce"`
	RecordsPerSecond   int  `json:"records_per_second"`
	BytesPerSecond     int  `json:"bytes_per_second"`
	ReadsPerSecond     int  `json:"reads_per_second"`
	ReadBytesPerSecond int  `json:"read_bytes_per_second"` // also of each fan-out subscription

	TransitionMS   int64 `json:"transition_ms"`   // how long streams and consumers are CREATING, UPDATING, DELETING
	ListingLagMS   int64 `json:"listing_lag_ms"`  // how long ListShards does not know of a reshard
	SubscriptionMS int64 `json:"subscription_ms"` // how long a SubscribeToShard call lasts
	HeartbeatMS    int64 `json:"heartbeat_ms"`    // between events of an idle subscription
	TakeoverMS     int64 `json:"takeover_ms"`     // how soon a subscription may be taken over
	IteratorMS     int64 `json:"iterator_ms"`     // how long a shard iterator is good
	ClockOffsetMS  int64 `json:"clock_offset_ms"` // added to the clock
}

// DefaultTuning is the service's, with limits not enforced and changes of
// streams done at once.
func DefaultTuning() Tuning {
	return Tuning{
		RecordsPerSecond: 1000, BytesPerSecond: 1 << 20, ReadsPerSecond: 5, ReadBytesPerSecond: 2 << 20,
		SubscriptionMS: (5 * time.Minute).Milliseconds(),
		HeartbeatMS:    (5 * time.Second).Milliseconds(),
		TakeoverMS:     (5 * time.Second).Milliseconds(),
		IteratorMS:     (5 * time.Minute).Milliseconds(),
	}
}

// Validate returns what is wrong, or nil.
func (t *Tuning) Validate() error {
	switch {
	case t.RecordsPerSecond <= 0 || t.BytesPerSecond <= 0 || t.ReadsPerSecond <= 0 || t.ReadBytesPerSecond <= 0:
		return errors.New("limits: want rates above 0; set enforce to false for no limits")
	case t.SubscriptionMS <= 0 || t.HeartbeatMS <= 0 || t.IteratorMS <= 0:
		return errors.New("limits: want subscription_ms, heartbeat_ms and iterator_ms above 0")
	case t.TransitionMS < 0 || t.TakeoverMS < 0 || t.ListingLagMS < 0:
		return errors.New("limits: want transition_ms, takeover_ms and listing_lag_ms of 0 or more")
	}
	return nil
}

// Settings implements admin.Tuner.
func (s *Service) Settings() any { return s.tuned() }

// Tune implements admin.Tuner: members that are absent keep their values.
func (s *Service) Tune(raw []byte) error {
	s.tuningMu.Lock()
	defer s.tuningMu.Unlock()
	next := s.tuning
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&next); err != nil {
		return fmt.Errorf("parse limits: %w", err)
	}
	if err := next.Validate(); err != nil {
		return err
	}
	s.tuning = next
	return nil
}

func (s *Service) tuned() Tuning {
	s.tuningMu.RLock()
	defer s.tuningMu.RUnlock()
	return s.tuning
}

// callLimit is the number of calls a second the account may make of an
// operation of the control plane; 0 is no limit here.
func callLimit(operation string) int {
	switch operation {
	case "DescribeLimits":
		return 1
	case "CreateStream", "DeleteStream", "ListStreams", "SplitShard", "MergeShards",
		"RegisterStreamConsumer", "DeregisterStreamConsumer", "ListStreamConsumers",
		"AddTagsToStream", "RemoveTagsFromStream", "ListTagsForStream", "IncreaseStreamRetentionPeriod",
		"DecreaseStreamRetentionPeriod", "EnableEnhancedMonitoring", "DisableEnhancedMonitoring":
		return 5
	case "DescribeStream", "UpdateShardCount":
		return 10
	case "DescribeStreamSummary", "DescribeStreamConsumer":
		return 20
	case "ListShards":
		return 1000
	}
	return 0
}

// admit refuses a call of the control plane above its limit, if limits are on.
func (s *Service) admit(operation string) error {
	rate := callLimit(operation)
	if rate == 0 || !s.tuned().Enforce {
		return nil
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.calls[operation]
	if b == nil {
		b = &bucket{}
		s.calls[operation] = b
	}
	if !b.has(1, rate, now) {
		return wire.Errorf(codeLimit, "Rate exceeded for account %s.", wire.Account)
	}
	b.take(1)
	return nil
}
