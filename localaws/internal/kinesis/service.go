// Package kinesis is Amazon Kinesis Data Streams in memory.
package kinesis

import (
	"context"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Options of a Service.
type Options struct {
	Now func() time.Time // the clock of arrival times, iterators and subscriptions
	// SubscriptionDuration is how long a SubscribeToShard call lasts.
	SubscriptionDuration time.Duration
	Limits               Limits
}

// Service is the Kinesis of one account in one region. It implements
// wire.Service.
type Service struct{ options Options }

// New returns a service without streams.
func New(o Options) *Service { return &Service{options: o} }

// Name implements wire.Service.
func (s *Service) Name() string { return "kinesis" }

// Target implements wire.Service.
func (s *Service) Target() string { return "Kinesis_20131202" }

// Reset implements wire.Service.
func (s *Service) Reset() {}

// Resource implements wire.Service.
func (s *Service) Resource(*wire.Request) (resource, shard string) { return "", "" }

// Serve implements wire.Service.
func (s *Service) Serve(_ context.Context, r *wire.Request) (any, error) {
	return nil, wire.UnknownOperation("kinesis", r.Operation)
}
