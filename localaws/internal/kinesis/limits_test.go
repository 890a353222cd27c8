package kinesis_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/kinesis"
)

func enforce(t *testing.T, s *kinesis.Service) {
	t.Helper()
	if err := s.Tune([]byte(`{"enforce":true}`)); err != nil {
		t.Fatal(err)
	}
}

func failed(t *testing.T, s *kinesis.Service, records, size int) int {
	t.Helper()
	out := call(t, s, "PutRecords", string(putBody(records, size)))
	return int(out["FailedRecordCount"].(float64))
}

func TestLimits_RecordsASecond(t *testing.T) {
	s, clock := newStream(t, 1)
	enforce(t, s)
	if got := failed(t, s, 500, 1) + failed(t, s, 500, 1); got != 0 {
		t.Errorf("%d of the first 1000 records failed, want 0", got)
	}
	if got := failed(t, s, 10, 1); got != 10 {
		t.Errorf("%d of 10 records more failed, want all", got)
	}
	clock.advance(100 * time.Millisecond)
	if got := failed(t, s, 150, 1); got != 50 {
		t.Errorf("%d of 150 records failed a tenth of a second later, want 50", got)
	}
	_, err := try(t, s, "PutRecord", `{"StreamName":"test","PartitionKey":"k","Data":""}`)
	wantError(t, err, "ProvisionedThroughputExceededException")
}

func TestLimits_BytesASecond(t *testing.T) {
	s, clock := newStream(t, 1)
	enforce(t, s)
	if got := failed(t, s, 10, 100<<10); got != 0 {
		t.Errorf("%d of the first 1000 KiB failed, want 0", got)
	}
	if got := failed(t, s, 1, 100<<10); got != 1 {
		t.Errorf("100 KiB above 1 MiB were taken")
	}
	clock.advance(time.Second)
	if got := failed(t, s, 10, 100<<10); got != 0 {
		t.Errorf("%d of 10 records failed a second later, want 0", got)
	}
}

func TestLimits_Reads(t *testing.T) {
	s, clock := newStream(t, 1)
	enforce(t, s)
	it := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	for range 5 {
		it = getRecords(t, s, it)["NextShardIterator"]
	}
	_, err := try(t, s, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, it))
	wantError(t, err, "ProvisionedThroughputExceededException")
	clock.advance(200 * time.Millisecond)
	getRecords(t, s, it)
}

func TestLimits_FullReadPauses(t *testing.T) {
	s, clock := newStream(t, 1)
	for range 12 {
		failed(t, s, 10, 100<<10)
	}
	enforce(t, s)
	it := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	out := getRecords(t, s, it)
	if got := len(datas(out)); got != 102 {
		t.Errorf("the first read has %d records of 100 KiB, want the 102 that fit 10 MiB", got)
	}
	next := fmt.Sprintf(`{"ShardIterator":%q}`, out["NextShardIterator"])
	clock.advance(4900 * time.Millisecond)
	_, err := try(t, s, "GetRecords", next)
	wantError(t, err, "ProvisionedThroughputExceededException")
	clock.advance(200 * time.Millisecond)
	if got := len(datas(call(t, s, "GetRecords", next))); got != 18 {
		t.Errorf("the second read has %d records, want the 18 left", got)
	}
}

// TestLimits_ControlPlane: the account's rates of the calls about streams.
func TestLimits_ControlPlane(t *testing.T) {
	for operation, perSecond := range map[string]int{"DescribeLimits": 1, "ListTagsForStream": 5, "DescribeStream": 10, "DescribeStreamSummary": 20, "ListShards": 1000} {
		t.Run(operation, func(t *testing.T) {
			s, clock := newStream(t, 1)
			enforce(t, s)
			for range perSecond {
				call(t, s, operation, `{"StreamName":"test"}`)
			}
			_, err := try(t, s, operation, `{"StreamName":"test"}`)
			wantError(t, err, "LimitExceededException")
			clock.advance(time.Second)
			call(t, s, operation, `{"StreamName":"test"}`)
		})
	}
}

func TestPutRecords_LargeRecords(t *testing.T) {
	s, _ := newStream(t, 1)
	big := fmt.Sprintf(`{"StreamName":"test","PartitionKey":"k","Data":%q}`, base64.StdEncoding.EncodeToString(make([]byte, 1<<20+1)))
	_, err := try(t, s, "PutRecord", big)
	wantError(t, err, "ValidationException")
	arn := call(t, s, "DescribeStreamSummary", `{"StreamName":"test"}`)["StreamDescriptionSummary"].(map[string]any)["StreamARN"]
	call(t, s, "UpdateMaxRecordSize", fmt.Sprintf(`{"StreamARN":%q,"MaxRecordSizeInKiB":1025}`, arn))
	call(t, s, "PutRecord", big)
	_, err = try(t, s, "PutRecords", string(putBody(10, 1<<20)))
	wantError(t, err, "InvalidArgumentException")
	_, err = try(t, s, "UpdateMaxRecordSize", fmt.Sprintf(`{"StreamARN":%q,"MaxRecordSizeInKiB":10241}`, arn))
	wantError(t, err, "ValidationException")
}

func TestUpdateShardCount_TenADay(t *testing.T) {
	s, clock := newStream(t, 2)
	enforce(t, s)
	update := func(n int) error {
		clock.advance(time.Minute)
		_, err := try(t, s, "UpdateShardCount", fmt.Sprintf(`{"StreamName":"test","TargetShardCount":%d,"ScalingType":"UNIFORM_SCALING"}`, n))
		return err
	}
	for i := range 10 {
		if err := update(3 - i%2); err != nil {
			t.Fatalf("scaling %d: %v", i, err)
		}
	}
	wantError(t, update(3), "LimitExceededException")
	clock.advance(24 * time.Hour)
	if err := update(3); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
