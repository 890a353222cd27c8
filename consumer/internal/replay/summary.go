package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// Summary is what a replay did and how far it came: all that another needs to
// go on from there. The counts are of one run.
type Summary struct {
	Stream       string     `json:"stream"`
	From         string     `json:"from"`
	Until        time.Time  `json:"until"`
	Only         []string   `json:"only,omitempty"` // the shards that were named
	Complete     bool       `json:"complete"`
	Shards       int        `json:"shards"`
	ShardsDone   int        `json:"shards_done"`
	Records      int64      `json:"records"` // of the window
	Bytes        int64      `json:"bytes"`   // of these, as Kinesis counts them
	Handled      int64      `json:"handled"` // messages
	DeadLettered int64      `json:"dead_lettered"`
	Seconds      float64    `json:"seconds"`
	Positions    []Position `json:"positions"`
}

// Position is how far a shard is done.
type Position struct {
	Shard    string `json:"shard"`
	State    State  `json:"state"`
	Sequence string `json:"sequence,omitempty"` // everything up to and including it is done; empty: nothing of the window
	Sub      int64  `json:"sub"`
}

func (p Position) String() string {
	if p.Sequence == "" {
		return fmt.Sprintf("%s: %s", p.Shard, p.State)
	}
	return fmt.Sprintf("%s: %s, done up to %s/%d", p.Shard, p.State, p.Sequence, p.Sub)
}

// ParseSummary reads a Summary as JSON.
func ParseSummary(text []byte) (Summary, error) {
	var s Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read summary: %w", err)
	}
	if s.Stream == "" || s.From == "" || s.Until.IsZero() || len(s.Positions) == 0 {
		return s, errors.New("read summary: want the JSON that a replay has printed")
	}
	return s, nil
}

func (s Summary) String() string {
	return fmt.Sprintf("%d of %d shards done: %d records (%d bytes) read, %d messages handled, %d dead-lettered in %.1f s",
		s.ShardsDone, s.Shards, s.Records, s.Bytes, s.Handled, s.DeadLettered, s.Seconds)
}

// Tally counts for a Summary what it tells Metrics. Its methods do not block
// and are safe for use by several goroutines.
type Tally struct {
	*metrics.Metrics
	records, bytes, done, buried atomic.Int64

	mu sync.Mutex
	at map[string]time.Time // by shard: arrival of the newest record that was read
}

// NewTally returns a Tally.
func NewTally(m *metrics.Metrics) *Tally { return &Tally{Metrics: m, at: map[string]time.Time{}} }

// Done counts messages that are done.
func (t *Tally) Done(messages int) {
	t.done.Add(int64(messages))
	t.Metrics.Done(messages)
}

// Buried counts a dead letter.
func (t *Tally) Buried() {
	t.buried.Add(1)
	t.Metrics.Buried()
}

func (t *Tally) read(shard string, b *reader.Batch) {
	n := len(b.Records)
	if n == 0 {
		return
	}
	t.records.Add(int64(n))
	t.bytes.Add(b.Payload)
	t.mu.Lock()
	t.at[shard] = b.Records[n-1].Arrived
	t.mu.Unlock()
}

// over forgets where a shard was.
func (t *Tally) over(shard string) {
	t.mu.Lock()
	delete(t.at, shard)
	t.mu.Unlock()
}

// Oldest returns how far the shard that is furthest behind is read; zero if
// that is not known.
func (t *Tally) Oldest() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	var oldest time.Time
	for _, at := range t.at {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// Line tells people how far a replay is.
func (t *Tally) Line() string {
	line := fmt.Sprintf("%d records read, %d messages done", t.records.Load(), t.done.Load())
	if n := t.buried.Load(); n > 0 {
		line += fmt.Sprintf(", %d dead-lettered", n)
	}
	if at := t.Oldest(); !at.IsZero() {
		line += ", read up to " + at.UTC().Format("2006-01-02T15:04:05Z")
	}
	return line
}
