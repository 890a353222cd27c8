package progress_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/progress"
)

func TestLine(t *testing.T) {
	for want, tc := range map[string]struct {
		now   account.Now
		rate  float64
		total int64
	}{
		"0 acknowledged  0/s  0 in flight":                                                {},
		"500/10000 acknowledged  250/s  8 in flight  38s left":                            {account.Now{Acknowledged: 500, InFlight: 8}, 250, 10000},
		"1234.6k acknowledged  50000/s  8 in flight  99 retried  1 FAILED":                {account.Now{Acknowledged: 1_234_567, InFlight: 8, Retried: 99, Failed: 1}, 50000, 0},
		"10000/10000 acknowledged  9/s  0 in flight":                                      {account.Now{Acknowledged: 10000}, 9, 10000},
		"1/10.0M acknowledged  1/s  1 in flight  115.7d left":                             {account.Now{Acknowledged: 1, InFlight: 1}, 1, 10_000_000},
		"10/100.0k acknowledged  100/s  1 in flight  3 FAILED  16m40s left":               {account.Now{Acknowledged: 10, InFlight: 1, Failed: 1, Rejected: 2}, 100, 100_000},
		"9223372036.9G/9223372036.9G acknowledged  9223372036.9G/s  256 in flight  92233": {account.Now{Acknowledged: math.MaxInt64, Retried: math.MaxInt64, InFlight: 256}, math.MaxInt64 - 1024, math.MaxInt64},
	} {
		if got := progress.Line(tc.now, tc.rate, tc.total); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.Int64Min(0)
		now := account.Now{Acknowledged: n.Draw(rt, "acknowledged"), Retried: n.Draw(rt, "retried"), Failed: n.Draw(rt, "failed"), InFlight: 256}
		if got := progress.Line(now, rapid.Float64Range(0, 1e7).Draw(rt, "rate"), n.Draw(rt, "total")); len(got) > progress.Width {
			rt.Fatalf("got %d columns: %s", len(got), got)
		}
	})
}

// run lets a reporter work for 12 seconds in which 100 messages a second are
// acknowledged.
func run(t *testing.T, reporter func(*account.Account) *progress.Reporter) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		books := account.New()
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for ctx.Err() == nil {
				time.Sleep(99 * time.Millisecond)
				books.Acknowledge(10, 100, 0)
				time.Sleep(time.Millisecond)
			}
		}()
		reporter(books).Run(ctx)
		<-ended
	})
}

func TestPlain(t *testing.T) {
	var out bytes.Buffer
	run(t, func(a *account.Account) *progress.Reporter { return progress.Plain(a, 0, &out) })
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 || strings.ContainsAny(out.String(), "\r\x1b") {
		t.Fatalf("got %q, want two plain lines in 12 s", out.String())
	}
	if want := "1000 acknowledged  100/s"; !strings.HasPrefix(lines[1], want) {
		t.Errorf("got %q, want it to begin with %q", lines[1], want)
	}
}

// TestPlain_RateLately: what is shown is the rate of the last seconds, not that
// since the beginning.
func TestPlain_RateLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		books := account.New()
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Second)
		defer cancel()
		time.AfterFunc(4*time.Second, func() { books.Acknowledge(5000, 500_000, 0) })
		progress.Plain(books, 0, &out).Run(ctx)
		lines := strings.Split(out.String(), "\n")
		if len(lines) != 5 || !strings.HasPrefix(lines[0], "5000 acknowledged  1000/s") || !strings.HasPrefix(lines[3], "5000 acknowledged  0/s") {
			t.Errorf("got %q, want 1000 a second at first, and 0 in the end", lines)
		}
	})
}

func TestOnTerminal(t *testing.T) {
	var out bytes.Buffer
	terminal := progress.NewTerminal(&out)
	run(t, func(a *account.Account) *progress.Reporter { return progress.OnTerminal(a, 2400, terminal) })
	if got := strings.Count(out.String(), "\n"); got != 1 || !strings.HasSuffix(out.String(), "\n") {
		t.Errorf("got %d line ends, want one line, rewritten, ended once", got)
	}
	if want := "500/2400 acknowledged  100/s  0 in flight  19s left\x1b[K"; !strings.Contains(out.String(), want) {
		t.Errorf("got no %q", want)
	}
	out.Reset()
	terminal.Show("bottom")
	if _, err := terminal.Write([]byte("a log line\n")); err != nil {
		t.Fatal(err)
	}
	if want := "\rbottom\x1b[K\r\x1b[Ka log line\nbottom"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestLog(t *testing.T) {
	var out bytes.Buffer
	run(t, func(a *account.Account) *progress.Reporter { return progress.Log(a, 0, zerolog.New(&out)) })
	if got := strings.Count(out.String(), `"message":"progress"`); got != 2 || !strings.Contains(out.String(), `"acknowledged":1000`) {
		t.Errorf("got %s", out.String())
	}
}
