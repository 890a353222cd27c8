package tap

import (
	"sort"
	"strings"
	"time"
)

// Takeover is the first good read of a shard by another task after a moment.
type Takeover struct {
	Shard string
	By    string        // the client that reads now
	After time.Duration // from the moment given
}

// Takeovers returns, for each of the shards, the first good read that was sent
// after moment by a client that does not begin with task. A shard nobody has
// read yet is missing.
func (t *Tap) Takeovers(moment time.Time, task string, shards []string) map[string]Takeover {
	wanted := make(map[string]bool, len(shards))
	for _, shard := range shards {
		wanted[shard] = true
	}
	out := map[string]Takeover{}
	for _, r := range t.Reads(moment) {
		_, have := out[r.Shard]
		if wanted[r.Shard] && !have && r.OK && !strings.HasPrefix(r.Client, task) {
			out[r.Shard] = Takeover{Shard: r.Shard, By: r.Client, After: r.Sent.Sub(moment)}
		}
	}
	return out
}

// Handoff is a change of reader: the time between the last answer to the old
// client and the first request of the new one. It is negative if they overlapped.
type Handoff struct {
	Shard, From, To string
	At              time.Time // the new client's first request
	Gap             time.Duration
}

// Handoffs returns every change of reader since a moment, in order of time.
func (t *Tap) Handoffs(since time.Time) []Handoff {
	last := map[string]Read{}
	var out []Handoff
	for _, r := range byTime(t.Reads(since)) {
		if !r.OK {
			continue
		}
		if before, ok := last[r.Shard]; ok && before.Client != r.Client {
			out = append(out, Handoff{Shard: r.Shard, From: before.Client, To: r.Client, At: r.Sent, Gap: r.Sent.Sub(before.Done)})
		}
		last[r.Shard] = r
	}
	return out
}

// LongestGap returns, per shard, the longest time without a good read between
// since and until, the edges included, whoever reads.
func (t *Tap) LongestGap(since, until time.Time, shards []string) map[string]time.Duration {
	last, out := map[string]time.Time{}, map[string]time.Duration{}
	for _, shard := range shards {
		last[shard] = since
	}
	for _, r := range byTime(t.Reads(since)) {
		if from, ok := last[r.Shard]; ok && r.OK && r.Sent.Before(until) {
			out[r.Shard] = max(out[r.Shard], r.Sent.Sub(from))
			last[r.Shard] = r.Done
		}
	}
	for _, shard := range shards {
		out[shard] = max(out[shard], until.Sub(last[shard]))
	}
	return out
}

func byTime(reads []Read) []Read {
	sort.SliceStable(reads, func(i, j int) bool { return reads[i].Sent.Before(reads[j].Sent) })
	return reads
}

// Alternations returns the shards that two clients read in turns: three changes
// of reader between the same two, each less than shortest after the one before
// and with less than shortest between their reads. A lease that moves in order,
// or after a crash, does not do that; two readers at once, which invariant I1
// forbids, do.
func (t *Tap) Alternations(shortest time.Duration) []Handoff {
	var out []Handoff
	before, turns := map[string]Handoff{}, map[string]int{}
	for _, h := range t.Handoffs(time.Time{}) {
		was, ok := before[h.Shard]
		if ok && was.From == h.To && was.Gap < shortest && h.Gap < shortest && h.At.Sub(was.At) < shortest {
			turns[h.Shard]++
		} else {
			turns[h.Shard] = 0
		}
		if turns[h.Shard] == 2 {
			out = append(out, h)
		}
		before[h.Shard] = h
	}
	return out
}
