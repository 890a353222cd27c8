package stream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/stream"
)

// api answers from lists, one element a call.
type api struct {
	summaries []types.StreamDescriptionSummary
	pages     [][]types.Shard
	lists     bool // each page is a list of its own, and the last one stays
	err       error
	tokens    []string // tokens that ListShards was called with
}

func (a *api) DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error) {
	if a.err != nil {
		return nil, a.err
	}
	first := a.summaries[0]
	if len(a.summaries) > 1 {
		a.summaries = a.summaries[1:]
	}
	return &kinesis.DescribeStreamSummaryOutput{StreamDescriptionSummary: &first}, nil
}

func (a *api) ListShards(_ context.Context, in *kinesis.ListShardsInput, _ ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error) {
	if a.err != nil {
		return nil, a.err
	}
	if (in.StreamName != nil) == (in.NextToken != nil) {
		return nil, errors.New("want a name or a token")
	}
	a.tokens = append(a.tokens, aws.ToString(in.NextToken))
	out := &kinesis.ListShardsOutput{Shards: a.pages[0]}
	if a.lists {
		a.pages = a.pages[min(1, len(a.pages)-1):]
	} else if a.pages = a.pages[1:]; len(a.pages) > 0 {
		out.NextToken = aws.String("more")
	}
	return out, nil
}

func TestStream_MaxRecord(t *testing.T) {
	creating := types.StreamDescriptionSummary{StreamStatus: types.StreamStatusCreating}
	for name, tc := range map[string]struct {
		summaries []types.StreamDescriptionSummary
		err       error
		want      int
		problem   string
	}{
		"default":        {summaries: []types.StreamDescriptionSummary{{StreamStatus: types.StreamStatusActive}}, want: 1 << 20},
		"raised":         {summaries: []types.StreamDescriptionSummary{{StreamStatus: types.StreamStatusUpdating, MaxRecordSizeInKiB: aws.Int32(10240)}}, want: 10 << 20},
		"being created":  {summaries: []types.StreamDescriptionSummary{creating, creating, {StreamStatus: types.StreamStatusActive}}, want: 1 << 20},
		"always created": {summaries: []types.StreamDescriptionSummary{creating}, problem: "still being created"},
		"being deleted":  {summaries: []types.StreamDescriptionSummary{{StreamStatus: types.StreamStatusDeleting}}, problem: "being deleted"},
		"absent":         {err: &types.ResourceNotFoundException{}, problem: `no such stream: "test": create it, or set PRODUCER_STREAM`},
		"other":          {err: errors.New("oops"), problem: `describe stream "test": oops`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				got, err := stream.New(&api{summaries: tc.summaries, err: tc.err}, "test").MaxRecord(ctx)
				if got != tc.want || (err != nil) != (tc.problem != "") || err != nil && !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %d, %v, want %d, %q", got, err, tc.want, tc.problem)
				}
			})
		})
	}
}

func TestStream_Shards(t *testing.T) {
	const half = "170141183460469231731687303715884105728"
	shard := func(id, start, end string, closed bool) types.Shard {
		s := types.Shard{ShardId: &id, HashKeyRange: &types.HashKeyRange{StartingHashKey: &start, EndingHashKey: &end}, SequenceNumberRange: &types.SequenceNumberRange{StartingSequenceNumber: aws.String("1")}}
		if closed {
			s.SequenceNumberRange.EndingSequenceNumber = aws.String("2")
		}
		return s
	}
	old := shard("old", "0", "340282366920938463463374607431768211455", true)
	a := shard("a", "0", "170141183460469231731687303715884105727", false)
	b := shard("b", half, "340282366920938463463374607431768211455", false)
	calls := &api{pages: [][]types.Shard{{old}, {b}, {a}}}
	m, err := stream.New(calls, "test").Shards(t.Context())
	if err != nil || m.Len() != 2 || strings.Join(calls.tokens, ",") != ",more,more" {
		t.Fatalf("got %v, %v after tokens %q, want two open shards of three pages", m, err, calls.tokens)
	}
	at, err := shards.ParseHash(half)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.ID(m.Find(at)); got != "b" {
		t.Errorf("got %s, want b", got)
	}
	if _, known := m.Range("old"); !known {
		t.Error("the closed shard is not known")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		dividing := &api{lists: true, pages: [][]types.Shard{{a}, {a, b, old}, {}}}
		if m, err := stream.New(dividing, "test").Shards(ctx); err != nil || m.Len() != 2 {
			t.Errorf("got %v, %v, want the second list, which has no gap", m, err)
		}
		if _, err := stream.New(dividing, "test").Shards(ctx); err == nil || !strings.Contains(err.Error(), "still being resharded: map shards: no open shard") {
			t.Errorf("got %v, want an error for what never fits", err)
		}
	})
	if _, err := stream.New(&api{pages: [][]types.Shard{{{ShardId: aws.String("x")}}}}, "test").Shards(t.Context()); err == nil {
		t.Error("got no error for a shard without a range")
	}
}

func TestDenied(t *testing.T) {
	if !stream.Denied(&smithy.GenericAPIError{Code: "AccessDeniedException"}) || stream.Denied(&types.ResourceNotFoundException{}) || stream.Denied(nil) {
		t.Error("a denied permission is not told apart")
	}
}
