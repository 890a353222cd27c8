package metrics_test

import (
	"reflect"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/metrics"
)

// TestNew: every count of the account is a metric of its own, with its value.
func TestNew(t *testing.T) {
	books := account.New()
	for range 3 {
		books.Accept(1)
	}
	books.Acknowledge(5, 7, 11)
	books.Retry(13)
	books.Throttle(17)
	books.Resend(19) // these may be doubled, too
	books.Request(23, 29)
	books.LoseAnswer()
	books.LoseAnswer()
	books.Flight(31)
	books.Buffer(37)
	for range 4 {
		books.Reject(2)
	}
	for range 6 {
		books.Fail(3, "reason", false)
	}
	want := map[string]float64{
		"producer_messages_accepted_total": 3, "producer_messages_acknowledged_total": 5, "producer_messages_retried_total": 13,
		"producer_messages_failed_total": 6, "producer_messages_rejected_total": 4, "producer_messages_maybe_doubled_total": 30,
		"producer_messages_resent_total": 19, "producer_entries_throttled_total": 17, "producer_answers_lost_total": 2,
		"producer_requests_total": 1, "producer_records_total": 23, "producer_payload_units_total": 29,
		"producer_bytes_acknowledged_total": 7, "producer_requests_in_flight": 31, "producer_buffered_bytes": 37,
	}
	if n := reflect.TypeFor[account.Now]().NumField(); n != len(want) {
		t.Errorf("the account has %d counts, and %d are tested", n, len(want))
	}
	families, err := metrics.New(books).Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if _, ours := want[f.GetName()]; ours {
			got[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
