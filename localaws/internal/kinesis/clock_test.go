package kinesis_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// fakeClock stands still until it is moved.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *fakeClock { return &fakeClock{now: time.UnixMilli(1_700_000_000_123)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func seconds(t time.Time) string { return string(wire.AppendTimeJSON(nil, t)) }

func wantError(t *testing.T, err error, code string) {
	t.Helper()
	e, ok := errors.AsType[*wire.Error](err)
	if !ok || e.Code != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

const shard0 = "shardId-000000000000"

func iteratorBody(kind, more string) string {
	return fmt.Sprintf(`{"StreamName":"test","ShardId":%q,"ShardIteratorType":%q%s}`, shard0, kind, more)
}

func putOne(t *testing.T, s *kinesis.Service, data string) map[string]any {
	t.Helper()
	return call(t, s, "PutRecord", fmt.Sprintf(`{"StreamName":"test","PartitionKey":"k","Data":%q}`, data))
}

func getRecords(t *testing.T, s *kinesis.Service, iterator any) map[string]any {
	t.Helper()
	return call(t, s, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, iterator))
}

func datas(out map[string]any) (list []string) {
	for _, r := range out["Records"].([]any) {
		list = append(list, r.(map[string]any)["Data"].(string))
	}
	return list
}

func newStream(t *testing.T, shards int) (*kinesis.Service, *fakeClock) {
	t.Helper()
	clock := newClock()
	s := newService(clock.Now)
	call(t, s, "CreateStream", fmt.Sprintf(`{"StreamName":"test","ShardCount":%d}`, shards))
	return s, clock
}

func TestGetRecords_IteratorExpires(t *testing.T) {
	s, clock := newStream(t, 1)
	it := call(t, s, "GetShardIterator", iteratorBody("LATEST", ""))["ShardIterator"]
	clock.advance(5 * time.Minute)
	next := getRecords(t, s, it)["NextShardIterator"]
	clock.advance(5*time.Minute + time.Millisecond)
	_, err := try(t, s, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, next))
	wantError(t, err, "ExpiredIteratorException")
}

func TestRetention_TrimsAndForgetsShards(t *testing.T) {
	s, clock := newStream(t, 1)
	old := putOne(t, s, "b2xk")
	clock.advance(23 * time.Hour)
	putOne(t, s, "bmV3")
	clock.advance(time.Hour - time.Minute)
	early := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	clock.advance(2 * time.Minute)
	if got := datas(getRecords(t, s, early)); len(got) != 1 || got[0] != "bmV3" {
		t.Errorf("an iterator from before the horizon passed reads %v, want only the new record", got)
	}
	clock.advance(30 * time.Minute)

	it := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	if got := datas(getRecords(t, s, it)); len(got) != 1 || got[0] != "bmV3" {
		t.Errorf("after 24 hours TRIM_HORIZON reads %v, want only the new record", got)
	}
	// A number that was trimmed is good still: reading begins at the horizon.
	it = call(t, s, "GetShardIterator", iteratorBody("AT_SEQUENCE_NUMBER", fmt.Sprintf(`,"StartingSequenceNumber":%q`, old["SequenceNumber"])))["ShardIterator"]
	if got := datas(getRecords(t, s, it)); len(got) != 1 || got[0] != "bmV3" {
		t.Errorf("a trimmed sequence number reads %v, want only the new record", got)
	}
	call(t, s, "SplitShard", `{"StreamName":"test","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"77"}`)
	clock.advance(24 * time.Hour)
	if got := len(call(t, s, "ListShards", `{"StreamName":"test"}`)["Shards"].([]any)); got != 3 {
		t.Errorf("at 24 hours after the split %d shards are listed, want 3", got)
	}
	it = call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	clock.advance(time.Second)
	_, err := try(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))
	wantError(t, err, "ResourceNotFoundException")
	_, err = try(t, s, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, it))
	wantError(t, err, "ResourceNotFoundException")
	if got := len(call(t, s, "ListShards", `{"StreamName":"test"}`)["Shards"].([]any)); got != 2 {
		t.Errorf("later than 24 hours after the split %d shards are listed, want 2", got)
	}
}

func TestGetShardIterator_AtTimestamp(t *testing.T) {
	s, clock := newStream(t, 1)
	begin := clock.Now()
	for i := range 5 {
		putOne(t, s, fmt.Sprintf("%d000", i))
		clock.advance(10 * time.Second)
	}
	for after, want := range map[time.Duration]int{0: 5, time.Millisecond: 4, 10 * time.Second: 4, 15 * time.Second: 3, 40 * time.Second: 1, 45 * time.Second: 0} {
		it := call(t, s, "GetShardIterator", iteratorBody("AT_TIMESTAMP", `,"Timestamp":`+seconds(begin.Add(after))))["ShardIterator"]
		if got := len(datas(getRecords(t, s, it))); got != want {
			t.Errorf("from %v on: got %d records, want %d", after, got, want)
		}
	}
}

func TestListShards_TimeFilters(t *testing.T) {
	s, clock := newStream(t, 2)
	clock.advance(time.Hour)
	call(t, s, "MergeShards", `{"StreamName":"test","ShardToMerge":"shardId-000000000000","AdjacentShardToMerge":"shardId-000000000001"}`)
	merged := clock.Now()
	clock.advance(time.Hour)
	for filter, want := range map[string]int{
		`{"Type":"AT_TIMESTAMP","Timestamp":` + seconds(merged.Add(-time.Minute)) + `}`:   2,
		`{"Type":"AT_TIMESTAMP","Timestamp":` + seconds(merged.Add(time.Minute)) + `}`:    1,
		`{"Type":"AT_TIMESTAMP","Timestamp":` + seconds(merged.Add(-100*time.Hour)) + `}`: 2, // corrected to the horizon
		`{"Type":"FROM_TIMESTAMP","Timestamp":` + seconds(merged.Add(-time.Minute)) + `}`: 3,
		`{"Type":"FROM_TIMESTAMP","Timestamp":` + seconds(merged.Add(time.Minute)) + `}`:  1,
		`{"Type":"AT_TRIM_HORIZON"}`:   2,
		`{"Type":"FROM_TRIM_HORIZON"}`: 3,
		`{"Type":"AT_LATEST"}`:         1,
	} {
		if got := len(call(t, s, "ListShards", `{"StreamName":"test","ShardFilter":`+filter+`}`)["Shards"].([]any)); got != want {
			t.Errorf("%s: got %d shards, want %d", filter, got, want)
		}
	}
	page := call(t, s, "ListShards", `{"StreamName":"test","MaxResults":1}`)
	clock.advance(301 * time.Second)
	_, err := try(t, s, "ListShards", fmt.Sprintf(`{"NextToken":%q}`, page["NextToken"]))
	wantError(t, err, "ExpiredNextTokenException")
}

func TestStream_Transitions(t *testing.T) {
	clock := newClock()
	s := newService(clock.Now)
	if err := s.Tune([]byte(`{"transition_ms":1000}`)); err != nil {
		t.Fatal(err)
	}
	status := func() any {
		return call(t, s, "DescribeStreamSummary", `{"StreamName":"test"}`)["StreamDescriptionSummary"].(map[string]any)["StreamStatus"]
	}
	expect := func(want string) {
		t.Helper()
		if got := status(); got != want {
			t.Errorf("status is %v, want %s", got, want)
		}
	}
	call(t, s, "CreateStream", `{"StreamName":"test","ShardCount":1}`)
	expect("CREATING")
	_, err := try(t, s, "PutRecord", `{"StreamName":"test","PartitionKey":"k","Data":""}`)
	wantError(t, err, "ResourceNotFoundException")
	clock.advance(time.Second)
	expect("ACTIVE")
	call(t, s, "SplitShard", `{"StreamName":"test","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"77"}`)
	expect("UPDATING")
	putOne(t, s, "eA==")
	_, err = try(t, s, "SplitShard", `{"StreamName":"test","ShardToSplit":"shardId-000000000001","NewStartingHashKey":"7"}`)
	wantError(t, err, "ResourceInUseException")
	clock.advance(time.Second)
	expect("ACTIVE")
	call(t, s, "DeleteStream", `{"StreamName":"test"}`)
	expect("DELETING")
	clock.advance(time.Second)
	_, err = try(t, s, "DescribeStreamSummary", `{"StreamName":"test"}`)
	wantError(t, err, "ResourceNotFoundException")
	call(t, s, "CreateStream", `{"StreamName":"test","ShardCount":1}`)
}

func TestGetShardIterator_RecreatedStream(t *testing.T) {
	s, _ := newStream(t, 1) // the clock stands still: both streams are made in the same millisecond
	old := putOne(t, s, "eA==")
	it := call(t, s, "GetShardIterator", iteratorBody("LATEST", ""))["ShardIterator"]
	call(t, s, "DeleteStream", `{"StreamName":"test"}`)
	call(t, s, "CreateStream", `{"StreamName":"test","ShardCount":1}`)
	_, err := try(t, s, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, it))
	wantError(t, err, "ResourceNotFoundException")
	putOne(t, s, "eQ==") // so that the old number's place exists
	_, err = try(t, s, "GetShardIterator", iteratorBody("AFTER_SEQUENCE_NUMBER", fmt.Sprintf(`,"StartingSequenceNumber":%q`, old["SequenceNumber"])))
	wantError(t, err, "InvalidArgumentException")
}

// TestPutRecord_ClockGoesBack: arrival times of a shard never do.
func TestPutRecord_ClockGoesBack(t *testing.T) {
	s, clock := newStream(t, 1)
	begin := clock.Now()
	putOne(t, s, "MDAw")
	clock.advance(-time.Hour)
	putOne(t, s, "MTEx")
	clock.advance(2 * time.Hour)
	putOne(t, s, "MjIy")
	it := call(t, s, "GetShardIterator", iteratorBody("AT_TIMESTAMP", `,"Timestamp":`+seconds(begin)))["ShardIterator"]
	if got := datas(getRecords(t, s, it)); len(got) != 3 {
		t.Errorf("from the first record's time on: got %v, want all three", got)
	}
}
