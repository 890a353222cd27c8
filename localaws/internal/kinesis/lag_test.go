package kinesis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestListShards_Lag: a listing knows of a reshard only after a while; reads of
// the parent know at once.
func TestListShards_Lag(t *testing.T) {
	s, clock := newStream(t, 2)
	if err := s.Tune([]byte(`{"listing_lag_ms":1000}`)); err != nil {
		t.Fatal(err)
	}
	check := func(when string, all, open int) {
		t.Helper()
		for filter, want := range map[string]int{"": all, `,"ShardFilter":{"Type":"AT_LATEST"}`: open} {
			shards := call(t, s, "ListShards", `{"StreamName":"test"`+filter+`}`)["Shards"].([]any)
			closed := strings.Count(fmt.Sprint(shards), "EndingSequenceNumber")
			if len(shards) != want || closed != len(shards)-open {
				t.Errorf("%s: ListShards%s shows %d shards, %d of them closed; want %d, %d", when, filter, len(shards), closed, want, want-open)
			}
		}
	}
	check("at the beginning", 2, 2)
	call(t, s, "SplitShard", `{"StreamName":"test","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"77"}`)
	it := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	if children := getRecords(t, s, it)["ChildShards"].([]any); len(children) != 2 {
		t.Errorf("a read shows %d children, want 2", len(children))
	}
	clock.advance(999 * time.Millisecond)
	check("before the lag is over", 2, 2)
	clock.advance(2 * time.Millisecond)
	check("later", 4, 3)
}

// TestConsumer_Deregister: under transition_ms a consumer is DELETING for a while,
// and the next one of that name has another ARN.
func TestConsumer_Deregister(t *testing.T) {
	s, clock := newStream(t, 1)
	if err := s.Tune([]byte(`{"transition_ms":500}`)); err != nil {
		t.Fatal(err)
	}
	stream := call(t, s, "DescribeStreamSummary", `{"StreamName":"test"}`)["StreamDescriptionSummary"].(map[string]any)["StreamARN"]
	body := fmt.Sprintf(`{"StreamARN":%q,"ConsumerName":"c"}`, stream)
	first := call(t, s, "RegisterStreamConsumer", body)["Consumer"].(map[string]any)["ConsumerARN"]
	clock.advance(500 * time.Millisecond)
	call(t, s, "DeregisterStreamConsumer", body)
	if got := call(t, s, "DescribeStreamConsumer", body)["ConsumerDescription"].(map[string]any)["ConsumerStatus"]; got != "DELETING" {
		t.Errorf("deregistered: it is %v, want DELETING", got)
	}
	_, err := try(t, s, "RegisterStreamConsumer", body)
	wantError(t, err, "ResourceInUseException")
	_, err = try(t, s, "SubscribeToShard", fmt.Sprintf(`{"ConsumerARN":%q,"ShardId":%q,"StartingPosition":{"Type":"LATEST"}}`, first, shard0))
	wantError(t, err, "ResourceInUseException")
	clock.advance(500 * time.Millisecond)
	_, err = try(t, s, "DescribeStreamConsumer", body)
	wantError(t, err, "ResourceNotFoundException")
	if got := call(t, s, "ListStreamConsumers", fmt.Sprintf(`{"StreamARN":%q}`, stream))["Consumers"].([]any); len(got) != 0 {
		t.Errorf("%d consumers are listed, want none", len(got))
	}
	if err := s.Tune([]byte(`{"transition_ms":0}`)); err != nil {
		t.Fatal(err)
	}
	second := call(t, s, "RegisterStreamConsumer", body)["Consumer"].(map[string]any)["ConsumerARN"]
	call(t, s, "DeregisterStreamConsumer", body)
	third := call(t, s, "RegisterStreamConsumer", body)["Consumer"].(map[string]any)["ConsumerARN"]
	if first == second || second == third {
		t.Errorf("three consumers of a name have the ARNs %v, %v, %v", first, second, third)
	}
}

// TestLookup_ARN: an ARN is of one region and account.
func TestLookup_ARN(t *testing.T) {
	s, _ := newStream(t, 1)
	arn := call(t, s, "DescribeStreamSummary", `{"StreamName":"test"}`)["StreamDescriptionSummary"].(map[string]any)["StreamARN"].(string)
	call(t, s, "ListShards", fmt.Sprintf(`{"StreamARN":%q}`, arn))
	parts := strings.Split(arn, ":")
	for i, other := range map[int]string{3: "eu-north-1", 4: "111111111111"} {
		wrong := append([]string(nil), parts...)
		wrong[i] = other
		for _, body := range []string{
			fmt.Sprintf(`{"StreamARN":%q}`, strings.Join(wrong, ":")), fmt.Sprintf(`{"StreamName":"test","StreamARN":%q}`, strings.Join(wrong, ":")),
		} {
			_, err := try(t, s, "ListShards", body)
			wantError(t, err, "ResourceNotFoundException")
		}
	}
}
