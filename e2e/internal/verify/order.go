package verify

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// maxBreaches bounds how many breaches are described; all are counted.
const maxBreaches = 20

// minSamples is the least number of readings that say something of a run: one of
// its end, and one before.
const minSamples = 2

// Order watches the order of checkpoints (invariant I2) in a running system. It
// reads the lease rows first and the messages after, so that every message a
// checkpoint covers must be in the second reading. A breach is a checkpoint that
// went back, or one that had passed a message not stored yet.
//
// Messages have unique partition keys here, so order within a key cannot break.
type Order struct {
	DynamoDB   *dynamodb.Client
	LeaseTable string
	Messages   string
	Records    *StreamReader // used by the sampling goroutine only until Stop

	mu       sync.Mutex
	last     map[string]string // shard → checkpoint
	samples  int
	failed   int    // readings that could not be taken
	lastErr  string // of the last of them
	breaches int
	details  []string
}

// Sample takes one reading and judges it. One that cannot be taken counts as
// failed, but for the end of ctx.
func (o *Order) Sample(ctx context.Context) error {
	err := o.sample(ctx)
	if err != nil && ctx.Err() == nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.failed++
		o.lastErr = err.Error()
	}
	return err
}

func (o *Order) sample(ctx context.Context) error {
	rows, err := ScanLeases(ctx, o.DynamoDB, o.LeaseTable)
	if err != nil {
		return err
	}
	items, err := ScanMessages(ctx, o.DynamoDB, o.Messages)
	if err != nil {
		return err
	}
	records, err := o.Records.Read(ctx)
	if err != nil {
		return err
	}
	o.Judge(rows, items, records)
	return nil
}

// Judge compares one reading with the one before and with the stream.
func (o *Order) Judge(rows []LeaseRow, items Items, records map[string][]Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		o.last = map[string]string{}
	}
	o.samples++
	for _, row := range rows {
		if before, ok := o.last[row.Shard]; ok && wentBack(before, row.Checkpoint) {
			o.breach("checkpoint of %s went back from %s to %s", row.Shard, before, row.Checkpoint)
		}
		o.last[row.Shard] = row.Checkpoint
		if missing := passed(row.Checkpoint, items, records[row.Shard]); missing > 0 {
			o.breach("checkpoint of %s at %s has passed %d messages not stored", row.Shard, row.Checkpoint, missing)
		}
	}
}

func (o *Order) breach(format string, args ...any) {
	o.breaches++
	if len(o.details) < maxBreaches {
		o.details = append(o.details, fmt.Sprintf(format, args...))
	}
}

// Breaches returns how many breaches were seen, what they were, and in how many
// samples.
func (o *Order) Breaches() (count int, details []string, samples int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.breaches, append([]string(nil), o.details...), o.samples
}

// Enough returns an error if too few readings could be taken to say anything:
// fewer than two, or than a quarter of those that were tried.
func (o *Order) Enough() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.samples >= max(minSamples, o.failed/3) {
		return nil
	}
	return fmt.Errorf("checkpoints were read %d times, which is too seldom; %d readings failed, the last with: %q", o.samples, o.failed, o.lastErr)
}

// Run samples at an interval until ctx ends. A reading that fails (faults are
// part of some tests) is left out, and counted for Enough.
func (o *Order) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = o.Sample(ctx) // counted
		case <-ctx.Done():
			return
		}
	}
}

// wentBack tells whether a checkpoint moved the wrong way. The positions that
// are no sequence numbers (TRIM_HORIZON, …) come before all that are.
func wentBack(before, now string) bool {
	switch {
	case before == ShardEnd:
		return now != ShardEnd
	case now == ShardEnd || !isSequence(before):
		return false
	case !isSequence(now):
		return true
	}
	return compareSequence(now, before) < 0
}

// passed counts the records up to and including the checkpoint that have no item.
func passed(checkpoint string, items Items, records []Record) int {
	missing := 0
	for _, r := range records {
		done := checkpoint == ShardEnd || isSequence(checkpoint) && compareSequence(r.Sequence, checkpoint) <= 0
		if done && items[r] == 0 {
			missing++
		}
	}
	return missing
}
