package shard_test

import (
	"context"
	"encoding/json"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
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

// records is a Reader that gives its records and ends.
type records []reader.Record

func (r records) Run(ctx context.Context, _ contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	return nil, sink.Accept(ctx, &reader.Batch{Records: r}, func() {})
}

// batch is a Reader that gives its records, notes when they are let go, and ends.
type batch struct {
	records  records
	released atomic.Bool
}

func (b *batch) Run(ctx context.Context, _ contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	return nil, sink.Accept(ctx, &reader.Batch{Records: b.records}, func() { b.released.Store(true) })
}

// observer counts.
type observer struct{ damaged, outOfRange, unpacked, trimmed int }

func (o *observer) Damaged()           { o.damaged++ }
func (o *observer) OutOfRange()        { o.outOfRange++ }
func (o *observer) Unpacked(n int)     { o.unpacked += n }
func (o *observer) CheckpointTrimmed() { o.trimmed++ }

// explicit is the vector with explicit hash keys 0, 2^128-1, none (key c) and 0.
func explicit(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../kpl/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name      string
		Aggregate []byte
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors[2].Aggregate
}

// TestShard_Aggregates reads a plain record, an aggregate and a damaged one, on
// a shard with the lower half of the hash keys: two of the aggregate's four
// messages are within it (the MD5 of c begins with 4a).
func TestShard_Aggregates(t *testing.T) {
	for name, tc := range map[string]struct {
		skip    bool
		start   contract.Start
		want    []int64 // sub-sequences of the aggregate's messages that are handled
		outside int
	}{
		"handled":          {want: []int64{0, 1, 2, 3}, outside: 1},
		"skipped":          {skip: true, want: []int64{0, 2, 3}, outside: 1},
		"resumed within":   {start: contract.Start{Type: contract.AtSequenceNumber, Sequence: "20", Sub: 1}, want: []int64{2, 3}},
		"resumed at end":   {start: contract.Start{Type: contract.AtSequenceNumber, Sequence: "20", Sub: 3}},
		"resumed long ago": {start: contract.Start{Type: contract.AtSequenceNumber, Sequence: "9", Sub: 3}, want: []int64{0, 1, 2, 3}, outside: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good := explicit(t)
				damaged := append([]byte{}, good...)
				damaged[9] ^= 1
				input := records{{Sequence: "10", Data: []byte("plain")}, {Sequence: "20", Data: good}, {Sequence: "30", Data: damaged}}
				var mu sync.Mutex
				got := map[string][]int64{}
				d := dispatch.New(dispatch.Options{BatchSize: 1, Limit: 1, Unordered: true, Process: func(_ context.Context, batch []handler.Message, done func([]int)) {
					mu.Lock()
					defer mu.Unlock()
					got[batch[0].Sequence] = append(got[batch[0].Sequence], batch[0].SubSequence)
					done(nil)
				}})
				o := &observer{}
				outcomes := make(chan shard.Outcome, 1)
				g := contract.Grant{Shard: "s", Start: tc.start, HashKeyRange: &contract.HashKeyRange{Start: "0", End: "170141183460469231731687303715884105727"}}
				shard.Start(context.Background(), shard.Deps{Dispatcher: d, Reader: input, Observer: o, Skip: tc.skip, Log: zerolog.Nop()}, g,
					time.Now().Add(time.Hour), func(o shard.Outcome) { outcomes <- o })
				out := <-outcomes
				if !out.Ended || out.Progress.Checkpoint.Sequence != "30" {
					t.Errorf("got %+v, want ended at 30", out)
				}
				if len(got["20"]) != len(tc.want) {
					t.Fatalf("got sub-sequences %v, want %v", got["20"], tc.want)
				}
				for i, sub := range tc.want {
					if got["20"][i] != sub {
						t.Errorf("got sub-sequences %v, want %v", got["20"], tc.want)
					}
				}
				if len(got["30"]) != 1 || o.damaged != 1 || o.outOfRange != tc.outside || o.unpacked != 4 {
					t.Errorf("got %v and %+v, want the damaged one whole and %d out of range", got, o, tc.outside)
				}
				time.Sleep(time.Minute) // goroutines that wait for batches end
			})
		})
	}
}

// TestShard_Release lets what was read go when the last message of it is done,
// not before; and messages carry the fencing token.
func TestShard_Release(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		input := &batch{}
		for i := range 600 { // more than are admitted at a time
			input.records = append(input.records, reader.Record{Sequence: strconv.Itoa(i + 1), PartitionKey: strconv.Itoa(i)})
		}
		input.records = append(input.records, reader.Record{Sequence: "601", Data: explicit(t)})
		var handled atomic.Int64
		d := dispatch.New(dispatch.Options{BatchSize: 1, Limit: 1, Queue: 1000, ShardQueue: 1000, Process: func(_ context.Context, batch []handler.Message, done func([]int)) {
			time.Sleep(time.Millisecond)
			if input.released.Load() {
				t.Errorf("let go after %d messages were done", handled.Load())
			}
			if batch[0].Generation != 7 || batch[0].Stream != "test" || batch[0].Shard != "s" {
				t.Errorf("got %+v, want it to say where it came from", batch[0])
			}
			handled.Add(1)
			done(nil)
		}})
		outcomes := make(chan shard.Outcome, 1)
		shard.Start(context.Background(), shard.Deps{Dispatcher: d, Reader: input, Observer: &observer{}, Log: zerolog.Nop()},
			contract.Grant{Stream: "test", Shard: "s", Generation: 7}, time.Now().Add(time.Hour), func(o shard.Outcome) { outcomes <- o })
		if out := <-outcomes; !out.Ended || handled.Load() != 604 || !input.released.Load() {
			t.Errorf("got %+v after %d messages, let go: %v, want all 604 done", out, handled.Load(), input.released.Load())
		}
		time.Sleep(time.Minute) // goroutines that wait for batches end
	})
}
