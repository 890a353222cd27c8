// Package config has leasekeeper's settings.
package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/logging"
)

// Prefix begins the names of the variables.
const Prefix = "LEASEKEEPER"

// Bounds of the lease duration. Below a second, attempts at a table would have
// to be shorter than what a table takes.
const (
	minDuration = time.Second
	maxDuration = lease.MaxDuration
)

// Values of Settings.Metrics.
const (
	MetricsPrometheus = "prometheus"
	MetricsEMF        = "emf"
	MetricsNone       = "none"
)

// Settings come from the environment; the README has the table.
type Settings struct {
	Stream             string        `default:"test" desc:"the Kinesis stream to read"`
	LeaseTable         string        `split_words:"true" default:"leases" desc:"DynamoDB table for leases, hash key leaseKey (S)"`
	WorkerTable        string        `split_words:"true" default:"workers" desc:"DynamoDB table for workers, hash key workerId (S), TTL on expiresAt"`
	Listen             string        `default:"127.0.0.1:9400" desc:"address of the consumer's contract, /v1/status, the page, /healthz, /readyz and /metrics"`
	LeaseDuration      time.Duration `split_words:"true" default:"8s" desc:"D: a worker that is silent this long is dead; 1s to 1m, the same for a fleet"`
	InitialPosition    string        `split_words:"true" default:"TRIM_HORIZON" desc:"TRIM_HORIZON, LATEST or an RFC 3339 time; matters once, to the first worker on new tables"`
	MaxLeases          int           `split_words:"true" default:"0" desc:"hold no more leases than these; 0: no cap"`
	ForeignWait        time.Duration `split_words:"true" default:"30s" desc:"a KCL application's lease must stand still this long before it is taken over; above its failoverTimeMillis"`
	CheckpointInterval time.Duration `split_words:"true" default:"2s" desc:"between two checkpoint writes of one lease, at least; nothing is written where nothing moved"`
	DrainTimeout       time.Duration `split_words:"true" default:"25s" desc:"from SIGTERM to exit, at most; at least twice the lease duration, and below the ECS stopTimeout (on Fargate at most 120s, so a lease duration below 1m there)"`
	Metrics            string        `default:"prometheus" desc:"prometheus (at /metrics), emf (CloudWatch embedded metrics on standard output each minute, and /metrics) or none"`
	LogLevel           string        `split_words:"true" default:"info" desc:"trace, debug, info, warn or error"`
	LogFormat          string        `split_words:"true" default:"json" desc:"json, or console for people"`
}

// Validate implements settings.Validator.
func (s *Settings) Validate() []error {
	var problems []error
	check := func(good bool, name, want string) {
		if !good {
			problems = append(problems, fmt.Errorf("%s_%s: want %s", Prefix, name, want))
		}
	}
	_, _, addressErr := net.SplitHostPort(s.Listen)
	_, _, positionErr := s.Position()
	check(s.Stream != "" && len(s.Stream) <= 128, "STREAM", "the name of a stream")
	check(len(s.LeaseTable) >= 3 && len(s.LeaseTable) <= 255, "LEASE_TABLE", "the name of a table, 3 to 255 characters")
	check(len(s.WorkerTable) >= 3 && len(s.WorkerTable) <= 255, "WORKER_TABLE", "the name of a table, 3 to 255 characters")
	check(s.LeaseTable != s.WorkerTable, "WORKER_TABLE", "another table than LEASEKEEPER_LEASE_TABLE")
	check(addressErr == nil, "LISTEN", "an address such as 127.0.0.1:9400")
	check(s.LeaseDuration >= minDuration && s.LeaseDuration <= maxDuration, "LEASE_DURATION", "1s to 1m")
	check(positionErr == nil, "INITIAL_POSITION", "TRIM_HORIZON, LATEST or an RFC 3339 time such as 2026-11-23T12:00:00Z")
	check(s.MaxLeases >= 0, "MAX_LEASES", "0 or more")
	check(s.ForeignWait >= time.Second && s.ForeignWait <= time.Hour, "FOREIGN_WAIT", "1s to 1h")
	check(s.CheckpointInterval >= 100*time.Millisecond && s.CheckpointInterval <= 10*time.Minute, "CHECKPOINT_INTERVAL", "100ms to 10m")
	check(s.DrainTimeout >= 2*s.LeaseDuration && s.DrainTimeout <= 10*time.Minute, "DRAIN_TIMEOUT", "at least twice the lease duration, and no more than 10m")
	check(slices.Contains([]string{MetricsPrometheus, MetricsEMF, MetricsNone}, s.Metrics), "METRICS", "prometheus, emf or none")
	check(logging.ValidLevel(s.LogLevel), "LOG_LEVEL", "trace, debug, info, warn or error")
	check(logging.ValidFormat(s.LogFormat), "LOG_FORMAT", "json or console")
	return problems
}

var errPosition = errors.New("neither a known word nor a time")

// Position returns the initial position as the lease table has it, and the time
// for lease.AtTimestamp.
func (s *Settings) Position() (string, time.Time, error) {
	switch s.InitialPosition {
	case lease.TrimHorizon, lease.Latest:
		return s.InitialPosition, time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, s.InitialPosition)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("parse initial position: %w", errPosition)
	}
	return lease.AtTimestamp, at.UTC(), nil
}

// Attempt bounds one request to AWS: well inside a heartbeat, a quarter of the
// lease duration.
func (s *Settings) Attempt() time.Duration { return min(s.LeaseDuration/8, time.Second) }
