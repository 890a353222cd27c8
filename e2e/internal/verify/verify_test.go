package verify_test

import (
	"testing"
	"testing/synctest"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

const shard = "shardId-000000000000"

// at is the record at a position of the shard.
func at(sequence string, number int64) verify.Record {
	return verify.Record{Shard: shard, Sequence: sequence, Number: number}
}

func stream(records ...verify.Record) map[string][]verify.Record {
	return map[string][]verify.Record{shard: records}
}

func TestCompare(t *testing.T) {
	// A producer that repeated a call put message 2 twice.
	records := stream(at("1", 0), at("2", 1), at("3", 2), at("4", 2))
	tests := map[string]struct {
		items verify.Items
		want  verify.Report
		clean bool
	}{
		"all there": {
			items: verify.Items{at("1", 0): 1, at("2", 1): 1, at("3", 2): 1, at("4", 2): 1},
			want:  verify.Report{Records: 4, Produced: 3, Items: 4, Stored: 3, Duplicated: 1},
			clean: true,
		},
		"one missing": {
			items: verify.Items{at("1", 0): 1, at("3", 2): 1, at("4", 2): 1},
			want:  verify.Report{Records: 4, Produced: 3, Items: 3, Stored: 2, Missing: 1, Duplicated: 1},
		},
		"one of two missing": {
			items: verify.Items{at("1", 0): 1, at("2", 1): 1, at("3", 2): 1},
			want:  verify.Report{Records: 4, Produced: 3, Items: 3, Stored: 3, Missing: 1},
		},
		"one twice": {
			items: verify.Items{at("1", 0): 2, at("2", 1): 1, at("3", 2): 1, at("4", 2): 1},
			want:  verify.Report{Records: 4, Produced: 3, Items: 5, Stored: 3, Duplicated: 2, Surplus: 1},
		},
		"one from nowhere": {
			items: verify.Items{at("1", 0): 1, at("2", 1): 1, at("3", 2): 1, at("4", 2): 1, at("9", 9): 1},
			want:  verify.Report{Records: 4, Produced: 3, Items: 5, Stored: 3, Duplicated: 1, Surplus: 1},
		},
		"two that changed places": {
			items: verify.Items{at("1", 1): 1, at("2", 0): 1, at("3", 2): 1, at("4", 2): 1},
			want:  verify.Report{Records: 4, Produced: 3, Items: 4, Stored: 1, Missing: 2, Duplicated: 1, Surplus: 2},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := verify.Compare(records, tt.items)
			if got != tt.want || got.Clean() != tt.clean {
				t.Errorf("got %+v clean %t, want %+v clean %t", got, got.Clean(), tt.want, tt.clean)
			}
		})
	}
}

func TestOrder_Judge(t *testing.T) {
	// The producer was killed and began at 0 again.
	records := stream(at("99", 0), at("100", 1), at("101", 0))
	all := verify.Items{at("99", 0): 1, at("100", 1): 1, at("101", 0): 1}
	tests := map[string]struct {
		checkpoints []string
		items       verify.Items
		want        int
	}{
		"forward":                  {[]string{"TRIM_HORIZON", "99", "100", "SHARD_END"}, all, 0},
		"forward as numbers":       {[]string{"99", "100"}, all, 0},
		"backward as numbers":      {[]string{"100", "99"}, all, 1},
		"back to the start":        {[]string{"99", "TRIM_HORIZON"}, all, 1},
		"out of the end":           {[]string{"SHARD_END", "101"}, all, 1},
		"passed one":               {[]string{"100"}, verify.Items{at("99", 0): 1, at("101", 0): 1}, 1},
		"not passed yet":           {[]string{"99"}, verify.Items{at("99", 0): 1}, 0},
		"passed an equal number":   {[]string{"101"}, verify.Items{at("99", 0): 1, at("100", 1): 1}, 1},
		"at the end, one is not":   {[]string{"SHARD_END"}, verify.Items{at("99", 0): 1, at("100", 1): 1}, 1},
		"nothing done, nothing in": {[]string{"TRIM_HORIZON"}, verify.Items{}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var order verify.Order
			for _, checkpoint := range tt.checkpoints {
				order.Judge([]verify.LeaseRow{{Shard: shard, Checkpoint: checkpoint}}, tt.items, records)
			}
			got, details, samples := order.Breaches()
			if got != tt.want || samples != len(tt.checkpoints) {
				t.Errorf("got %d breaches in %d samples (%v), want %d", got, samples, details, tt.want)
			}
		})
	}
}

// TestOrder_Enough: an order that could not be looked at is not in order.
func TestOrder_Enough(t *testing.T) {
	tests := map[string]struct {
		samples, failed int
		enough          bool
	}{
		"plenty":                {10, 0, true},
		"faults now and then":   {10, 30, true},
		"faults nearly always":  {10, 33, false},
		"nothing but the last":  {1, 0, false},
		"nothing, and no error": {0, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			order := verify.Order{DynamoDB: awslocal.Connect("http://127.0.0.1:1", "http://127.0.0.1:1").DynamoDB}
			for range tt.samples {
				order.Judge(nil, nil, nil)
			}
			synctest.Test(t, func(t *testing.T) { // the SDK's retries wait
				for range tt.failed {
					if err := order.Sample(t.Context()); err == nil {
						t.Fatal("got a reading from nowhere")
					}
				}
			})
			if err := order.Enough(); (err == nil) != tt.enough {
				t.Errorf("got %v, want enough %t", err, tt.enough)
			}
		})
	}
}
