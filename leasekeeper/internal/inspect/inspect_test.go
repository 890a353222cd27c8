package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/inspect"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

const (
	a, b = "task-a/0000000a", "task-b/0000000b"
	seq  = "49590338271490256608559692538361571095921575989136588898"
)

func worker(id string, counter int64, held ...lease.Held) *lease.Worker {
	return &lease.Worker{ID: id, Counter: counter, State: lease.Active, Ready: true, Held: held, StartedAt: time.Unix(1000, 0)}
}

func row(shard, owner string, counter int64, checkpoint string, parents ...string) *lease.Row {
	return &lease.Row{Shard: shard, Owner: owner, Counter: counter, Checkpoint: lease.Checkpoint{Sequence: checkpoint}, Parents: parents}
}

func listing(ids ...string) *lease.Listing {
	l := &lease.Listing{ARN: "arn", CreatedAt: time.Unix(500, 0)}
	for _, id := range ids {
		l.Shards = append(l.Shards, lease.Shard{ID: id})
	}
	return l
}

// A stream that is scaled out and in again and again is a ladder of shards, with
// two ways down at each rung.
func TestBuild_Ladder(t *testing.T) {
	const rungs = 60
	l := listing("s0")
	for i := range rungs {
		from, to := fmt.Sprintf("s%d", 3*i), fmt.Sprintf("s%d", 3*i+3)
		left, right := fmt.Sprintf("s%d", 3*i+1), fmt.Sprintf("s%d", 3*i+2)
		l.Shards = append(l.Shards, lease.Shard{ID: left, Parents: []string{from}}, lease.Shard{ID: right, Parents: []string{from}},
			lease.Shard{ID: to, Parents: []string{left, right}})
	}
	done := make(chan inspect.Report, 1)
	go func() {
		look := inspect.Look{Workers: []*lease.Worker{worker(a, 1)}}
		done <- inspect.Build(look, inspect.Look{Workers: []*lease.Worker{worker(a, 2)}}, l, "test", time.Now())
	}()
	select {
	case r := <-done:
		if len(r.Problems) != 3*rungs+1 || r.Problems[0] != "shard s0 has no lease yet" {
			t.Errorf("got %d problems, %q …, want one for each shard", len(r.Problems), r.Problems[0])
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no report after 20 s")
	}
}

func TestBuild(t *testing.T) {
	held := func(shard string, lag int64) lease.Held {
		return lease.Held{Shard: shard, Generation: 3, LagMillis: lag}
	}
	stream := &lease.Stream{ARN: "arn", CreatedAt: time.Unix(500, 0)}
	for name, tc := range map[string]struct {
		first, second inspect.Look
		listing       *lease.Listing
		state         string // of the first lease
		want          string // part of its or the report's only problem; empty: none
	}{
		"held": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1, held("s0", 90_000))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s0", 90_000))}, Leases: []*lease.Row{row("s0", a, 3, "2")}, Stream: stream},
			listing("s0"), "held", "",
		},
		"stuck": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1, held("s0", 90_000))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s0", 90_000))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			listing("s0"), "held", "stuck: 1m30s behind",
		},
		"idle is not stuck": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1, held("s0", 0))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s0", 0))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			listing("s0"), "held", "",
		},
		"evicted owner": {
			inspect.Look{Workers: []*lease.Worker{worker(b, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(b, 2), {ID: a, State: lease.Evicted}}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			listing("s0"), "held", "declared dead",
		},
		"foreign owner": {
			inspect.Look{Workers: []*lease.Worker{worker(b, 1)}, Leases: []*lease.Row{row("s0", "kcl", 3, "1")}},
			inspect.Look{Workers: []*lease.Worker{worker(b, 2)}, Leases: []*lease.Row{row("s0", "kcl", 4, "1")}},
			listing("s0"), "held", "live worker of the Kinesis Client Library",
		},
		"another fleet's": {
			inspect.Look{Workers: []*lease.Worker{worker(b, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(b, 2)}, Leases: []*lease.Row{{Shard: "s0", Owner: a, Counter: 3, WorkerTable: "others"}}},
			listing("s0"), "held", "its worker table is others",
		},
		"orphaned": {
			inspect.Look{Workers: []*lease.Worker{worker(b, 1)}, Leases: []*lease.Row{row("s0", "", 3, "1")}},
			inspect.Look{Workers: []*lease.Worker{worker(b, 2)}, Leases: []*lease.Row{row("s0", "", 3, "1")}},
			listing("s0"), "unowned", "orphaned",
		},
		"not served": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2)}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			listing("s0"), "held", "does not serve it",
		},
		"trimmed": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s0", 0))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			listing(), "held", "trimmed",
		},
		"waiting": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s1", 0))}, Leases: []*lease.Row{row("s0", "", 1, "TRIM_HORIZON", "s1"), row("s1", a, 3, "1")}},
			listing("s0", "s1"), "waiting", "",
		},
		"waits for a parent that is read again": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2)}, Leases: []*lease.Row{
				{Shard: "s0", Checkpoint: lease.Checkpoint{Sequence: "TRIM_HORIZON"}, Parents: []string{"s1"}, Rewound: 5, Behind: map[string]int64{"s1": 5}},
				row("s1", "", 3, lease.ShardEnd)}},
			listing("s0", "s1"), "waiting", "",
		},
		"a finished one that is to be read again": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2)}, Leases: []*lease.Row{row("s0", "", 3, lease.ShardEnd)},
				Stream: &lease.Stream{ARN: "arn", CreatedAt: time.Unix(500, 0), Rewind: &lease.Rewind{ID: 5, To: lease.TrimHorizon, Shards: []string{"s0"}}}},
			listing("s0"), "finished", "shard s0 is to be rewound",
		},
		"another stream": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s0", 0))}, Leases: []*lease.Row{row("s0", a, 3, "1")}, Stream: &lease.Stream{ARN: "arn", CreatedAt: time.Unix(400, 0)}},
			listing("s0"), "held", "belong to stream",
		},
		"no row": {
			inspect.Look{Workers: []*lease.Worker{worker(a, 1)}},
			inspect.Look{Workers: []*lease.Worker{worker(a, 2, held("s0", 0))}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
			listing("s0", "s1"), "held", "shard s1 has no lease",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := inspect.Build(tc.first, tc.second, tc.listing, "test", time.Unix(2000, 0))
			if got := r.Leases[0].State; got != tc.state {
				t.Errorf("state: got %q, want %q", got, tc.state)
			}
			problems := append(slices.Clone(r.Leases[0].Problems), r.Problems...)
			switch {
			case tc.want == "" && r.Wrong() != 0:
				t.Errorf("got problems %q, want none", problems)
			case tc.want != "" && (r.Wrong() != 1 || len(problems) != 1 || !strings.Contains(problems[0], tc.want)):
				t.Errorf("got problems %q (%d), want one with %q", problems, r.Wrong(), tc.want)
			}
		})
	}
}

func TestBuild_DeadWorker(t *testing.T) {
	look := inspect.Look{Workers: []*lease.Worker{worker(a, 7, lease.Held{Shard: "s0", Generation: 3})}, Leases: []*lease.Row{row("s0", a, 3, "1")}}
	r := inspect.Build(look, look, listing("s0"), "test", time.Unix(2000, 0))
	if r.Wrong() != 3 || len(r.Workers[0].Problems) != 1 || r.Workers[0].Alive || !strings.Contains(r.Leases[0].Problems[0], "dead worker") {
		t.Errorf("got %+v, want a dead worker, its lease, and nobody alive", r)
	}
}

// A worker whose row cannot be understood is wrong, its leases are not.
func TestBuild_HeldUnreadable(t *testing.T) {
	unreadable := func(counter int64) *lease.Worker {
		w := worker(a, counter)
		w.HeldErr = errors.New("worker " + a + ": held is damaged")
		return w
	}
	rows := []*lease.Row{row("s0", a, 3, "1"), row("s1", a, 3, "1")}
	r := inspect.Build(inspect.Look{Workers: []*lease.Worker{unreadable(1)}, Leases: rows},
		inspect.Look{Workers: []*lease.Worker{unreadable(2)}, Leases: rows}, listing("s0", "s1"), "test", time.Unix(2000, 0))
	if got := r.Workers[0]; r.Wrong() != 1 || got.Leases != 2 || len(got.Problems) != 1 || !strings.Contains(got.Problems[0], "damaged") {
		t.Errorf("got %+v with %d problems, want two leases and one problem", got, r.Wrong())
	}
}

// Either table has below it everything that counts as wrong.
func TestReport_WriteBoth(t *testing.T) {
	one, two := inspect.Look{Workers: []*lease.Worker{worker(a, 1), worker(b, 7)}, Leases: []*lease.Row{row("s0", a, 3, "1")}},
		inspect.Look{Workers: []*lease.Worker{worker(a, 2), worker(b, 7)}, Leases: []*lease.Row{row("s0", a, 3, "1")}}
	r := inspect.Build(one, two, listing("s0", "s1"), "test", time.Unix(2000, 0))
	for name, write := range map[string]func(io.Writer) error{
		"leases": r.WriteLeases, "workers": func(w io.Writer) error { return r.WriteWorkers(w, time.Unix(2000, 0)) },
	} {
		var out strings.Builder
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, want := range []string{"\n! s0: its owner", "\n! " + b + ": no heartbeat", "\n! shard s1 has no lease"} {
			lines += strings.Count(out.String(), want)
		}
		if lines != 3 || r.Wrong() != 3 {
			t.Errorf("%s: got %d of %d problems in\n%s", name, lines, r.Wrong(), &out)
		}
	}
}

func TestReport_Write(t *testing.T) {
	first := inspect.Look{Workers: []*lease.Worker{worker(a, 1)}, Leases: []*lease.Row{row("shardId-000000000000", a, 3, seq)}}
	second := inspect.Look{Workers: []*lease.Worker{worker(a, 2)}, Leases: []*lease.Row{row("shardId-000000000000", a, 3, seq, "shardId-000000000007")}}
	r := inspect.Build(first, second, listing("shardId-000000000000"), "test", time.Unix(2000, 0))
	var out strings.Builder
	if err := r.WriteLeases(&out); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteWorkers(&out, time.Unix(1060, 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"! shardId-000000000000  held", "…989136588898", "  7  ", "! shardId-000000000000: its owner does not serve it", "1m0s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
}

// watched is a fleet of one worker, with the fleet's D in its row, whose answers
// come after so many that are throttles.
func watched(d time.Duration, throttles int) inspect.Watch {
	began := time.Now()
	execute := func(_ context.Context, op lease.Op) lease.Answer {
		if throttles--; throttles >= 0 {
			return lease.Answer{Outcome: lease.Failed, Err: errThrottled}
		}
		switch op.(type) {
		case lease.ScanWorkers:
			w := worker(a, int64(time.Since(began)/(d/4)), lease.Held{Shard: "s0", Generation: 3})
			w.Duration = d
			gone := worker(b, 1)
			gone.State, gone.Duration = lease.Evicted, time.Minute
			return lease.Answer{Outcome: lease.Applied, Workers: []*lease.Worker{w, gone}}
		case lease.ScanLeases:
			return lease.Answer{Outcome: lease.Applied, Leases: []*lease.Row{row("s0", a, 3, "1")}}
		}
		return lease.Answer{Outcome: lease.Applied, Listing: listing("s0")}
	}
	return inspect.Watch{Execute: execute, Open: func(err error) bool { return errors.Is(err, errThrottled) }, Stream: "test",
		Duration: 8 * time.Second, CheckpointInterval: 2 * time.Second}
}

var errThrottled = errors.New("throttled")

// The looks are as far apart as the fleet's own lease duration asks, not the
// caller's: a fleet at 40 s beats each 10 s.
func TestWatch_Gather(t *testing.T) {
	for d, apart := range map[time.Duration]time.Duration{40 * time.Second: 20 * time.Second, 4 * time.Second: 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			began, w := time.Now(), watched(d, 0)
			r, err := w.Gather(t.Context())
			if err != nil || r.Wrong() != 0 || time.Since(began) != apart {
				t.Errorf("D %s: got %+v, %v after %s, want no problem after %s", d, r, err, time.Since(began), apart)
			}
		})
	}
}

// A throttle is no answer: it asks again.
func TestWatch_GatherThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watched(8*time.Second, 2)
		if r, err := w.Gather(t.Context()); err != nil || r.Wrong() != 0 {
			t.Errorf("got %+v, %v, want a report", r, err)
		}
	})
}

// Where no leasekeeper ever ran there is nothing to see, and that is said.
func TestBuild_NeverUsed(t *testing.T) {
	r := inspect.Build(inspect.Look{}, inspect.Look{}, listing("s0"), "test", time.Unix(2000, 0))
	if r.Wrong() != 1 || !strings.Contains(r.Problems[0], "never used") {
		t.Errorf("got %q, want to hear that the tables were never used", r.Problems)
	}
}
