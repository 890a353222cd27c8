package account_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
)

func TestPositions_Ranges(t *testing.T) {
	var p account.Positions
	for _, n := range []int64{7, 3, 5, 4, 4, 100, 0, 9, 8} {
		p.Add(n)
	}
	if got, want := p.Ranges(0), []string{"0", "3-5", "7-9", "100"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := p.Ranges(2), []string{"0", "3-5"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p.Add(1)
	if got := p.Ranges(1); !slices.Equal(got, []string{"0-1"}) || p.Len() != 10 {
		t.Errorf("got %v of %d", got, p.Len())
	}
}

func TestAccount_Summarize(t *testing.T) {
	a := account.New()
	for i := range int64(10) {
		a.Accept(i + 1)
	}
	a.Reject(11)
	a.Request(10, 12)
	a.LoseAnswer()
	a.Retry(4)
	a.Throttle(2)
	a.Buffer(500)
	a.Buffer(100)
	a.Acknowledge(7, 700, 3)
	a.Fail(2, "InternalFailure", false)
	a.Fail(3, "InternalFailure", true)
	a.Fail(9, "stopped", false)
	got := a.Summarize(2 * time.Second)
	want := account.Summary{
		Accepted: 10, Acknowledged: 7, Retried: 4, Failed: 3, FailedUnsure: 1, FailedPositions: []string{"2-3", "9"},
		FailedReasons: map[string]int64{"InternalFailure": 2, "stopped": 1}, Rejected: 1, RejectedPositions: []string{"11"},
		LostAnswers: 1, MaybeDoubled: 3, Throttled: 2, Requests: 1, Records: 10, PayloadUnits: 12, Bytes: 700,
		BufferedHighest: 500, LastPosition: 11, Seconds: 2, MessagesPerSecond: 3.5,
	}
	gotText, _ := json.Marshal(got)
	wantText, _ := json.Marshal(want)
	if string(gotText) != string(wantText) {
		t.Errorf("got  %s\nwant %s", gotText, wantText)
	}
	for _, name := range []string{"accepted", "acknowledged", "retried", "failed", "bytes", "seconds", "messages_per_second"} {
		if !strings.Contains(string(gotText), `"`+name+`":`) {
			t.Errorf("the summary lacks %q", name)
		}
	}
	if now := a.Now(); now.Failed != 3 || now.Rejected != 1 || now.Buffered != 100 {
		t.Errorf("got %+v", now)
	}
}
