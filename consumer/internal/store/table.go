// Package store is the default handler: it writes one DynamoDB item for each
// message. An item's id is made of the message's place in the stream, so that
// writing it twice is the same as writing it once.
package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// Options of a Table.
type Options struct {
	Name      string
	ItemTTL   time.Duration   // from a message's arrival to its item's expiresAt; 0: none
	Throttled func(items int) // DynamoDB did not take these at once; nil: not counted
	Waited    func(items int) // these are tried again because the table could not be written; nil: not counted
	Log       zerolog.Logger
}

// Table is a handler.Handler. It tries again itself, until the context ends,
// what the table could take later; only items that DynamoDB will never take
// are errors, and permanent ones.
type Table struct {
	client *dynamodb.Client
	direct *wire.Direct // nil: only the client is used
	o      Options
	empty  dynamodb.BatchWriteItemInput
	bodies sync.Pool
	warned atomic.Int64 // Unix time of the last warning
}

// Waits between tries.
const (
	firstBackoff = 25 * time.Millisecond
	lastBackoff  = 3 * time.Second
	callTimeout  = 10 * time.Second
	warnEvery    = 10 // seconds
)

// New returns a Table.
func New(cfg aws.Config, o Options, options ...func(*dynamodb.Options)) *Table {
	options = append([]func(*dynamodb.Options){func(d *dynamodb.Options) {
		d.Retryer = aws.NopRetryer{}
		d.Protocol = wire.Protocol{ClientProtocol: d.Protocol}
		d.Credentials = wire.Credentials(d.Credentials)
	}}, options...)
	client := dynamodb.NewFromConfig(cfg, options...)
	return &Table{
		client: client, direct: newDirect(client.Options()), o: o,
		empty: dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{o.Name: {}}},
	}
}

// BatchSize implements handler.BatchSizer.
func (t *Table) BatchSize() int { return maxBatch }

// Handle implements handler.Handler.
func (t *Table) Handle(ctx context.Context, batch []handler.Message) error {
	failed := handler.Failed{}
	left := make([]int, 0, len(batch))
	for i := range batch {
		if err := check(&batch[i], t.o.ItemTTL); err != nil {
			failed[i] = err
			continue
		}
		left = append(left, i)
	}
	t.write(ctx, batch, left, failed)
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// write writes the messages at the places left, and notes in failed what can
// not be written, or not before ctx has ended.
func (t *Table) write(ctx context.Context, batch []handler.Message, left []int, failed handler.Failed) {
	for n := 0; len(left) > 0; n++ {
		rest, err := t.call(ctx, batch, left)
		if err == nil && len(rest) == 0 {
			return
		}
		if err != nil && isRefused(err) {
			t.isolate(ctx, batch, left, err, failed)
			return
		}
		t.note(ctx, len(rest), err)
		left = rest
		if !backoff(ctx, n) {
			for _, i := range left {
				failed[i] = handler.Unavailable(context.Cause(ctx))
			}
			return
		}
	}
}

// isolate writes one by one what was refused together.
func (t *Table) isolate(ctx context.Context, batch []handler.Message, left []int, err error, failed handler.Failed) {
	if len(left) == 1 {
		failed[left[0]] = handler.Permanent(err)
		return
	}
	for _, i := range left {
		t.write(ctx, batch, []int{i}, failed)
	}
}

// note counts what is tried again, throttled or not, and warns now and then.
func (t *Table) note(ctx context.Context, items int, err error) {
	if t.o.Throttled != nil && (err == nil || isThrottle(err)) {
		t.o.Throttled(items)
		return
	}
	if ctx.Err() != nil {
		return
	}
	if t.o.Waited != nil {
		t.o.Waited(items)
	}
	now, last := time.Now().Unix(), t.warned.Load()
	if now-last >= warnEvery && t.warned.CompareAndSwap(last, now) {
		t.o.Log.Warn().Err(err).Str("table", t.o.Name).Msg("table cannot be written, trying again")
	}
}

// call makes one BatchWriteItem, and returns the places that are to be tried
// again: all of them when there is an error.
func (t *Table) call(ctx context.Context, batch []handler.Message, left []int) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	pooled, _ := t.bodies.Get().(*[]byte)
	if pooled == nil {
		pooled = new([]byte)
	}
	*pooled = slices.Grow((*pooled)[:0], bodySize(batch, left))
	body := t.appendBody(*pooled, batch, left)
	answer, err := t.send(ctx, body)
	if err != nil {
		// The body is not used again: the transport may still be sending it.
		return left, fmt.Errorf("write items: %w", err)
	}
	*pooled = body
	t.bodies.Put(pooled)
	return unprocessed(answer, batch, left)
}

// send calls directly; what comes of that other than an answer and the usual
// errors, the SDK's client makes sense of.
func (t *Table) send(ctx context.Context, body []byte) (answer []byte, err error) {
	if t.direct != nil {
		answer, err = t.direct.Call(ctx, body)
		if err == nil || !isUnusual(err) {
			return answer, err
		}
	}
	_, err = t.client.BatchWriteItem(wire.With(ctx, &wire.Exchange{Request: body, Decode: func(good []byte) (bool, error) {
		answer = good
		return true, nil
	}}), &t.empty)
	return answer, err
}

// bodySize is about how long a body becomes.
func bodySize(batch []handler.Message, left []int) int {
	const item = 512 // beside the payload
	size := item
	for _, i := range left {
		n := len(batch[i].Data)
		size += item + n + n/8
	}
	return size
}

func (t *Table) appendBody(b []byte, batch []handler.Message, left []int) []byte {
	b = append(b, `{"RequestItems":{"`...)
	b = appendEscaped(b, t.o.Name)
	b = append(b, `":[`...)
	for n, i := range left {
		if n > 0 {
			b = append(b, ',')
		}
		b = appendPut(b, &batch[i], t.o.ItemTTL)
	}
	return append(b, "]}}"...)
}

// allProcessed recognizes the usual answers that leave nothing over.
func allProcessed(answer []byte) bool {
	answer = bytes.TrimSpace(answer)
	return bytes.Equal(answer, []byte(`{"UnprocessedItems":{}}`)) || bytes.Equal(answer, []byte("{}"))
}

// unprocessed returns the places of the items that an answer leaves over: all
// of them when it names one that is none of them.
func unprocessed(answer []byte, batch []handler.Message, left []int) ([]int, error) {
	if allProcessed(answer) {
		return nil, nil
	}
	var a struct {
		UnprocessedItems map[string][]struct {
			PutRequest struct {
				Item struct {
					ID struct{ S string } `json:"id"`
				}
			}
		}
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return left, fmt.Errorf("decode answer: %w", err)
	}
	over := map[string]bool{}
	for _, items := range a.UnprocessedItems {
		for _, it := range items {
			over[it.PutRequest.Item.ID.S] = true
		}
	}
	var rest []int
	for _, i := range left {
		if over[batch[i].ID()] {
			rest = append(rest, i)
		}
	}
	if len(rest) < len(over) {
		return left, nil
	}
	return rest, nil
}

// backoff waits with full jitter, and tells whether ctx is still good.
func backoff(ctx context.Context, n int) bool {
	bound := lastBackoff
	if n < 8 {
		bound = min(bound, firstBackoff<<n)
	}
	timer := time.NewTimer(rand.N(bound))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
