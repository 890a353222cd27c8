package operate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/operate"
)

func at(sequence string) lease.Checkpoint { return lease.Checkpoint{Sequence: sequence} }

// tables are those of a fleet that carries nothing out, unless carry is set: then
// every write of the request is followed by all that it asks for.
type tables struct {
	rows   []*lease.Row
	stream *lease.Stream
	old    []string // closed long ago
	gone   []string // past the retention
	carry  bool
	try    lease.Answer // to TryIterator
}

func fleet(rows ...*lease.Row) *tables {
	return &tables{rows: rows, stream: &lease.Stream{Requests: 3}, try: lease.Answer{Outcome: lease.Applied}}
}

func (f *tables) get(shard string) *lease.Row {
	for _, row := range f.rows {
		if row.Shard == shard {
			return row
		}
	}
	return nil
}

func (f *tables) execute(_ context.Context, op lease.Op) lease.Answer {
	switch op := op.(type) {
	case lease.ListShards:
		listing := &lease.Listing{Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
		for _, row := range f.rows {
			if !slices.Contains(f.gone, row.Shard) && (op.Since.IsZero() || !slices.Contains(f.old, row.Shard)) {
				shard := lease.Shard{ID: row.Shard, SequenceStart: "3"}
				if row.Finished() {
					shard.SequenceEnd = "12"
				}
				listing.Shards = append(listing.Shards, shard)
			}
		}
		return lease.Answer{Outcome: lease.Applied, Listing: listing}
	case lease.TryIterator:
		return f.try
	case lease.ScanLeases:
		return lease.Answer{Outcome: lease.Applied, Leases: append([]*lease.Row(nil), f.rows...)}
	case lease.ScanWorkers:
		row := *f.stream
		return lease.Answer{Outcome: lease.Applied, Stream: &row}
	case lease.StreamWrite:
		f.stream, _ = op.Apply(f.stream)
		if f.carry {
			f.carryOut()
		}
		return lease.Answer{Outcome: lease.Unknown} // landed; the answer is lost
	}
	return lease.Answer{Outcome: lease.Failed}
}

// carryOut does what the fleet would, children first.
func (f *tables) carryOut() {
	asking := f.stream.Rewind.Of(f.get)
	after := slices.Clone(f.rows)
	for i, row := range f.rows {
		change := lease.LeaseChange{Counter: row.Counter + 1}
		if asking.CarryOut(row, &change) {
			after[i], _ = lease.LeaseWrite{If: lease.LeaseCondition{Counter: row.Counter}, Change: &change}.Apply(row)
		}
	}
	f.rows = after
}

func rewind(t *testing.T, f *tables, to string, yes bool, shards ...string) (string, error) {
	t.Helper()
	target, err := operate.ParseTarget(to)
	if err != nil {
		t.Fatal(err)
	}
	return operated(t, f, func(ctx context.Context, o *operate.Operator) error { return o.Rewind(ctx, target, shards, yes) })
}

func operated(t *testing.T, f *tables, do func(context.Context, *operate.Operator) error) (string, error) {
	t.Helper()
	var out strings.Builder
	var err error
	synctest.Test(t, func(t *testing.T) {
		o := operate.Operator{Execute: f.execute, Out: &out, Every: time.Second / 2, Open: func(err error) bool { return !errors.Is(err, errDenied) }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = do(ctx, &o)
	})
	return out.String(), err
}

// resharded is p, split into a and b.
func resharded() *tables {
	return fleet(
		&lease.Row{Shard: "p", Checkpoint: at(lease.ShardEnd)}, &lease.Row{Shard: "a", Checkpoint: at("7"), Parents: []string{"p"}},
		&lease.Row{Shard: "b", Checkpoint: at("8"), Parents: []string{"p"}})
}

const anHourAgo = "2026-11-23T11:00:00Z"

// What cannot be done right is refused, and says why.
func TestRewind_Refused(t *testing.T) {
	for name, tc := range map[string]struct {
		to        string
		shards    []string
		old, gone []string
		want      error
	}{
		"a number of two shards":  {"5", []string{"a", "b"}, nil, nil, operate.ErrOneShard},
		"the future":              {"2026-11-23T13:00:00Z", []string{"a"}, nil, nil, operate.ErrFuture},
		"finished, to the latest": {lease.Latest, []string{"p"}, nil, nil, operate.ErrNothing},
		"finished before":         {anHourAgo, []string{"p"}, []string{"p"}, nil, operate.ErrNothing},
		"trimmed":                 {lease.TrimHorizon, []string{"p"}, nil, []string{"p"}, operate.ErrTrimmed},
		"finished":                {"5", []string{"p"}, nil, nil, nil},
		"only these":              {lease.TrimHorizon, []string{"a"}, nil, nil, nil},
		"everything left out":     {lease.Latest, nil, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := resharded()
			f.old, f.gone = tc.old, tc.gone
			out, err := rewind(t, f, tc.to, false, tc.shards...)
			if !errors.Is(err, tc.want) || f.stream.Requests != 3 {
				t.Errorf("got %v after request %d, want %v and nothing asked\n%s", err, f.stream.Requests, tc.want, out)
			}
		})
	}
	if out, err := rewind(t, resharded(), lease.TrimHorizon, false, "x"); err == nil || !strings.Contains(err.Error(), "no lease of shard x") {
		t.Errorf("got %v, want it to name the shard\n%s", err, out)
	}
	for _, text := range []string{"", "yesterday", "-1", "12a"} {
		if _, err := operate.ParseTarget(text); !errors.Is(err, operate.ErrTarget) {
			t.Errorf("%q: got %v, want it refused", text, err)
		}
	}
}

// A sequence number that the shard cannot have given would stop it: it is refused,
// by the shard's range and by the stream itself, whose no is believed; where the
// stream may not be asked, that is said.
func TestRewind_Number(t *testing.T) {
	applied := lease.Answer{Outcome: lease.Applied}
	for name, tc := range map[string]struct {
		to, shard string
		try       lease.Answer
		want      error
		says      string // in the output or the error
	}{
		"below the first":       {"2", "a", applied, operate.ErrNumber, "a: 2 is not one of its sequence numbers, which begin at 3"},
		"shorter, not smaller":  {"10", "a", applied, nil, "a: 7 -> 10"},
		"zeros before it":       {"0005", "a", applied, nil, "a: 7 -> 5\n"},
		"nothing but zeros":     {"00", "a", applied, operate.ErrNumber, "a: 0 is not"},
		"the first":             {"3", "p", applied, nil, "p: SHARD_END -> 3"},
		"the last":              {"12", "p", applied, nil, "p: SHARD_END -> 12"},
		"below, closed":         {"2", "p", applied, operate.ErrNumber, "which go from 3 to 12"},
		"above the last":        {"13", "p", applied, operate.ErrNumber, "p: 13 is not one of its sequence numbers, which go from 3 to 12"},
		"beyond the tip":        {"99", "a", lease.Answer{Outcome: lease.Refused, Err: errors.New("beyond the tip")}, operate.ErrNumber, "beyond the tip"},
		"nobody may ask for it": {"99", "a", lease.Answer{Outcome: lease.Failed, Err: errDenied}, nil, "not tried (denied)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := resharded()
			f.try = tc.try
			out, err := rewind(t, f, tc.to, false, tc.shard)
			if said := out + fmt.Sprint(err); !errors.Is(err, tc.want) || !strings.Contains(said, tc.says) {
				t.Errorf("got %v, want %v and %q in\n%s", err, tc.want, tc.says, said)
			}
			if _, err := rewind(t, f, tc.to, true, tc.shard); tc.want != nil && (!errors.Is(err, tc.want) || f.stream.Requests != 3) {
				t.Errorf("--yes: got %v after request %d, want nothing asked", err, f.stream.Requests)
			}
		})
	}
}

var errDenied = errors.New("denied")

// A dry run shows what would be read again, from where, and in which order:
// finished shards that hold something after the target, and what is below them.
func TestRewind_Shown(t *testing.T) {
	for name, tc := range map[string]struct {
		to        string
		shards    []string
		old, gone []string
		want      string
	}{
		"before the reshard": {lease.TrimHorizon, nil, nil, nil,
			"a: 7 -> TRIM_HORIZON, after p\nb: 8 -> TRIM_HORIZON, after p\np: SHARD_END -> TRIM_HORIZON\n3 shards; nothing was done: --yes does it\n"},
		"after it": {anHourAgo, nil, []string{"p"}, nil,
			"a: 7 -> 2026-11-23T11:00:00Z\nb: 8 -> 2026-11-23T11:00:00Z\n2 shards; nothing was done: --yes does it\n"},
		"a number of the parent": {"5", []string{"p"}, nil, nil,
			"a: 7 -> TRIM_HORIZON, after p\nb: 8 -> TRIM_HORIZON, after p\np: SHARD_END -> 5\n3 shards; nothing was done: --yes does it\n"},
		"the parent is trimmed": {lease.TrimHorizon, nil, nil, []string{"p"},
			"a: 7 -> TRIM_HORIZON\nb: 8 -> TRIM_HORIZON\np: its records are past the stream's retention; reading begins at what is left\n" +
				"2 shards; nothing was done: --yes does it\n"},
		"a child alone": {lease.TrimHorizon, []string{"b"}, nil, nil, "b: 8 -> TRIM_HORIZON\n1 shards; nothing was done: --yes does it\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := resharded()
			f.old, f.gone = tc.old, tc.gone
			if out, err := rewind(t, f, tc.to, false, tc.shards...); err != nil || out != tc.want {
				t.Errorf("got %v\n%s\nwant\n%s", err, out, tc.want)
			}
		})
	}
}

// LATEST is one time for all shards, from the service's clock (S13); a write whose
// answer is lost is asked once; a request nobody carries out stands and is an error.
func TestRewind_Asked(t *testing.T) {
	f := fleet(&lease.Row{Shard: "a", Checkpoint: at("7"), Rewound: 9}, &lease.Row{Shard: "b", Checkpoint: at("8")},
		&lease.Row{Shard: "c", Checkpoint: at(lease.TrimHorizon), Parents: []string{"b"}})
	out, err := rewind(t, f, lease.Latest, true)
	if !errors.Is(err, operate.ErrNotYet) || !strings.Contains(err.Error(), "a, b, c") || f.stream.Requests != 4 {
		t.Errorf("got %v after request %d, want it to stand once and not be done\n%s", err, f.stream.Requests, out)
	}
	r, noon := f.stream.Rewind, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	if r == nil || r.To != lease.AtTimestamp || !r.At.Equal(noon) || !slices.Equal(r.Shards, []string{"a", "b", "c"}) || r.ID != 10 {
		t.Errorf("got %+v, want noon, all three, above every rewind before", r)
	}
}

// A rewind that stands and is half done is waited for by the same, and before
// another; one that is done is taken back, and asked for anew.
func TestRewind_Standing(t *testing.T) {
	f := resharded()
	f.stream.Rewind = &lease.Rewind{ID: 3, To: lease.TrimHorizon, Shards: []string{"a", "b", "p"}}
	out, err := rewind(t, f, lease.TrimHorizon, true)
	if !errors.Is(err, operate.ErrNotYet) || f.stream.Requests != 3 || !strings.Contains(out, "asked for (request 3)") {
		t.Errorf("the same: got %v after request %d, want it waited for\n%s", err, f.stream.Requests, out)
	}
	out, err = rewind(t, f, anHourAgo, true)
	if !errors.Is(err, operate.ErrNotYet) || f.stream.Requests != 3 || !strings.Contains(out, "another rewind is under way (to TRIM_HORIZON)") {
		t.Errorf("another: got %v after request %d, want the first waited for\n%s", err, f.stream.Requests, out)
	}
	f.stream.Paused = true
	if out, err = rewind(t, f, anHourAgo, true); !errors.Is(err, operate.ErrUnderWay) {
		t.Errorf("another, paused: got %v, want %v\n%s", err, operate.ErrUnderWay, out)
	}
	f.stream.Paused, f.carry = false, true
	f.carryOut()
	if out, err = rewind(t, f, lease.TrimHorizon, true); err != nil || f.stream.Requests != 5 || f.stream.Rewind != nil || f.get("p").Rewound != 4 {
		t.Errorf("the same, done long ago: got %v, request %d, %+v, want it asked for anew\n%s", err, f.stream.Requests, f.get("p"), out)
	}
}

// In a paused fleet a rewind is asked for and not waited for. Resuming it waits,
// and takes the request back when it is done.
func TestRewind_Paused(t *testing.T) {
	f := resharded()
	f.stream.Paused = true
	out, err := rewind(t, f, lease.TrimHorizon, true)
	if err != nil || f.stream.Rewind == nil || !strings.HasSuffix(out, "\nasked for (request 4); the fleet is paused: leasekeeper resume has it carried out, before anything is read\n") {
		t.Errorf("got %v, %+v, want it to stand\n%s", err, f.stream.Rewind, out)
	}
	resume := func(ctx context.Context, o *operate.Operator) error { return o.Resume(ctx) }
	out, err = operated(t, f, resume)
	if !errors.Is(err, operate.ErrNotYet) || !strings.Contains(err.Error(), "not yet: a, b, p") || f.stream.Paused || f.stream.Rewind == nil {
		t.Errorf("nobody carries it out: got %v, %+v, want it resumed and the rewind to stand\n%s", err, f.stream, out)
	}
	f.carryOut()
	out, err = operated(t, f, resume)
	if err != nil || f.stream.Rewind != nil || f.stream.Requests != 6 || !strings.Contains(out, "a rewind stands (to TRIM_HORIZON); waiting until it is done\n3 of 3 shards rewound\n") {
		t.Errorf("done: got %v, %+v, want it taken back\n%s", err, f.stream, out)
	}
	if out, err = operated(t, f, resume); err != nil || f.stream.Requests != 6 || strings.Contains(out, "rewind") {
		t.Errorf("again: got %v after request %d, want nothing asked\n%s", err, f.stream.Requests, out)
	}
}

// What is waited for is said, once, and nothing where nothing is waited for.
func TestRewind_Words(t *testing.T) {
	f := resharded()
	f.carry = true
	out, err := rewind(t, f, lease.TrimHorizon, true)
	if err != nil || strings.Count(out, "asked for") != 1 || !strings.HasSuffix(out, "asked for (request 4); waiting until it has taken effect\n3 of 3 shards rewound\n") {
		t.Errorf("got %v, want to hear once what is waited for\n%s", err, out)
	}
	f = fleet(&lease.Row{Shard: "p", Checkpoint: at(lease.ShardEnd)})
	f.stream.Released = []string{"task-a/0000000a"}
	if out, err = rewind(t, f, lease.Latest, true); err != nil || out != "no shard is to be rewound\n" {
		t.Errorf("nothing to do: got %v, want to hear just that\n%s", err, out)
	}
}
