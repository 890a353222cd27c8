package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
)

// source is a Source that answers what a test says, and remembers when it was
// asked.
type source struct {
	answer func(shard string, n int) (*reader.Batch, error) // to a shard's n-th read, from 0

	mu     sync.Mutex
	starts []reader.Start // of iterators
	reads  map[string][]time.Time
	bad    bool // the iterator is not taken any more
}

func (s *source) Iterator(_ context.Context, _ contract.Grant, at reader.Start) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts, s.bad = append(s.starts, at), false
	return "iterator", nil
}

func (s *source) Records(_ context.Context, g contract.Grant, _ string) (*reader.Batch, error) {
	s.mu.Lock()
	if s.reads == nil {
		s.reads = map[string][]time.Time{}
	}
	n := len(s.reads[g.Shard])
	s.reads[g.Shard] = append(s.reads[g.Shard], time.Now())
	s.mu.Unlock()
	return s.answer(g.Shard, n)
}

// count returns how many reads of a shard there were.
func (s *source) count(shard string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reads[shard])
}

// sink is a Sink that collects sequence numbers, and an Observer that counts.
type sink struct {
	keep time.Duration // how long a Batch is held; negative: until free is called

	mu                sync.Mutex
	sequences         []string
	held              []func()
	throttled, failed int
	trimmed           int
}

func (s *sink) Accept(_ context.Context, b *reader.Batch, release func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range b.Records {
		s.sequences = append(s.sequences, r.Sequence)
	}
	switch {
	case s.keep > 0:
		time.AfterFunc(s.keep, release)
	case s.keep < 0:
		s.held = append(s.held, release)
	default:
		release()
	}
	return nil
}

func (s *sink) Read(int, int64, int64) {}
func (s *sink) Throttled()             { s.mu.Lock(); s.throttled++; s.mu.Unlock() }
func (s *sink) ReadFailed()            { s.mu.Lock(); s.failed++; s.mu.Unlock() }
func (s *sink) CheckpointTrimmed()     { s.mu.Lock(); s.trimmed++; s.mu.Unlock() }

func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.sequences...)
}

// one is an answer with one record.
func one(sequence int) *reader.Batch {
	return &reader.Batch{Records: []reader.Record{{Sequence: strconv.Itoa(sequence)}}, Next: "next", Payload: 100, Cost: 100}
}

// poll polls shards of s for a time, and returns how many reads of "a" there
// were in it.
func poll(p reader.Polling, s *source, k *sink, d time.Duration, shards ...string) int {
	p.Source, p.Observer, p.Log = s, k, zerolog.Nop()
	if p.Budget == nil {
		p.Budget = budget.New(64 << 20)
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	var all sync.WaitGroup
	for _, shard := range append(shards, "a") {
		all.Go(func() { _, _ = p.Run(ctx, contract.Grant{Shard: shard}, k) })
	}
	all.Wait()
	return s.count("a")
}

// TestPolling_Pace holds the service's limits, and is no slower than they are
// while there is something to read.
func TestPolling_Pace(t *testing.T) {
	limits := reader.Pace{CallsPerSecond: 5, BytesPerSecond: 2 << 20, MaxWait: 2 * time.Second}
	for name, tc := range map[string]struct {
		answer    reader.Batch
		low, high int // reads in a minute
	}{
		"five calls a second":             {reader.Batch{Records: make([]reader.Record, 1), Payload: 100}, 270, 301},
		"two MiB a second":                {reader.Batch{Records: make([]reader.Record, 1), Payload: 10 << 20}, 10, 13},
		"no slower in a gap while behind": {reader.Batch{BehindMS: 5000}, 270, 301},
		"gentle when there is nothing":    {reader.Batch{}, 25, 45},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &source{answer: func(string, int) (*reader.Batch, error) {
					b := tc.answer
					b.Next = "next"
					return &b, nil
				}}
				if n := poll(reader.Polling{Pace: limits}, s, &sink{}, time.Minute); n < tc.low || n > tc.high {
					t.Errorf("got %d reads in a minute, want %d to %d", n, tc.low, tc.high)
				}
			})
		})
	}
}

// TestPolling_NoBound reads without a bound of calls as fast as answers come,
// and yet not without end where there is nothing, or too much.
func TestPolling_NoBound(t *testing.T) {
	throttled := fmt.Errorf("x: %w", reader.ErrThrottled)
	for name, tc := range map[string]struct {
		answer func(n int) (*reader.Batch, error)
		most   int // reads in a minute
	}{
		"nothing to read":    {func(int) (*reader.Batch, error) { return &reader.Batch{Next: "next"}, nil }, 45},
		"one in 2 throttled": {func(n int) (*reader.Batch, error) { return one(n), [2]error{nil, throttled}[n%2] }, 900},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reads := 0
				s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
					if reads++; reads > 10_000 {
						return &reader.Batch{}, nil // the end: virtual time does not go on by itself
					}
					return tc.answer(n)
				}}
				n := poll(reader.Polling{Pace: reader.Pace{MaxWait: 2 * time.Second}}, s, &sink{}, time.Minute)
				if n > tc.most {
					t.Errorf("got %d reads in a minute, want %d at most", n, tc.most)
				}
			})
		})
	}
}

// TestPolling_FastAgain reads at full pace as soon as something has come.
func TestPolling_FastAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
			if n < 20 {
				return &reader.Batch{Next: "next"}, nil
			}
			return one(n), nil
		}}
		poll(reader.Polling{Pace: reader.Pace{CallsPerSecond: 5, MaxWait: 2 * time.Second}}, s, &sink{}, time.Minute)
		reads := s.reads["a"]
		if idle, busy := reads[20].Sub(reads[19]), reads[21].Sub(reads[20]); idle < time.Second || busy > 250*time.Millisecond {
			t.Errorf("waited %s while idle and %s after a record, want 2 s and 200 ms", idle, busy)
		}
	})
}

// TestPolling_ExpiredIterator goes on at the last record that was delivered,
// which is not delivered again, and says so if the stream has it no more.
func TestPolling_ExpiredIterator(t *testing.T) {
	for name, tc := range map[string]struct {
		after   []*reader.Batch // what is read with the second iterator
		want    string
		trimmed int
	}{
		"there":                       {[]*reader.Batch{{Next: "next"}, one(2), one(3)}, "0 1 2 3", 0},
		"trimmed":                     {[]*reader.Batch{{Next: "next"}, one(7), one(8)}, "0 1 2 7 8", 1},
		"trimmed up to a shard's end": {[]*reader.Batch{{}}, "0 1 2", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
					switch {
					case n < 3:
						return one(n), nil
					case n == 3:
						return nil, fmt.Errorf("x: %w", reader.ErrExpired)
					case n-4 < len(tc.after):
						return tc.after[n-4], nil
					}
					return &reader.Batch{Next: "next"}, nil
				}}
				k := &sink{}
				poll(reader.Polling{Pace: reader.Pace{CallsPerSecond: 5}}, s, k, 4*time.Second)
				again := reader.Start{Start: contract.Start{Type: contract.AtSequenceNumber, Sequence: "2"}}
				if len(s.starts) != 2 || s.starts[0].After != "" || s.starts[1] != again {
					t.Errorf("got iterators %+v, want one more, at 2", s.starts)
				}
				if got := strings.Join(k.got(), " "); got != tc.want || k.trimmed != tc.trimmed || k.failed != 0 {
					t.Errorf("got records %s, %d times trimmed, %d failures, want %s, %d, 0", got, k.trimmed, k.failed, tc.want, tc.trimmed)
				}
			})
		})
	}
}

// TestPolling_Throttled backs off on the shard that is throttled, and on no
// other.
func TestPolling_Throttled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(shard string, n int) (*reader.Batch, error) {
			if shard == "b" {
				return nil, fmt.Errorf("x: %w", reader.ErrThrottled)
			}
			return one(n), nil
		}}
		k := &sink{}
		n := poll(reader.Polling{Pace: reader.Pace{CallsPerSecond: 5}}, s, k, time.Minute, "b")
		if b := s.count("b"); n < 270 || b > 60 || b < 12 || k.throttled != b {
			t.Errorf("got %d reads of the throttled shard (%d counted) and %d of the other, want 12 to 60, and 270 or more", b, k.throttled, n)
		}
	})
}

// TestPolling_Position says at once, and seldom after that, what a person must
// mend; whoever has Patience is told by the error.
func TestPolling_Position(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(string, int) (*reader.Batch, error) { return nil, fmt.Errorf("x: %w", reader.ErrPosition) }}
		var log bytes.Buffer
		p := reader.Polling{Source: s, Budget: budget.New(64 << 20), Observer: &sink{}, Log: zerolog.New(&log)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _ = p.Run(ctx, contract.Grant{Shard: "a"}, &sink{})
		if got := log.String(); strings.Count(got, "leasekeeper rewind") != 1 || strings.Count(got, "\n") != 1 {
			t.Errorf("got log %q, want one line that names leasekeeper rewind", got)
		}
		p.Patience = time.Hour
		began := time.Now()
		if _, err := p.Run(t.Context(), contract.Grant{Shard: "a"}, &sink{}); !errors.Is(err, reader.ErrPosition) || time.Since(began) > 0 {
			t.Errorf("got %v after %s, want %v at once", err, time.Since(began), reader.ErrPosition)
		}
	})
}

// TestPolling_BadIterator has an iterator that Kinesis does not take any more,
// though it has not expired: another one is got, and not in a hurry if that is not
// taken either.
func TestPolling_BadIterator(t *testing.T) {
	for name, tc := range map[string]struct {
		for_      time.Duration // no iterator is taken
		low, high int           // iterators in a minute
	}{"once": {0, 2, 2}, "all": {time.Hour, 10, 60}} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			s := &source{}
			s.answer = func(_ string, n int) (*reader.Batch, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.bad = s.bad || n == 5 || n > 5 && time.Since(begin) < tc.for_
				if s.bad {
					return nil, fmt.Errorf("x: %w", reader.ErrIterator)
				}
				return one(n), nil
			}
			k := &sink{}
			poll(reader.Polling{Pace: reader.Pace{CallsPerSecond: 5}}, s, k, time.Minute)
			if n := len(s.starts); n < tc.low || n > tc.high || k.failed < n-1 {
				t.Fatalf("%s: got %d iterators and %d failures, want %d to %d, and a failure before each further one", name, n, k.failed, tc.low, tc.high)
			}
			if n := len(k.got()); tc.for_ == 0 && n < 200 || s.starts[1].Sequence != "4" {
				t.Errorf("%s: got %d records, the second iterator at %+v; want the reading to go on", name, n, s.starts[1])
			}
		})
	}
}

// TestPolling_SlowerAfterThrottling leaves room for the shard's other readers.
func TestPolling_SlowerAfterThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
			if n%2 == 0 {
				return nil, fmt.Errorf("x: %w", reader.ErrThrottled)
			}
			return one(n), nil
		}}
		poll(reader.Polling{Pace: reader.Pace{CallsPerSecond: 5}}, s, &sink{}, time.Minute)
		last := len(s.reads["a"]) - 2
		if last%2 == 0 {
			last-- // one that was answered
		}
		if gap := s.reads["a"][last+1].Sub(s.reads["a"][last]); gap < 400*time.Millisecond {
			t.Errorf("waited %s on a shard that is throttled again and again, want more than twice the usual 200 ms", gap)
		}
	})
}

// TestPolling_StopsWhileHeld reads no more of a shard whose messages are not
// handled, and goes on when they are.
func TestPolling_StopsWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
			b := one(n)
			b.Cost = 13 << 20
			return b, nil
		}}
		k := &sink{keep: -1}
		time.AfterFunc(time.Minute, func() {
			if n := s.count("a"); n != 2 {
				t.Errorf("got %d reads while nothing is handled, want 2", n)
			}
			k.mu.Lock()
			defer k.mu.Unlock()
			for _, release := range k.held {
				release()
			}
		})
		if n := poll(reader.Polling{Pace: reader.Pace{CallsPerSecond: 5}}, s, k, 2*time.Minute); n != 4 {
			t.Errorf("got %d reads after what was held was handled, want 4", n)
		}
	})
}

// TestPolling_Budget has 300 shards with messages of 10 MiB share a budget that
// is hardly enough for one: never is more in memory, and everybody's turn comes.
func TestPolling_Budget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 16 << 20
		b := budget.New(size)
		var mu sync.Mutex
		var held int64 // answers on their way, and those that are held
		s := &source{answer: func(string, int) (*reader.Batch, error) {
			mu.Lock()
			if held += reader.MaxAnswer; held > size {
				t.Errorf("%d bytes on their way, budget %d", held, size)
			}
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			held -= reader.MaxAnswer
			if held += 13 << 20; held > size || b.Used() < held {
				t.Errorf("%d bytes held, %d of the budget %d taken", held, b.Used(), size)
			}
			time.AfterFunc(100*time.Millisecond, func() { mu.Lock(); held -= 13 << 20; mu.Unlock() })
			return &reader.Batch{Records: make([]reader.Record, 1), Cost: 13 << 20}, nil // and the shard's end
		}}
		var shards []string
		for i := range 299 {
			shards = append(shards, fmt.Sprint(i))
		}
		k := &sink{keep: 110 * time.Millisecond}
		poll(reader.Polling{Budget: b}, s, k, time.Hour, shards...)
		if n := len(k.got()); n != 300 {
			t.Errorf("got the records of %d shards, want all 300", n)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		if b.Used() != 0 {
			t.Errorf("%d bytes of the budget are lost", b.Used())
		}
	})
}

// TestPolling_EmptyShardEnds tells the children of a shard without records.
func TestPolling_EmptyShardEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(string, int) (*reader.Batch, error) {
			return &reader.Batch{Children: []contract.ChildShard{{Shard: "c"}}}, nil
		}}
		p := &reader.Polling{Source: s, Budget: budget.New(64 << 20), Observer: &sink{}, Log: zerolog.Nop()}
		children, err := p.Run(context.Background(), contract.Grant{}, &sink{})
		if err != nil || len(children) != 1 {
			t.Errorf("got children %v, error %v, want one", children, err)
		}
	})
}

// TestPolling_Gone believes that a shard is missing when it is so several times
// in a row, some time apart; and names it.
func TestPolling_Gone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
			switch n {
			case 2:
				return one(n), nil
			case 5:
				return nil, errors.New("unreachable")
			}
			return nil, fmt.Errorf("x: %w", reader.ErrNoShard)
		}}
		var log strings.Builder
		p := &reader.Polling{Source: s, Budget: budget.New(64 << 20), Observer: &sink{}, Log: zerolog.New(&log)}
		if children, err := p.Run(context.Background(), contract.Grant{Shard: "a", Generation: 7}, &sink{}); err != nil || children != nil {
			t.Errorf("got children %v, error %v, want neither", children, err)
		}
		reads := s.reads["a"]
		if n := len(reads); n != 10 {
			t.Fatalf("got %d reads, want 4 that find no shard after the 6 before", n)
		}
		if took := reads[9].Sub(reads[6]); took < 600*time.Millisecond {
			t.Errorf("believed after %s, want 3 waits of 200 ms at least", took)
		}
		if !strings.Contains(log.String(), `"shard":"a","generation":7`) {
			t.Errorf("the log does not name the shard: %s", log.String())
		}
	})
}

// pastDeadline is a context as a term.Term is right after SIGCONT: its deadline
// has passed, and the timer that closes Done has not fired yet.
type pastDeadline struct{ context.Context }

func (pastDeadline) Err() error { return context.DeadlineExceeded }

func TestPolling_PastDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{answer: func(string, int) (*reader.Batch, error) { return nil, errors.New("read") }}
		p := &reader.Polling{Source: s, Budget: budget.New(64 << 20), Observer: &sink{}, Log: zerolog.Nop()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Run(pastDeadline{ctx}, contract.Grant{}, &sink{}); err == nil {
			t.Error("got no error, want that of the context")
		}
		if n := s.count(""); n != 0 {
			t.Errorf("got %d reads after the deadline, want none", n)
		}
	})
}

// TestPolling_Patience ends what somebody waits for: at once where reading is
// refused or the shard is gone, and else when a shard fails for too long.
func TestPolling_Patience(t *testing.T) {
	other := errors.New("other")
	for name, tc := range map[string]struct {
		fails     error
		good      int // reads before it fails; after some failures, one more
		low, high time.Duration
	}{
		"refused":           {reader.ErrRefused, 3, 0, 2 * time.Second},
		"gone":              {reader.ErrNoShard, 3, 0, 5 * time.Second},
		"throttled":         {reader.ErrThrottled, 3, 2 * time.Minute, 140 * time.Second},
		"other":             {other, 3, 2 * time.Minute, 140 * time.Second},
		"other, good again": {other, 100, 3 * time.Minute, 300 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
					if n < tc.good && (tc.good < 100 || n%10 == 0) {
						return one(n), nil
					}
					return nil, fmt.Errorf("x: %w", tc.fails)
				}}
				p := reader.Polling{Source: s, Observer: &sink{}, Log: zerolog.Nop(), Budget: budget.New(64 << 20), Patience: 2 * time.Minute}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_, err := p.Run(ctx, contract.Grant{Shard: "a"}, &sink{})
				if took := time.Since(begin); !errors.Is(err, tc.fails) || took < tc.low || took > tc.high {
					t.Errorf("got %v after %s, want %v after %s to %s", err, took, tc.fails, tc.low, tc.high)
				}
			})
		})
	}
}
