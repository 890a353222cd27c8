package replay_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/replay"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// source is a reader.Polling that gives batches a second apart.
type source struct {
	batches  map[string][]reader.Batch
	children map[string][]contract.ChildShard
	fails    map[string]error // by shard: after its batches

	mu     sync.Mutex
	grants []contract.Grant
	given  map[string]int // batches, by shard
	began  map[string]time.Time
}

func (s *source) Run(ctx context.Context, g contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	s.mu.Lock()
	s.grants = append(s.grants, g)
	s.began[g.Shard] = time.Now()
	s.mu.Unlock()
	for i := range s.batches[g.Shard] {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Second):
		}
		b := s.batches[g.Shard][i]
		s.mu.Lock()
		s.given[g.Shard]++
		s.mu.Unlock()
		if err := sink.Accept(ctx, &b, func() {}); err != nil {
			return nil, err
		}
	}
	return s.children[g.Shard], s.fails[g.Shard]
}

// batch has records that arrived so many seconds after now; it is not the
// shard's last.
func batch(behindMS int64, seconds ...int) reader.Batch {
	b := reader.Batch{Next: "more", BehindMS: behindMS}
	for _, s := range seconds {
		at := now.Add(time.Duration(s) * time.Second)
		b.Records = append(b.Records, reader.Record{Sequence: at.Format("20060102150405"), PartitionKey: "k", Arrived: at})
	}
	return b
}

// bench is a replay of the first minute from now on.
type bench struct {
	source   *source
	list     []contract.ChildShard // what is listed
	later    []contract.ChildShard // and what more when it is listed again
	only     []string
	unlisted error  // why nothing is listed
	gone     string // a shard that is not listed any more
	resume   []replay.Position
	takes    time.Duration // a handler
	clock    time.Duration // how far the service's clock is beyond now, at first
	handled  []string      // shard and second
}

func (b *bench) run(t *testing.T, ctx context.Context) (replay.Summary, error) {
	t.Helper()
	var mu sync.Mutex
	b.source.given, b.source.began = map[string]int{}, map[string]time.Time{}
	process := func(ctx context.Context, batch []handler.Message, done func([]int)) {
		select {
		case <-time.After(b.takes):
		case <-ctx.Done():
			return
		}
		mu.Lock()
		b.handled = append(b.handled, batch[0].Shard+" "+batch[0].Sequence[len("202611231200"):])
		mu.Unlock()
		done(nil)
	}
	began, tally, window := time.Now(), replay.NewTally(metrics.New()), replay.Window{From: now, Until: now.Add(time.Minute)}
	listed := func(context.Context) ([]contract.ChildShard, error) {
		all := append(slices.Clone(b.list), b.later...)
		return slices.DeleteFunc(all, func(s contract.ChildShard) bool { return s.Shard == b.gone }), b.unlisted
	}
	o := replay.Options{
		Stream: "test", Window: window, Only: b.only, Resume: b.resume, Tally: tally, DrainTimeout: 10 * time.Second, Log: zerolog.Nop(),
		List: listed,
		Shards: shard.Deps{
			Dispatcher: dispatch.New(dispatch.Options{Process: process, Limit: 10, BatchSize: 1, Done: tally.Done}),
			Reader: &replay.Reader{Reader: b.source, Window: window, Tally: tally, List: listed,
				Now: func() time.Time { return now.Add(b.clock + time.Since(began)) }},
			Observer: tally, Log: zerolog.Nop(),
		},
	}
	r, err := replay.New(o, b.list)
	if err != nil {
		return replay.Summary{}, err
	}
	err = r.Run(ctx)
	time.Sleep(time.Minute) // goroutines that wait for batches end
	return r.Summary(), err
}

func (b *bench) started() string {
	var list []string
	for _, g := range b.source.grants {
		list = append(list, g.Shard)
	}
	return strings.Join(list, " ")
}

func child(name string, parents ...string) contract.ChildShard {
	return contract.ChildShard{Shard: name, Parents: parents}
}

// TestReplay_Lineage reads parents before children: listed ones, those that a
// parent names at its end, and those that only another list shows.
func TestReplay_Lineage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{source: &source{
			batches: map[string][]reader.Batch{"a": {batch(9, 1), batch(9, 2)}, "b": {batch(9, 1)}, "c": {batch(9, 3)}, "d": {batch(9, 4)}},
			children: map[string][]contract.ChildShard{
				"a": {child("c", "a", "b")}, "b": {child("c", "a", "b")}, "c": {child("d", "c")},
			},
		}, list: []contract.ChildShard{child("a", "gone"), child("b"), child("c", "a", "b")}}
		s, err := b.run(t, t.Context())
		if err != nil || !s.Complete || s.Shards != 4 || s.ShardsDone != 4 || s.Handled != 5 {
			t.Errorf("got %+v, %v", s, err)
		}
		for child, parents := range map[string]time.Duration{"c": 2 * time.Second, "d": 3 * time.Second} {
			if got := b.source.began[child].Sub(b.source.began["a"]); got != parents {
				t.Errorf("got %s begun after %s, want it when its parents are done, after %s", child, got, parents)
			}
		}
		if want := (contract.Start{Type: contract.AtTimestamp, TimestampMS: now.UnixMilli()}); b.source.grants[0].Start != want {
			t.Errorf("got start %+v, want %+v", b.source.grants[0].Start, want)
		}
	})
}

// TestReplay_Born finds a shard whose parent told nothing of it.
func TestReplay_Born(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{source: &source{batches: map[string][]reader.Batch{"a": {batch(9, 70)}, "b": {batch(9, 4)}}}, list: []contract.ChildShard{child("a")}, later: []contract.ChildShard{child("b", "a")}}
		if s, err := b.run(t, t.Context()); err != nil || s.Shards != 2 || s.Handled != 1 {
			t.Errorf("got %+v, %v, want the shard born meanwhile to be read", s, err)
		}
	})
}

// TestReplay_End ends a shard where nothing more of the window can come, and
// not before.
func TestReplay_End(t *testing.T) {
	for name, tc := range map[string]struct {
		clock   time.Duration
		batches []reader.Batch
		given   int    // batches until the end
		handled string // seconds
	}{
		"past the window":         {time.Hour, []reader.Batch{batch(9, 1, 59), batch(9, 62), batch(9, 63)}, 2, "01 59"},
		"a little past it":        {time.Hour, []reader.Batch{batch(9, 61), batch(9, 59, 61), batch(9, 62)}, 3, "59"},
		"before it":               {time.Hour, []reader.Batch{batch(9, -1, 0, 1), batch(9, 70)}, 2, "00 01"},
		"at the tip, later":       {time.Hour, []reader.Batch{batch(0, 1), batch(0), batch(0, 2)}, 2, "01"},
		"at the tip, not yet":     {58 * time.Second, []reader.Batch{batch(0), batch(0, 59), batch(0), batch(0), batch(0), batch(0, 60)}, 5, "59"},
		"nothing, but not at tip": {time.Hour, []reader.Batch{batch(9), batch(9), batch(9, 5), batch(0)}, 4, "05"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bench{clock: tc.clock, source: &source{batches: map[string][]reader.Batch{"a": tc.batches}}, list: []contract.ChildShard{child("a")}}
				s, err := b.run(t, t.Context())
				if err != nil || !s.Complete || b.source.given["a"] != tc.given {
					t.Errorf("got %+v, %v after %d batches, want the end after %d", s, err, b.source.given["a"], tc.given)
				}
				if got := strings.ReplaceAll(strings.Join(b.handled, " "), "a ", ""); got != tc.handled {
					t.Errorf("got %s handled, want %s", got, tc.handled)
				}
			})
		})
	}
}

// TestReplay_Stop drains, and another goes on from there.
func TestReplay_Stop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{batches: map[string][]reader.Batch{"a": {batch(9, 1), batch(9, 2), batch(9, 3)}, "b": {batch(9, 1)}, "c": {batch(9, 3)}}}
		list := []contract.ChildShard{child("a"), child("b"), child("c", "a")}
		first := &bench{source: src, list: list, takes: 700 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		s, err := first.run(t, ctx)
		if !errors.Is(err, replay.ErrStopped) || s.Complete || s.Handled != 3 {
			t.Fatalf("got %+v, %v, want 3 messages handled, one of them while draining", s, err)
		}
		want := []replay.Position{
			{Shard: "a", State: replay.Reading, Sequence: "20261123120002"}, {Shard: "b", State: replay.Done, Sequence: "20261123120001"}, {Shard: "c", State: replay.Waiting},
		}
		if !slices.Equal(s.Positions, want) {
			t.Errorf("got positions %v, want %v", s.Positions, want)
		}
		second := &bench{source: src, list: list, resume: s.Positions}
		src.grants = nil
		s, err = second.run(t, t.Context())
		if got := strings.Join(second.handled, ", "); err != nil || !s.Complete || second.started() != "a c" || got != "a 03, c 03" {
			t.Errorf("got %+v, %v: started %s, handled %s; want what was left", s, err, second.started(), got)
		}
	})
}

// TestReplay_Fails ends where a shard cannot be read, with what was done by
// then; a shard that retention has taken is no failure.
func TestReplay_Fails(t *testing.T) {
	refused, noStream := errors.New("refused"), errors.New("no such stream")
	for name, tc := range map[string]struct {
		bench bench
		fails error // of reading shard a
		want  error
	}{
		"refused":          {bench{}, refused, refused},
		"stream deleted":   {bench{unlisted: noStream}, reader.ErrNoShard, noStream},
		"shard unreadable": {bench{}, reader.ErrNoShard, reader.ErrNoShard},
		"shard trimmed":    {bench{gone: "a"}, reader.ErrNoShard, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := tc.bench
				b.list = []contract.ChildShard{child("a"), child("b")}
				b.source = &source{
					batches: map[string][]reader.Batch{"a": {batch(9, 1)}, "b": {batch(9, 1), batch(9, 2), batch(9, 3)}},
					fails:   map[string]error{"a": tc.fails},
				}
				s, err := b.run(t, t.Context())
				if !errors.Is(err, tc.want) || errors.Is(err, replay.ErrStopped) || s.Complete != (tc.want == nil) {
					t.Fatalf("got %+v, %v, want %v", s, err, tc.want)
				}
				if tc.want != nil && (!strings.Contains(err.Error(), "shard a") || s.Positions[0].State == replay.Done || s.Positions[0].Sequence != "20261123120001") {
					t.Errorf("got %v and %v, want shard a named, and done up to its first record", err, s.Positions)
				}
			})
		})
	}
}

// TestReplay_Only reads the named shards and no others.
func TestReplay_Only(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{
			source: &source{batches: map[string][]reader.Batch{}, children: map[string][]contract.ChildShard{"b": {child("c", "b")}}},
			list:   []contract.ChildShard{child("a"), child("b", "a")}, only: []string{"b"},
		}
		if s, err := b.run(t, t.Context()); err != nil || s.Shards != 1 || b.started() != "b" {
			t.Errorf("got %+v, %v, started %s, want b alone", s, err, b.started())
		}
		b.only = []string{"b", "x"}
		if _, err := b.run(t, t.Context()); !errors.Is(err, replay.ErrNoShard) {
			t.Errorf("got %v, want ErrNoShard", err)
		}
	})
}
