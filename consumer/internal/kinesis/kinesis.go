// Package kinesis is Amazon Kinesis as a reader.Source.
package kinesis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// callTimeout bounds one call, a large answer included.
const callTimeout = 20 * time.Second

// Source implements reader.Source. It makes every call once: the reader tries
// again, at its own pace.
type Source struct {
	client  *kinesis.Client
	options kinesis.Options
	log     zerolog.Logger

	direct   sync.Map // from to to *wire.Direct
	onlyJSON atomic.Bool
}

// New returns a Source, which reads in CBOR as long as the answers are good.
func New(cfg aws.Config, log zerolog.Logger, options ...func(*kinesis.Options)) *Source {
	options = append([]func(*kinesis.Options){func(o *kinesis.Options) {
		o.Retryer = aws.NopRetryer{}
		o.Protocol = wire.Protocol{ClientProtocol: o.Protocol}
		o.Credentials = wire.Credentials(o.Credentials)
	}}, options...)
	client := kinesis.NewFromConfig(cfg, options...)
	return &Source{client: client, options: client.Options(), log: log}
}

// Iterator implements reader.Source.
func (s *Source) Iterator(ctx context.Context, g contract.Grant, at reader.Start) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	in := &kinesis.GetShardIteratorInput{ShardId: aws.String(g.Shard)}
	in.StreamARN, in.StreamName = stream(g)
	switch {
	case at.After != "":
		in.ShardIteratorType = types.ShardIteratorTypeAfterSequenceNumber
		in.StartingSequenceNumber = aws.String(at.After)
	case at.Type == contract.AtSequenceNumber:
		in.ShardIteratorType = types.ShardIteratorTypeAtSequenceNumber
		in.StartingSequenceNumber = aws.String(at.Sequence)
	case at.Type == contract.AtTimestamp:
		in.ShardIteratorType = types.ShardIteratorTypeAtTimestamp
		in.Timestamp = aws.Time(time.UnixMilli(at.TimestampMS))
	case at.Type == contract.TrimHorizon:
		in.ShardIteratorType = types.ShardIteratorTypeTrimHorizon
	default:
		return "", fmt.Errorf("get iterator: start type %q is not known", at.Type)
	}
	out, err := s.client.GetShardIterator(ctx, in)
	if err != nil {
		return "", fmt.Errorf("get iterator: %w", misplaced(at, classify(err)))
	}
	return aws.ToString(out.ShardIterator), nil
}

// stream returns the stream's ARN if the grant has it, else its name.
func stream(g contract.Grant) (arn, name *string) {
	if g.StreamARN != "" {
		return aws.String(g.StreamARN), nil
	}
	return nil, aws.String(g.Stream)
}

// Records implements reader.Source. It calls directly; what comes of that other
// than records and the usual errors, the SDK's client makes sense of, which
// calls again, in JSON. When that works where CBOR did not, CBOR is not used any
// more.
func (s *Source) Records(ctx context.Context, g contract.Grant, iterator string) (*reader.Batch, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	encoding := s.encoding()
	b, err := s.directly(ctx, g, iterator, encoding)
	if err == nil || !isUnusual(err) {
		return b, err
	}
	b, sdkErr := s.viaSDK(ctx, g, iterator)
	if sdkErr == nil && encoding == typeCBOR && !isOfCaller(err) && !s.onlyJSON.Swap(true) {
		s.log.Warn().AnErr("reason", err).Msg("reading in CBOR does not work, in JSON it does: JSON from now on")
	}
	return b, sdkErr
}

// OnlyJSON has the Source read in JSON from now on.
func (s *Source) OnlyJSON() { s.onlyJSON.Store(true) }

func (s *Source) encoding() string {
	if s.onlyJSON.Load() {
		return typeJSON
	}
	return typeCBOR
}

var (
	errIndirect = errors.New("direct calls cannot be made")
	errAnswer   = errors.New("answer is not understood")
)

// directly makes a direct call.
func (s *Source) directly(ctx context.Context, g contract.Grant, iterator, encoding string) (b *reader.Batch, err error) {
	d := s.directTo(g.StreamARN, encoding)
	if d == nil {
		return nil, errIndirect
	}
	request := appendRequest
	if encoding == typeCBOR {
		request = appendRequestCBOR
	}
	body, err := d.Call(ctx, request(nil, iterator, g.StreamARN))
	if err != nil {
		return nil, fmt.Errorf("get records: %w", classify(err))
	}
	var ok bool
	if encoding == typeCBOR {
		b, ok = DecodeCBOR(body)
	} else if b, ok, err = Decode(body); err != nil {
		return nil, fmt.Errorf("get records: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("get records: %w", errAnswer)
	}
	return counted(b, len(body)), nil
}

func (s *Source) viaSDK(ctx context.Context, g contract.Grant, iterator string) (*reader.Batch, error) {
	in := &kinesis.GetRecordsInput{ShardIterator: aws.String(iterator)}
	in.StreamARN, _ = stream(g)
	var b *reader.Batch
	var size int
	out, err := s.client.GetRecords(wire.With(ctx, &wire.Exchange{Decode: func(body []byte) (ok bool, err error) {
		size = len(body)
		b, ok, err = Decode(body)
		return ok, err
	}}), in)
	if err != nil {
		return nil, fmt.Errorf("get records: %w", untaken(classify(err)))
	}
	if b == nil {
		b = convert(out)
	}
	return counted(b, size), nil
}

func counted(b *reader.Batch, size int) *reader.Batch {
	b.Cost = int64(size) + int64(len(b.Records))*recordCost
	return b
}

// recordCost is the memory a record takes beside its answer's body.
const recordCost = 96

// convert makes a Batch of an answer that the SDK has read.
func convert(out *kinesis.GetRecordsOutput) *reader.Batch {
	b := &reader.Batch{
		Next:     aws.ToString(out.NextShardIterator),
		BehindMS: aws.ToInt64(out.MillisBehindLatest),
		Children: children(out.ChildShards),
	}
	b.Records, b.Payload = records(out.Records)
	return b
}

func records(in []types.Record) (out []reader.Record, payload int64) {
	out = make([]reader.Record, len(in))
	for i, r := range in {
		out[i] = reader.Record{
			Sequence: aws.ToString(r.SequenceNumber), PartitionKey: aws.ToString(r.PartitionKey),
			Arrived: aws.ToTime(r.ApproximateArrivalTimestamp), Data: r.Data,
		}
		payload += int64(len(r.Data) + len(out[i].PartitionKey))
	}
	return out, payload
}

func children(in []types.ChildShard) []contract.ChildShard {
	var out []contract.ChildShard
	for _, c := range in {
		child := contract.ChildShard{Shard: aws.ToString(c.ShardId), Parents: c.ParentShards}
		if h := c.HashKeyRange; h != nil {
			child.HashKeyRange = &contract.HashKeyRange{Start: aws.ToString(h.StartingHashKey), End: aws.ToString(h.EndingHashKey)}
		}
		out = append(out, child)
	}
	return out
}
