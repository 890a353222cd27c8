package account_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
)

func TestPositions_Ranges(t *testing.T) {
	var p account.Positions
	for _, n := range []int64{7, 3, 5, 4, 4, 100, 0, 9, 8} {
		p.Add(n)
	}
	if got, want := p.Ranges(), []string{"0", "3-5", "7-9", "100"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	p.Add(1)
	p.Add(2)
	if got, want := p.Ranges(), []string{"0-5", "7-9", "100"}; !slices.Equal(got, want) || p.Len() != 11 || p.Unnamed() != 0 {
		t.Errorf("got %v of %d, %d unnamed, want %v of 11, all named", got, p.Len(), p.Unnamed(), want)
	}
}

// TestPositions_anyOrder compares with a set that keeps everything.
func TestPositions_anyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var p account.Positions
		list := rapid.SliceOf(rapid.Int64Range(0, 60)).Draw(rt, "positions")
		for _, n := range list {
			p.Add(n)
		}
		slices.Sort(list)
		list = slices.Compact(list)
		var want []string
		for i := 0; i < len(list); {
			j := i
			for j+1 < len(list) && list[j+1] == list[j]+1 {
				j++
			}
			if text := fmt.Sprint(list[i]); j == i {
				want = append(want, text)
			} else {
				want = append(want, fmt.Sprintf("%s-%d", text, list[j]))
			}
			i = j + 1
		}
		if got := p.Ranges(); !slices.Equal(got, want) {
			rt.Fatalf("got %v, want %v", got, want)
		}
	})
}

// TestAccount_PositionsBounded: a run that goes on for days names the first
// failures, counts all, and says that the list is cut.
func TestAccount_PositionsBounded(t *testing.T) {
	a := account.New()
	const n, far = 50_000, int64(999_999_900_000)
	for i := range int64(n) {
		a.Reject(far + 2*i) // no two are neighbors
		a.Fail(far+2*i, "InternalFailure", true)
	}
	a.Fail(far+1, "InternalFailure", false) // joins the first two
	got := a.Summarize(time.Second)
	if got.Rejected != n || got.Failed != n+1 || got.FailedUnsure != n {
		t.Errorf("got %d rejected, %d failed, %d unsure, want all counted", got.Rejected, got.Failed, got.FailedUnsure)
	}
	if int64(len(got.RejectedPositions))+got.RejectedUnnamed != n || got.RejectedUnnamed == 0 {
		t.Errorf("got %d named and %d unnamed rejections, want %d together", len(got.RejectedPositions), got.RejectedUnnamed, n)
	}
	if want := fmt.Sprintf("%d-%d", far, far+2); got.FailedPositions[0] != want || int64(len(got.FailedPositions))+2+got.FailedUnnamed != n+1 {
		t.Errorf("got %q first, %d ranges and %d unnamed failures, want %q and %d together", got.FailedPositions[0], len(got.FailedPositions), got.FailedUnnamed, want, n+1)
	}
	if text, err := json.Marshal(got); err != nil || len(text) > 256<<10 {
		t.Errorf("got a line of %d bytes, %v, want at most 256 KiB", len(text), err)
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
