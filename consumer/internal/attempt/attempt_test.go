package attempt_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/attempt"
)

// cemetery is a Burier that remembers, after refusing some times.
type cemetery struct {
	mu      sync.Mutex
	refuse  int
	letters []attempt.Letter
}

func (c *cemetery) Bury(_ context.Context, l attempt.Letter) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse > 0 {
		c.refuse--
		return errors.New("no")
	}
	c.letters = append(c.letters, l)
	return nil
}

func TestPolicy_Process(t *testing.T) {
	for name, tc := range map[string]struct {
		err     error // of every attempt
		panics  bool
		block   bool
		refuse  int
		after   time.Duration // when the grant ends
		done    bool
		letters int
		tries   int // exactly, unless 0
	}{
		"permanent goes at once":         {err: handler.Permanent(errors.New("too large")), after: time.Hour, done: true, letters: 1, tries: 1},
		"others get their attempts":      {err: errors.New("x"), after: time.Hour, done: true, letters: 1, tries: 5},
		"a panic is a failed attempt":    {panics: true, after: time.Hour, done: true, letters: 1, tries: 5},
		"unavailable is never given up":  {err: handler.Unavailable(errors.New("throttled")), after: time.Hour},
		"block never gives up":           {err: handler.Permanent(errors.New("x")), block: true, after: time.Hour},
		"the grant's end leaves it":      {err: errors.New("x"), after: time.Millisecond},
		"what is not buried is not done": {err: handler.Permanent(errors.New("x")), refuse: 1 << 30, after: time.Hour, tries: 1},
		"burying is tried again":         {err: handler.Permanent(errors.New("x")), refuse: 5, after: time.Hour, done: true, letters: 1, tries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, tries := &cemetery{refuse: tc.refuse}, 0
				p := attempt.Policy{
					Handler: handler.Func(func(context.Context, handler.Message) error {
						tries++
						if tc.panics {
							panic("x")
						}
						return tc.err
					}),
					MaxAttempts: 5, MaxAge: 10 * time.Minute, Block: tc.block, Graves: c, Log: zerolog.Nop(),
					MinBackoff: 100 * time.Millisecond, MaxBackoff: 10 * time.Second,
				}
				ctx, cancel := context.WithTimeout(context.Background(), tc.after)
				defer cancel()
				done := false
				p.Process(ctx, []handler.Message{{Shard: "s", Sequence: "1"}}, func([]int) { done = true })
				if done != tc.done || len(c.letters) != tc.letters || tc.tries != 0 && tries != tc.tries {
					t.Errorf("got done %v, %d letters, %d tries, want %v, %d, %d", done, len(c.letters), tries, tc.done, tc.letters, tc.tries)
				}
				if tc.letters > 0 && (c.letters[0].Attempts != tc.tries || c.letters[0].Reason == "") {
					t.Errorf("got letter %+v", c.letters[0])
				}
			})
		})
	}
}

// TestPolicy_MaxAge gives up by age before the attempts are used up.
func TestPolicy_MaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cemetery{}
		p := attempt.Policy{
			Handler:     handler.Func(func(context.Context, handler.Message) error { return errors.New("x") }),
			MaxAttempts: 1 << 30, MaxAge: time.Minute, Graves: c, Log: zerolog.Nop(), MinBackoff: time.Second, MaxBackoff: 5 * time.Second,
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		begin := time.Now()
		p.Process(ctx, []handler.Message{{}}, func([]int) {})
		if took := time.Since(begin); took < time.Minute || took > 66*time.Second || len(c.letters) != 1 {
			t.Errorf("took %s for %d letters, want a minute and one", took, len(c.letters))
		}
	})
}

// batches is a Handler that fails one place of every batch.
type batches struct{ fail int }

func (b batches) BatchSize() int { return 10 }

func (b batches) Handle(_ context.Context, batch []handler.Message) error {
	if len(batch) > 1 {
		return handler.Failed{b.fail: errors.New("x")}
	}
	return nil
}

func TestPolicy_IsolatesTheFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := attempt.Policy{Handler: batches{2}, MaxAttempts: 5, MaxAge: time.Minute, Graves: &cemetery{}, Log: zerolog.Nop(), MinBackoff: time.Second, MaxBackoff: time.Second}
		var got [][]int
		p.Process(context.Background(), make([]handler.Message, 4), func(places []int) { got = append(got, places) })
		if len(got) != 2 || len(got[0]) != 3 || len(got[1]) != 1 || got[1][0] != 2 {
			t.Errorf("got %v, want the three good ones at once and then the other", got)
		}
	})
}

func TestPolicy_PlaceOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cemetery{}
		p := attempt.Policy{
			Handler:     handler.Func(func(context.Context, handler.Message) error { return handler.Failed{7: errors.New("x")} }),
			MaxAttempts: 1, MaxAge: time.Minute, Graves: c, Log: zerolog.Nop(),
		}
		p.Process(context.Background(), []handler.Message{{}}, func([]int) {})
		if len(c.letters) != 1 {
			t.Errorf("got %d letters, want the message failed", len(c.letters))
		}
	})
}

// TestPolicy_NilIsDone has a handler that notes the outcome of every message,
// good or bad, in Failed.
func TestPolicy_NilIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := map[string]int{}
		c := &cemetery{}
		p := attempt.Policy{
			Handler: handles(func(_ context.Context, batch []handler.Message) error {
				failed := handler.Failed{}
				for i, m := range batch {
					tries[m.Sequence]++
					failed[i] = nil
					if m.Sequence == "1" {
						failed[i] = errors.New("x")
					}
				}
				return failed
			}),
			MaxAttempts: 3, MaxAge: time.Hour, Graves: c, Log: zerolog.Nop(), MinBackoff: time.Second, MaxBackoff: time.Second,
		}
		done := 0
		p.Process(context.Background(), []handler.Message{{Sequence: "0"}, {Sequence: "1"}, {Sequence: "2"}}, func(places []int) { done += len(places) })
		if done != 3 || tries["0"] != 1 || tries["1"] != 3 || tries["2"] != 1 || len(c.letters) != 1 {
			t.Errorf("got %d done after %v, %d letters, want number 1 alone tried again and given up", done, tries, len(c.letters))
		}
	})
}

// handles is a handler of batches as a function.
type handles func(ctx context.Context, batch []handler.Message) error

func (h handles) Handle(ctx context.Context, batch []handler.Message) error { return h(ctx, batch) }

// TestPolicy_AgeIsTheMessages does not count the time for which the sink was at
// fault against a message.
func TestPolicy_AgeIsTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, begin, tries := &cemetery{}, time.Now(), 0
		p := attempt.Policy{
			Handler: handler.Func(func(context.Context, handler.Message) error {
				if time.Since(begin) < time.Hour {
					return handler.Unavailable(errors.New("away"))
				}
				if tries++; tries < 3 {
					return errors.New("x")
				}
				return nil
			}),
			MaxAttempts: 5, MaxAge: time.Minute, Graves: c, Log: zerolog.Nop(), MinBackoff: time.Second, MaxBackoff: 5 * time.Second,
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
		defer cancel()
		done := false
		p.Process(ctx, []handler.Message{{}}, func([]int) { done = true })
		if !done || len(c.letters) != 0 {
			t.Errorf("got done %v with %d letters after %d tries, want it handled", done, len(c.letters), tries)
		}
	})
}

// over is a grant's context right after the process was stopped for a while:
// its time has passed, and Done is not closed yet.
type over struct {
	context.Context
	passed *bool
}

func (o over) Err() error {
	if *o.passed {
		return context.DeadlineExceeded
	}
	return nil
}

func TestPolicy_NothingAfterTheEnd(t *testing.T) {
	for name, before := range map[string]int{"not begun": 0, "while waiting": 1, "while burying": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				passed, tries := before == 0, 0
				p := attempt.Policy{
					Handler: handler.Func(func(context.Context, handler.Message) error {
						tries++
						passed = tries == before
						return errors.New("x")
					}),
					MaxAttempts: 2, MaxAge: time.Hour, Graves: &cemetery{}, Log: zerolog.Nop(), MinBackoff: time.Second, MaxBackoff: time.Second,
				}
				done := false
				p.Process(over{context.Background(), &passed}, []handler.Message{{}}, func([]int) { done = true })
				if tries != before || done {
					t.Errorf("got %d tries, done %v, want %d and what is left to the next reader", tries, done, before)
				}
			})
		})
	}
}
