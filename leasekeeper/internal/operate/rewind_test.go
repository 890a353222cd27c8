package operate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/operate"
)

func at(sequence string) lease.Checkpoint { return lease.Checkpoint{Sequence: sequence} }

// fleet is tables whose workers carry out nothing.
func fleet(rows ...*lease.Row) (operate.Executor, *lease.Stream) {
	stream := &lease.Stream{Requests: 3}
	listing := &lease.Listing{Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	for _, row := range rows {
		listing.Shards = append(listing.Shards, lease.Shard{ID: row.Shard})
	}
	return func(_ context.Context, op lease.Op) lease.Answer {
		switch op := op.(type) {
		case lease.ListShards:
			return lease.Answer{Outcome: lease.Applied, Listing: listing}
		case lease.ScanLeases:
			return lease.Answer{Outcome: lease.Applied, Leases: append([]*lease.Row(nil), rows...)}
		case lease.ScanWorkers:
			row := *stream
			return lease.Answer{Outcome: lease.Applied, Stream: &row}
		case lease.StreamWrite:
			row, _ := op.Apply(stream)
			*stream = *row
			return lease.Answer{Outcome: lease.Unknown} // landed; the answer is lost
		}
		return lease.Answer{Outcome: lease.Failed}
	}, stream
}

func rewind(t *testing.T, execute operate.Executor, to string, yes bool, shards ...string) (string, error) {
	t.Helper()
	target, err := operate.ParseTarget(to)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	o := operate.Operator{Execute: execute, Out: &out, Every: time.Millisecond, Open: func(error) bool { return true }}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = o.Rewind(ctx, target, shards, yes)
	return out.String(), err
}

// What cannot be done right is refused, and says why.
func TestRewind_Refused(t *testing.T) {
	rows := []*lease.Row{
		{Shard: "p", Checkpoint: at(lease.ShardEnd)}, {Shard: "a", Checkpoint: at("7"), Parents: []string{"p"}},
		{Shard: "b", Checkpoint: at("8"), Parents: []string{"p"}},
	}
	for name, tc := range map[string]struct {
		to     string
		shards []string
		want   error
	}{
		"before a reshard":        {lease.TrimHorizon, nil, operate.ErrResharded},
		"a time before a reshard": {"2026-11-23T11:00:00Z", nil, operate.ErrResharded},
		"a finished shard":        {lease.TrimHorizon, []string{"p"}, operate.ErrFinished},
		"a number of two shards":  {"5", []string{"a", "b"}, operate.ErrOneShard},
		"the future":              {"2026-11-23T13:00:00Z", []string{"a"}, operate.ErrFuture},
		"only these":              {lease.TrimHorizon, []string{"a"}, nil},
		"everything left out":     {lease.Latest, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			execute, stream := fleet(rows...)
			out, err := rewind(t, execute, tc.to, false, tc.shards...)
			if !errors.Is(err, tc.want) || stream.Requests != 3 {
				t.Errorf("got %v after request %d, want %v and nothing asked\n%s", err, stream.Requests, tc.want, out)
			}
		})
	}
	for _, text := range []string{"", "yesterday", "-1", "12a"} {
		if _, err := operate.ParseTarget(text); !errors.Is(err, operate.ErrTarget) {
			t.Errorf("%q: got %v, want it refused", text, err)
		}
	}
}

// LATEST is one time for all shards, from the service's clock (S13); a write whose
// answer is lost is asked once; a request nobody carries out stands and is an error.
func TestRewind_Asked(t *testing.T) {
	execute, stream := fleet(&lease.Row{Shard: "a", Checkpoint: at("7"), Rewound: 9}, &lease.Row{Shard: "b", Checkpoint: at("8")},
		&lease.Row{Shard: "c", Checkpoint: at(lease.TrimHorizon), Parents: []string{"b"}})
	out, err := rewind(t, execute, lease.Latest, true)
	want := lease.Rewind{To: lease.AtTimestamp, At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Shards: []string{"a", "b", "c"}}
	if !errors.Is(err, operate.ErrNotYet) || !strings.Contains(err.Error(), "a, b, c") || stream.Requests != 4 {
		t.Errorf("got %v after request %d, want it to stand once and not be done\n%s", err, stream.Requests, out)
	}
	if r := stream.Rewind; r == nil || !r.Same(&want) || r.ID != 10 {
		t.Errorf("got %+v, want %+v above every rewind before", r, want)
	}
	if out, err := rewind(t, execute, lease.TrimHorizon, false); err != nil || strings.Contains(out, "c: ") || !strings.Contains(out, "a: 7 -> TRIM_HORIZON") {
		t.Errorf("got %v\n%s\nwant the shard that waits for its parent left as it is", err, out)
	}
}
