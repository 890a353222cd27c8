package kinesis

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Bounds of retention, in hours.
const (
	leastRetention = 24
	mostRetention  = 8760
)

type retentionInput struct {
	streamRef
	RetentionPeriodHours *int
}

func (s *Service) increaseRetention(_ context.Context, r *wire.Request) (any, error) {
	return nil, s.setRetention(r, func(hours, old int) error {
		if hours < old {
			return invalid("Requested retention period (%d hours) for stream must be greater than or equal to its current one (%d hours).", hours, old)
		}
		return nil
	})
}

func (s *Service) decreaseRetention(_ context.Context, r *wire.Request) (any, error) {
	return nil, s.setRetention(r, func(hours, old int) error {
		if hours > old {
			return invalid("Requested retention period (%d hours) for stream must be less than or equal to its current one (%d hours).", hours, old)
		}
		return nil
	})
}

func (s *Service) setRetention(r *wire.Request, check func(hours, old int) error) error {
	var in retentionInput
	if err := r.Decode(&in); err != nil {
		return err
	}
	var c checks
	required(&c, "retentionPeriodHours", in.RetentionPeriodHours)
	if err := c.err(); err != nil {
		return err
	}
	hours := *in.RetentionPeriodHours
	if hours < leastRetention || hours > mostRetention {
		return invalid("Retention period hours must be between %d and %d, but was %d.", leastRetention, mostRetention, hours)
	}
	return s.alter(in.streamRef, func(st *stream) error {
		if err := check(hours, st.hours); err != nil {
			return err
		}
		st.hours = hours
		return nil
	})
}

// alter changes an active stream.
func (s *Service) alter(ref streamRef, change func(st *stream) error) error {
	st, err := s.lookup(ref)
	if err != nil {
		return err
	}
	now, transition := s.now(), s.tuned().TransitionMS
	st.mu.Lock()
	defer st.mu.Unlock()
	if status := st.status(now); status != statusActive {
		return wire.Errorf(codeInUse, "Stream %s under account %s not ACTIVE, instead in state %s", st.name, wire.Account, status)
	}
	if err := change(st); err != nil {
		return err
	}
	st.change(statusUpdating, now, transition)
	return nil
}

func (s *Service) updateMaxRecordSize(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		MaxRecordSizeInKiB *int
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	if required(&c, "maxRecordSizeInKiB", in.MaxRecordSizeInKiB) {
		c.between("maxRecordSizeInKiB", in.MaxRecordSizeInKiB, defaultMaxRecord, greatestMaxRecord)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return nil, s.alter(in.streamRef, func(st *stream) error {
		st.maxRecord = *in.MaxRecordSizeInKiB
		return nil
	})
}

func (s *Service) updateStreamMode(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		StreamModeDetails *streamModeDetails
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	if required(&c, "streamModeDetails", in.StreamModeDetails) {
		c.oneOf("streamModeDetails.streamMode", &in.StreamModeDetails.StreamMode, modeProvisioned, modeOnDemand)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return nil, s.alter(in.streamRef, func(st *stream) error {
		st.mode = in.StreamModeDetails.StreamMode
		return nil
	})
}

// setEncryption serves StartStreamEncryption and StopStreamEncryption: the type
// is kept and shown on records, nothing is encrypted.
func (s *Service) setEncryption(start bool) operation {
	return func(_ context.Context, r *wire.Request) (any, error) {
		var in struct {
			streamRef
			EncryptionType *string
			KeyId          *string
		}
		if err := r.Decode(&in); err != nil {
			return nil, err
		}
		var c checks
		if required(&c, "encryptionType", in.EncryptionType) {
			c.oneOf("encryptionType", in.EncryptionType, "KMS")
		}
		required(&c, "keyId", in.KeyId)
		if err := c.err(); err != nil {
			return nil, err
		}
		return nil, s.alter(in.streamRef, func(st *stream) error {
			st.encryption, st.keyID = "NONE", ""
			if start {
				st.encryption, st.keyID = "KMS", *in.KeyId
			}
			return nil
		})
	}
}

type monitoringOutput struct {
	StreamName               string   `json:"StreamName"`
	StreamARN                string   `json:"StreamARN"`
	CurrentShardLevelMetrics []string `json:"CurrentShardLevelMetrics"`
	DesiredShardLevelMetrics []string `json:"DesiredShardLevelMetrics"`
}

// setMonitoring keeps the names of metrics that nobody measures here.
func (s *Service) setMonitoring(enable bool) operation {
	return func(_ context.Context, r *wire.Request) (any, error) {
		var in struct {
			streamRef
			ShardLevelMetrics []string
		}
		if err := r.Decode(&in); err != nil {
			return nil, err
		}
		var out monitoringOutput
		err := s.alter(in.streamRef, func(st *stream) error {
			names := map[string]bool{}
			for _, m := range st.metrics {
				names[m] = true
			}
			for _, m := range in.ShardLevelMetrics {
				names[m] = enable
			}
			maps.DeleteFunc(names, func(_ string, on bool) bool { return !on })
			next := slices.Sorted(maps.Keys(names))
			out = monitoringOutput{st.name, st.arn, append([]string{}, st.metrics...), append([]string{}, next...)}
			st.metrics = next
			return nil
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

func (s *Service) describeLimits(context.Context, *wire.Request) (any, error) {
	open := 0
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.streams {
		st.mu.RLock()
		open += len(st.open)
		st.mu.RUnlock()
	}
	return map[string]int{"ShardLimit": maxShards, "OpenShardCount": open, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50}, nil
}

// tagRef names a stream by the ResourceARN of the newer tag operations, too.
func tagRef(ref streamRef, resource *string) streamRef {
	if resource != nil {
		arn, _, _ := strings.Cut(*resource, "/consumer/")
		ref.StreamARN = &arn
	}
	return ref
}
