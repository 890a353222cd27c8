package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Report compares stream and table.
type Report struct {
	Records    int // in the stream
	Produced   int // different record numbers among them
	Items      int // in the messages table
	Stored     int // record numbers of the stream with at least one item of their own
	Missing    int // records of the stream without an item
	Duplicated int // record numbers with more than one item
	Surplus    int // items beyond one for each record of the stream
	DeadLetter int // items in the dead-letter table
}

// Clean tells whether every record has one item and nothing was given up. A
// producer that had to repeat a call may have put a message twice: then the
// stream has two records of one number, and the table two items.
func (r Report) Clean() bool { return r.Missing == 0 && r.Surplus == 0 && r.DeadLetter == 0 }

func (r Report) String() string {
	return fmt.Sprintf("records %d, produced %d, items %d, stored %d, missing %d, duplicated %d, surplus %d, dead letters %d",
		r.Records, r.Produced, r.Items, r.Stored, r.Missing, r.Duplicated, r.Surplus, r.DeadLetter)
}

// Compare judges the items of a table against the records of a stream. An item
// is that of a record if both its position and its number are: the message of
// another record under a record's position is one missing and one too many.
func Compare(records map[string][]Record, items Items) Report {
	var r Report
	inStream, stored := map[Record]int{}, map[int64]int{} // number → records of it that are stored
	for _, shard := range records {
		r.Records += len(shard)
		for _, record := range shard {
			inStream[record] = 1
			stored[record.Number] += min(1, items[record])
			r.Missing += max(0, 1-items[record])
		}
	}
	r.Produced = len(stored)
	for _, n := range stored {
		r.Stored += min(1, n)
	}
	for record, n := range items {
		r.Items += n
		r.Surplus += max(0, n-inStream[record])
	}
	for _, n := range items.Numbers() {
		r.Duplicated += min(1, n-1)
	}
	return r
}

// Tables reads stream and tables once and compares.
func Tables(ctx context.Context, records *StreamReader, client *dynamodb.Client, messages, deadLetters string) (Report, error) {
	read, err := records.Read(ctx)
	if err != nil {
		return Report{}, err
	}
	items, err := ScanMessages(ctx, client, messages)
	if err != nil {
		return Report{}, err
	}
	report := Compare(read, items)
	if deadLetters != "" {
		report.DeadLetter, err = CountItems(ctx, client, deadLetters)
	}
	return report, err
}

// WaitStored reads stream and table again and again until nothing is missing
// and at least atLeast messages were produced, or ctx ends; it returns the last
// comparison either way.
func WaitStored(ctx context.Context, atLeast int, every time.Duration, read func(context.Context) (Report, error)) (Report, error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var last Report
	for {
		report, err := read(ctx)
		if err == nil {
			last = report
			if last.Missing == 0 && last.Produced >= atLeast {
				return last, nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return last, fmt.Errorf("wait until everything is stored: %w (%s)", ctx.Err(), last)
		}
	}
}
