package reader_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/term"
)

// kinesis is a shard with a record each second, numbered from 1, to subscribe to
// and to poll. Its events are a second apart.
type kinesis struct {
	subscribe func(n int) error                                          // the outcome of the n-th subscription, from 0
	event     func(subscription, event int) (b *reader.Batch, err error) // nil, nil: a record; both from 0
	behindMS  int64                                                      // of those records

	mu      sync.Mutex
	after   []string    // where subscriptions began
	at      []time.Time // when
	polls   []time.Time
	closed  int
	poll    func(n int) (*reader.Batch, error)
	pollers []reader.Start
}

func (k *kinesis) Subscribe(ctx context.Context, _ contract.Grant, at reader.Start) (reader.Subscription, error) {
	k.mu.Lock()
	n := len(k.at)
	from := at.After
	if from == "" && at.Type == contract.AtSequenceNumber {
		from = "at " + at.Sequence
	}
	k.after, k.at = append(k.after, from), append(k.at, time.Now())
	k.mu.Unlock()
	if k.subscribe != nil {
		if err := k.subscribe(n); errors.Is(err, errHang) {
			<-ctx.Done()
			return nil, ctx.Err()
		} else if err != nil {
			return nil, err
		}
	}
	last, _ := strconv.Atoi(at.After)
	if at.After == "" && at.Type == contract.AtSequenceNumber {
		last, _ = strconv.Atoi(at.Sequence)
		last--
	}
	return &subscription{k: k, number: n, last: last}, nil
}

// errHang is the error of a fake that is to hang.
var errHang = errors.New("hang")

type subscription struct {
	k                    *kinesis
	number, events, last int
}

func (s *subscription) Next(ctx context.Context) (*reader.Batch, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
	}
	n := s.events
	s.events++
	if s.k.event != nil {
		b, err := s.k.event(s.number, n)
		if errors.Is(err, errHang) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if b != nil || err != nil {
			return b, err
		}
	}
	s.last++
	b := one(s.last)
	b.Next, b.BehindMS = strconv.Itoa(s.last), s.k.behindMS
	return b, nil
}

func (s *subscription) Close() { s.k.mu.Lock(); s.k.closed++; s.k.mu.Unlock() }

func (k *kinesis) Iterator(_ context.Context, _ contract.Grant, at reader.Start) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pollers = append(k.pollers, at)
	return at.After, nil
}

func (k *kinesis) Records(_ context.Context, _ contract.Grant, iterator string) (*reader.Batch, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.polls)
	k.polls = append(k.polls, time.Now())
	if k.poll != nil {
		return k.poll(n)
	}
	last, _ := strconv.Atoi(iterator)
	b := one(last + 1)
	b.Next = strconv.Itoa(last + 1)
	return b, nil
}

// subscribed reads k for a time, with a grant that is renewed each second.
func subscribed(k *kinesis, s *sink, d time.Duration) ([]contract.ChildShard, error) {
	p := &reader.Polling{
		Source: k, Budget: budget.New(64 << 20), Observer: s, Log: zerolog.Nop(),
		Pace: reader.Pace{CallsPerSecond: 1, MaxWait: time.Second},
	}
	parent, cancel := context.WithTimeout(context.Background(), d)
	grant := term.New(parent, time.Now().Add(6*time.Second))
	go func() {
		for parent.Err() == nil {
			grant.Extend(time.Now().Add(6 * time.Second))
			time.Sleep(time.Second)
		}
	}()
	defer time.Sleep(time.Second) // the goroutine has ended then
	defer cancel()
	return reader.NewFanout(k, p).Run(grant, contract.Grant{Shard: "a"}, s)
}

// inOrder checks that records 1, 2, 3 and so on came, each once, and at least
// some of them.
func inOrder(t *testing.T, s *sink, least int) {
	t.Helper()
	got := s.got()
	for i, sequence := range got {
		if sequence != strconv.Itoa(i+1) {
			t.Fatalf("got %s as number %d", sequence, i+1)
		}
	}
	if len(got) < least {
		t.Errorf("got %d records, want %d or more", len(got), least)
	}
}

// TestFanout_Renews replaces a subscription before Kinesis ends it after five
// minutes, and goes on where it was.
func TestFanout_Renews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := &kinesis{}, &sink{}
		_, _ = subscribed(k, s, 20*time.Minute)
		inOrder(t, s, 1190)
		if len(k.at) < 4 || len(k.at) > 6 || k.closed != len(k.at) {
			t.Fatalf("got %d subscriptions, %d closed, in 20 minutes", len(k.at), k.closed)
		}
		for i := range k.at[1:] {
			if lasted := k.at[i+1].Sub(k.at[i]); lasted >= 5*time.Minute || lasted < 4*time.Minute {
				t.Errorf("subscription %d lasted %s, want a little less than five minutes", i, lasted)
			}
		}
	})
}

// TestFanout_Interrupted goes on at once, from the continuation sequence number,
// after whatever ends a subscription that was at work.
func TestFanout_Interrupted(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		lost time.Duration // at most
	}{
		"orderly end":     {io.EOF, 0},
		"lost connection": {errors.New("connection reset"), 0},
		"silence":         {errHang, 20 * time.Second},
		"taken over":      {fmt.Errorf("x: %w", reader.ErrInUse), 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended time.Time
				k, s := &kinesis{}, &sink{}
				k.event = func(subscription, event int) (*reader.Batch, error) {
					if subscription == 0 && event == 5 {
						ended = time.Now()
						return nil, tc.err
					}
					return nil, nil
				}
				_, _ = subscribed(k, s, time.Minute)
				inOrder(t, s, 35)
				if len(k.at) != 2 || k.after[1] != "5" {
					t.Fatalf("got subscriptions after %v, want one more, after 5", k.after)
				}
				if lost := k.at[1].Sub(ended); lost > tc.lost {
					t.Errorf("subscribed again after %s, want %s at most", lost, tc.lost)
				}
				if len(k.polls) != 0 || s.failed != 0 {
					t.Errorf("got %d polls, %d failures, want none", len(k.polls), s.failed)
				}
			})
		})
	}
}

// TestFanout_Trimmed: a shard that is read with more behind it may lose what was
// not read yet to retention while there is no subscription. That is seen, and no
// record comes twice.
func TestFanout_Trimmed(t *testing.T) {
	behind := func(sequence int, next string) *reader.Batch {
		b := one(sequence)
		b.Next, b.BehindMS = next, 5000
		return b
	}
	for name, tc := range map[string]struct {
		before  *reader.Batch // the last event of a subscription, after records 1 and 2
		after   []*reader.Batch
		from    string
		want    string
		trimmed int
	}{
		"there":                       {behind(3, "3"), []*reader.Batch{behind(3, "3"), behind(4, "4")}, "at 3", "1 2 3 4", 0},
		"there, after an empty event": {behind(3, "3"), []*reader.Batch{{Next: "3", BehindMS: 5000}, behind(3, "3"), behind(4, "4")}, "at 3", "1 2 3 4", 0},
		"there, a gap before the end": {&reader.Batch{Next: "5", BehindMS: 5000}, []*reader.Batch{behind(2, "5"), behind(6, "6")}, "at 2", "1 2 6", 0},
		"trimmed":                     {behind(3, "3"), []*reader.Batch{behind(7, "7"), behind(8, "8")}, "at 3", "1 2 3 7 8", 1},
		"trimmed up to a shard's end": {behind(3, "3"), []*reader.Batch{{}}, "at 3", "1 2 3", 1},
		"caught up":                   {&reader.Batch{Next: "5"}, []*reader.Batch{behind(9, "9")}, "5", "1 2 9", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := []*reader.Batch{behind(1, "1"), behind(2, "2"), tc.before}
				k, s := &kinesis{}, &sink{}
				k.event = func(subscription, event int) (*reader.Batch, error) {
					events := before
					if subscription > 0 {
						events = tc.after
					}
					switch {
					case event < len(events):
						return events[event], nil
					case subscription == 0:
						return nil, io.EOF
					}
					return nil, errHang
				}
				_, _ = subscribed(k, s, 10*time.Second)
				if got := strings.Join(s.got(), " "); got != tc.want || s.trimmed != tc.trimmed || k.after[1] != tc.from {
					t.Errorf("got records %s from %s on, %d times trimmed, want %s from %s on, %d", got, k.after[1], s.trimmed, tc.want, tc.from, tc.trimmed)
				}
			})
		})
	}
}

// TestFanout_InUse waits for a subscription of the shard's last reader to go.
func TestFanout_InUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := &kinesis{}, &sink{}
		k.subscribe = func(n int) error {
			if n < 4 {
				return fmt.Errorf("x: %w", reader.ErrInUse)
			}
			return nil
		}
		_, _ = subscribed(k, s, time.Minute)
		inOrder(t, s, 50)
		if waited := k.at[4].Sub(k.at[0]); waited < 4*time.Second || len(k.polls) != 0 || s.failed != 0 {
			t.Errorf("waited %s, %d polls, %d failures, want a second and more each time", waited, len(k.polls), s.failed)
		}
	})
}

// TestFanout_Hangs gives a call up that is not answered.
func TestFanout_Hangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := &kinesis{}, &sink{}
		k.subscribe = func(n int) error {
			if n == 0 {
				return errHang
			}
			return nil
		}
		_, _ = subscribed(k, s, time.Minute)
		inOrder(t, s, 35)
	})
}

// TestFanout_FallsBack polls while it cannot subscribe, tries again after a
// while, and goes on with each where the other was.
func TestFanout_FallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, s := &kinesis{behindMS: 5000}, &sink{}
		begin := time.Now()
		refused := func() bool { d := time.Since(begin); return d > time.Minute && d < 5*time.Minute }
		k.subscribe = func(int) error {
			if refused() {
				return errors.New("no")
			}
			return nil
		}
		k.event = func(int, int) (*reader.Batch, error) {
			if refused() {
				return nil, errors.New("no more")
			}
			return nil, nil
		}
		_, _ = subscribed(k, s, 10*time.Minute)
		inOrder(t, s, 450)
		if len(k.polls) < 200 || "at "+k.pollers[0].After != k.after[1] || s.trimmed != 0 {
			t.Errorf("got %d polls from %+v on, want them to go on after %s", len(k.polls), k.pollers, k.after[1])
		}
		if end := k.polls[len(k.polls)-1].Sub(begin); end > 8*time.Minute || len(k.at) > 30 {
			t.Errorf("polled for %s with %d subscriptions tried, want it to end some 2 minutes after the refusals did", end, len(k.at))
		}
	})
}

// TestFanout_ShardEnd tells the children, also of a shard without records and of
// one whose end is found by polling.
func TestFanout_ShardEnd(t *testing.T) {
	end := &reader.Batch{Children: []contract.ChildShard{{Shard: "c"}}}
	for name, k := range map[string]*kinesis{
		"empty":   {event: func(int, int) (*reader.Batch, error) { return end, nil }},
		"polling": {subscribe: func(int) error { return errors.New("no") }, poll: func(int) (*reader.Batch, error) { return end, nil }},
		"later": {event: func(_, event int) (*reader.Batch, error) {
			if event == 3 {
				return end, nil
			}
			return nil, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if children, err := subscribed(k, &sink{}, time.Hour); err != nil || len(children) != 1 {
					t.Errorf("got children %v, error %v, want one", children, err)
				}
			})
		})
	}
}

// TestFanout_Gone finds out by polling that a shard is gone.
func TestFanout_Gone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := fmt.Errorf("x: %w", reader.ErrNoShard)
		k := &kinesis{subscribe: func(int) error { return gone }, poll: func(int) (*reader.Batch, error) { return nil, gone }}
		if children, err := subscribed(k, &sink{}, time.Hour); err != nil || children != nil || len(k.at) != 4 || len(k.polls) != 4 {
			t.Errorf("got children %v, error %v after %d subscriptions and %d polls, want 4 of both", children, err, len(k.at), len(k.polls))
		}
	})
}
