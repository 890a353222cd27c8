package dynamo_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/dynamo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

func tables(t *testing.T) *dynamo.Tables {
	a := awstest.Start(t)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	return dynamo.New(a.DynamoDB("test"), "leases", "workers", 5*time.Second)
}

func genCheckpoint(t *rapid.T) lease.Checkpoint {
	return lease.Checkpoint{Sequence: rapid.SampledFrom([]string{lease.TrimHorizon, "7", "42", lease.ShardEnd}).Draw(t, "sequence"),
		Sub: rapid.Int64Range(0, 1).Draw(t, "sub")}
}

func genLeaseWrite(t *rapid.T, shard string) lease.LeaseWrite {
	owner := rapid.SampledFrom([]string{"", "a/00000001", "b/00000002"})
	w := lease.LeaseWrite{Shard: shard}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		w.Create = &lease.Row{Shard: shard, Checkpoint: genCheckpoint(t), Counter: rapid.Int64Range(0, 1).Draw(t, "counter"),
			Owner: owner.Draw(t, "owner"), HashStart: "0", HashEnd: "9", Parents: []string{"p0", "p1"},
			InitialTimestamp: time.UnixMilli(1234567).UTC()}
		return w
	case 1:
		w.Delete = true
	default:
		w.Change = &lease.LeaseChange{Owner: owner.Draw(t, "newOwner"), Counter: rapid.Int64Range(0, 2).Draw(t, "newCounter"),
			OwnerSwitches: 1, DropForeign: rapid.Bool().Draw(t, "drop")}
		if w.Change.Owner != "" {
			w.Change.WorkerTable = rapid.SampledFrom([]string{"", "workers", "others"}).Draw(t, "workerTable")
		}
		if rapid.Bool().Draw(t, "withCheckpoint") {
			c := genCheckpoint(t)
			w.Change.Checkpoint = &c
		}
		if rapid.Bool().Draw(t, "withRewind") {
			w.Change.Rewind = genRewind().Draw(t, "rewind")
		}
		if rapid.Bool().Draw(t, "withBehind") {
			w.Change.Behind = map[string]int64{"p0": 3, "p1": rapid.Int64Range(0, 9).Draw(t, "behind")}
		}
		if rapid.Bool().Draw(t, "withChildren") {
			w.Change.Children = []string{"c0", "c1"}
		}
	}
	w.If = lease.LeaseCondition{Owner: owner.Draw(t, "ifOwner"), Counter: rapid.Int64Range(0, 2).Draw(t, "ifCounter")}
	if rapid.Bool().Draw(t, "ifCheckpoint") {
		c := genCheckpoint(t)
		w.If.Checkpoint = &c
	}
	return w
}

// The table does exactly what Apply says: every condition of rules 1, 3, 4, 7
// and 10 rests on it.
func TestTables_LeaseWritesAsApply(t *testing.T) {
	db, n := tables(t), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		shard := fmt.Sprintf("shard-%d", n)
		var want *lease.Row
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			w := genLeaseWrite(t, shard)
			next, applied := w.Apply(want)
			got := db.Execute(context.Background(), w)
			if got.Outcome != outcome(applied) || !reflect.DeepEqual(got.Lease, next) {
				t.Fatalf("%+v on %+v: got %v %+v (%v), want applied %v %+v", w, want, got.Outcome, got.Lease, got.Err, applied, next)
			}
			want = next
		}
		if got := db.Execute(context.Background(), lease.GetLease{Shard: shard}); !reflect.DeepEqual(got.Lease, want) {
			t.Fatalf("get: got %+v, want %+v", got.Lease, want)
		}
	})
}

// Rows that somebody edited in a console are met as they are read: empty,
// NULL, of another type and missing are all the same.
func TestTables_DamagedRowsAsApply(t *testing.T) {
	a := awstest.Start(t)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	api := a.DynamoDB("test")
	db, n := dynamo.New(api, "leases", "workers", 5*time.Second), 0
	text := []types.AttributeValue{nil, &types.AttributeValueMemberS{}, &types.AttributeValueMemberNULL{Value: true},
		&types.AttributeValueMemberN{Value: "7"}, &types.AttributeValueMemberS{Value: "42"}}
	number := []types.AttributeValue{nil, &types.AttributeValueMemberN{Value: "0"}, &types.AttributeValueMemberNULL{Value: true},
		&types.AttributeValueMemberS{Value: "1"}, &types.AttributeValueMemberN{Value: "1"}}
	rapid.Check(t, func(t *rapid.T) {
		n++
		shard := fmt.Sprintf("shard-%d", n)
		damaged := map[string]types.AttributeValue{"leaseKey": &types.AttributeValueMemberS{Value: shard}}
		for name, values := range map[string][]types.AttributeValue{"leaseOwner": text, "checkpoint": text, "leaseCounter": number, "checkpointSubSequenceNumber": number} {
			if v := rapid.SampledFrom(values).Draw(t, name); v != nil {
				damaged[name] = v
			}
		}
		if _, err := api.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("leases"), Item: damaged}); err != nil {
			t.Fatal(err)
		}
		row := db.Execute(context.Background(), lease.GetLease{Shard: shard}).Lease
		w := lease.LeaseWrite{Shard: shard, If: lease.LeaseCondition{Owner: row.Owner, Counter: row.Counter, Checkpoint: &row.Checkpoint},
			Change: &lease.LeaseChange{Owner: "a/00000001", Counter: row.Counter + 1}}
		want, _ := w.Apply(row)
		if got := db.Execute(context.Background(), w); got.Outcome != lease.Applied || !reflect.DeepEqual(got.Lease, want) {
			t.Fatalf("%+v on %v: got %v %+v (%v), want it applied: %+v", w, damaged, got.Outcome, got.Lease, got.Err, want)
		}
	})
}

func outcome(applied bool) lease.Outcome {
	if applied {
		return lease.Applied
	}
	return lease.Refused
}

func genWorkerWrite(t *rapid.T, id string) lease.WorkerWrite {
	row := &lease.Worker{ID: id, Counter: rapid.Int64Range(1, 3).Draw(t, "counter"),
		State:    rapid.SampledFrom([]lease.State{lease.Active, lease.Draining}).Draw(t, "state"),
		Duration: 8 * time.Second, Ready: rapid.Bool().Draw(t, "ready"), MaxLeases: 3, Version: "1.0.0",
		Held:      []lease.Held{{Shard: "s0", Generation: 4, BytesPerSecond: 5 << 10, LagMillis: 600, Moving: true, To: 7}, {Shard: "s1", Generation: 1}},
		StartedAt: time.UnixMilli(99).UTC(), ExpiresAt: time.Unix(77, 0).UTC(), Requests: rapid.Int64Range(0, 2).Draw(t, "requests")}
	w := lease.WorkerWrite{Worker: id}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		w.Create = row
		return w
	case 1:
		w.Evict = true
	case 2:
		w.Delete = true
	default:
		w.Put = row
	}
	w.If = lease.WorkerCondition{Counter: rapid.Int64Range(1, 3).Draw(t, "ifCounter"), Evicted: rapid.IntRange(0, 3).Draw(t, "ifEvicted") == 0}
	return w
}

func TestTables_WorkerWritesAsApply(t *testing.T) {
	db, n := tables(t), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		id := fmt.Sprintf("w/%08x", n)
		var want *lease.Worker
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			w := genWorkerWrite(t, id)
			next, applied := w.Apply(want)
			got := db.Execute(context.Background(), w)
			if got.Outcome != outcome(applied) || !reflect.DeepEqual(got.Worker, next) {
				t.Fatalf("%+v on %+v: got %v %+v (%v), want applied %v %+v", w, want, got.Outcome, got.Worker, got.Err, applied, next)
			}
			want = next
		}
	})
}

// What a row says it holds is never taken for nothing when it cannot be read.
func TestTables_HeldUnreadable(t *testing.T) {
	a := awstest.Start(t)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	db := dynamo.New(a.DynamoDB("test"), "leases", "workers", 5*time.Second)
	for id, held := range map[string]types.AttributeValue{
		"a/00000001": nil,
		"b/00000002": &types.AttributeValueMemberM{},
		"c/00000003": &types.AttributeValueMemberB{Value: []byte{1, 0}},
		"d/00000004": &types.AttributeValueMemberB{Value: []byte{99}},
	} {
		item := map[string]types.AttributeValue{"workerId": &types.AttributeValueMemberS{Value: id}, "counter": &types.AttributeValueMemberN{Value: "7"}}
		if held != nil {
			item["held"] = held
		}
		if _, err := a.DynamoDB("test").PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("workers"), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	got := db.Execute(t.Context(), lease.ScanWorkers{})
	if got.Outcome != lease.Applied || len(got.Workers) != 4 {
		t.Fatalf("got %v with %d workers, want all of them", got.Outcome, len(got.Workers))
	}
	for _, w := range got.Workers {
		if w.Counter != 7 || w.HeldErr == nil || !strings.Contains(w.HeldErr.Error(), w.ID) {
			t.Errorf("got %+v, want its heartbeat and an error that names it", w)
		}
	}
}

func genRewind() *rapid.Generator[*lease.Rewind] {
	return rapid.SampledFrom([]*lease.Rewind{
		{ID: 3, To: lease.TrimHorizon, Shards: []string{"s0"}},
		{ID: 4, To: lease.AtTimestamp, At: time.UnixMilli(77).UTC(), Shards: []string{"s0", "s1"}},
		{ID: 5, To: "42", Shards: []string{"s1"}},
	})
}

func genStreamWrite(t *rapid.T) lease.StreamWrite {
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return lease.StreamWrite{Create: &lease.Stream{ARN: "arn", CreatedAt: time.UnixMilli(5).UTC(), ShardMapVersion: 1,
			InitialPosition: lease.TrimHorizon}}
	case 1:
		return lease.StreamWrite{}
	case 2:
		return lease.StreamWrite{LeaseTable: rapid.SampledFrom([]string{"leases", "others"}).Draw(t, "leaseTable")}
	}
	rewind := genRewind().Draw(t, "rewind")
	if rapid.Bool().Draw(t, "noRewind") {
		rewind = nil
	}
	return lease.StreamWrite{Request: &lease.StreamRequest{Rewind: rewind, Seen: rapid.Int64Range(0, 3).Draw(t, "seen"), Paused: rapid.Bool().Draw(t, "paused"),
		Released: rapid.SampledFrom([][]string{nil, {"a/00000001"}, {"a/00000001", "b/00000002"}}).Draw(t, "released")}}
}

// Requests and versions do not overwrite each other.
func TestTables_StreamWritesAsApply(t *testing.T) {
	db := tables(t)
	var want *lease.Stream // one row for all runs: there is only one
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			w := genStreamWrite(t)
			if w.Request != nil && want != nil && rapid.Bool().Draw(t, "known") {
				w.Request.Seen = want.Requests
			}
			next, applied := w.Apply(want)
			got := db.Execute(context.Background(), w)
			if got.Outcome != outcome(applied) || !reflect.DeepEqual(got.Stream, next) {
				t.Fatalf("%+v on %+v: got %v %+v (%v), want applied %v %+v", w, want, got.Outcome, got.Stream, got.Err, applied, next)
			}
			want = next
		}
	})
}

// Scans read every page, keep the stream's row apart from workers, and leave
// out rows that are no leases.
func TestTables_Scans(t *testing.T) {
	db := tables(t)
	const many = 1200
	long := strings.Repeat("x", 1500) // so that there are pages
	for i := range many {
		shard := fmt.Sprintf("shard-%04d", i)
		if a := db.Execute(context.Background(), lease.LeaseWrite{Shard: shard, Create: &lease.Row{Shard: shard,
			Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}, Parents: []string{long}}}); a.Outcome != lease.Applied {
			t.Fatalf("create: %v %v", a.Outcome, a.Err)
		}
	}
	if a := db.Execute(context.Background(), lease.ScanLeases{}); a.Outcome != lease.Applied || len(a.Leases) != many {
		t.Errorf("got %v with %d leases, want %d", a.Outcome, len(a.Leases), many)
	}
	stream := &lease.Stream{ARN: "arn", CreatedAt: time.UnixMilli(5).UTC(), ShardMapVersion: 1, InitialPosition: lease.AtTimestamp,
		InitialTimestamp: time.UnixMilli(6).UTC()}
	db.Execute(context.Background(), lease.StreamWrite{Create: stream})
	if a := db.Execute(context.Background(), lease.StreamWrite{Create: &lease.Stream{ARN: "other"}}); a.Outcome != lease.Refused || a.Stream.ARN != "arn" {
		t.Errorf("second #stream: got %v %+v, want the first one back", a.Outcome, a.Stream)
	}
	if a := db.Execute(context.Background(), lease.StreamWrite{}); a.Outcome != lease.Applied || a.Stream.ShardMapVersion != 2 {
		t.Errorf("bump: got %v %+v, want version 2", a.Outcome, a.Stream)
	}
	a := db.Execute(context.Background(), lease.ScanWorkers{})
	stream.ShardMapVersion = 2
	if a.Outcome != lease.Applied || len(a.Workers) != 0 || !reflect.DeepEqual(a.Stream, stream) {
		t.Errorf("got %v %+v %+v, want only the stream's row %+v", a.Outcome, a.Workers, a.Stream, stream)
	}
}

// slow answers a scan after 900 ms.
type slow struct{ dynamo.API }

func (slow) Scan(ctx context.Context, _ *dynamodb.ScanInput, _ ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(900 * time.Millisecond):
		return &dynamodb.ScanOutput{}, nil
	}
}

// With a lease duration of a second a request that a heartbeat waits for has an
// eighth of it. A page of the lease table, 1 MB of it, may take longer.
func TestTables_SlowScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := dynamo.New(slow{}, "leases", "workers", 125*time.Millisecond)
		if a := db.Execute(t.Context(), lease.ScanLeases{}); a.Outcome != lease.Applied {
			t.Errorf("leases: got %v %v, want them", a.Outcome, a.Err)
		}
		if a := db.Execute(t.Context(), lease.ScanWorkers{}); a.Outcome != lease.Unknown {
			t.Errorf("workers: got %v %v, want it given up in time", a.Outcome, a.Err)
		}
	})
}
