package shard_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// answers is a Reader that gives batches, and ends.
type answers []reader.Batch

func (a answers) Run(ctx context.Context, _ contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	for i := range a {
		if err := sink.Accept(ctx, &a[i], func() {}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// answer is one of an open shard.
func answer(sequences ...string) reader.Batch {
	b := reader.Batch{Next: "next"}
	for _, s := range sequences {
		b.Records = append(b.Records, reader.Record{Sequence: s, Arrived: time.UnixMilli(1_700_000_000_000), Data: []byte("secret")})
	}
	return b
}

// TestShard_CheckpointTrimmed reads a shard whose checkpoint retention may have
// passed: it says so once, and only when the stream has shown it.
func TestShard_CheckpointTrimmed(t *testing.T) {
	at := contract.Start{Type: contract.AtSequenceNumber, Sequence: "20"}
	end := reader.Batch{}
	aggregate := answer("20")
	aggregate.Records[0].Data = explicit(t)
	for name, tc := range map[string]struct {
		start   contract.Start
		answers answers
		want    []string // in the log; none: nothing is reported
	}{
		"still there":           {at, answers{answer("20", "30"), end}, nil},
		"still there, alone":    {at, answers{answer("20"), answer(), answer("30"), end}, nil},
		"after empty answers":   {at, answers{answer(), answer(), answer("20"), end}, nil},
		"nothing was read":      {at, answers{answer(), answer()}, nil},
		"older ones are there":  {at, answers{answer("10", "30"), end}, nil},
		"within an aggregate":   {contract.Start{Type: at.Type, Sequence: "20", Sub: 1}, answers{aggregate, answer("30")}, nil},
		"from the horizon":      {contract.Start{Type: contract.TrimHorizon}, answers{answer("30"), end}, nil},
		"from a time":           {contract.Start{Type: contract.AtTimestamp, TimestampMS: 1}, answers{answer("30"), end}, nil},
		"gone":                  {at, answers{answer("30", "40"), answer("50"), end}, []string{`"first_sequence":"30"`, `"first_arrived":"2023-11-14T`}},
		"gone, empty at first":  {at, answers{answer(), answer("30"), end}, []string{`"first_sequence":"30"`}},
		"gone, of an aggregate": {contract.Start{Type: at.Type, Sequence: "20", Sub: 7}, answers{answer("30")}, []string{`"sub":7`}},
		"gone, and shard's end": {at, answers{answer(), end}, []string{`"sub":0,"message"`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := dispatch.New(dispatch.Options{BatchSize: 1, Limit: 1, Process: func(_ context.Context, _ []handler.Message, done func([]int)) { done(nil) }})
				o, log := &observer{}, &bytes.Buffer{}
				outcomes := make(chan shard.Outcome, 1)
				shard.Start(context.Background(), shard.Deps{Dispatcher: d, Reader: tc.answers, Observer: o, Log: zerolog.New(log)},
					contract.Grant{Shard: "s", Generation: 7, Start: tc.start}, time.Now().Add(time.Hour), func(o shard.Outcome) { outcomes <- o })
				<-outcomes
				said := log.String()
				if want := min(1, len(tc.want)); o.trimmed != want || strings.Count(said, "\n") != want {
					t.Errorf("counted %d and said %q, want %d of both", o.trimmed, said, want)
				}
				if len(tc.want) > 0 {
					tc.want = append(tc.want, `"shard":"s"`, `"generation":7`, `"checkpoint":"20"`)
				}
				for _, want := range tc.want {
					if !strings.Contains(said, want) || strings.Contains(said, "secret") {
						t.Errorf("said %q, want %s", said, want)
					}
				}
				time.Sleep(time.Minute) // goroutines that wait for batches end
			})
		})
	}
}
