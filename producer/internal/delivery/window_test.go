package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
)

// narrow is a way to a stream that all requests in flight share evenly.
type narrow struct {
	*stream
	perTick int // bytes
	sharing int // requests
}

const tick = 10 * time.Millisecond

func (n *narrow) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	n.mu.Lock()
	n.sharing++
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.sharing--
		n.mu.Unlock()
	}()
	for left := sizeOf(records); left > 0; {
		time.Sleep(tick)
		if ctx.Err() != nil {
			return nil, &put.Error{Kind: put.Lost, Code: "Timeout", Err: ctx.Err()}
		}
		n.mu.Lock()
		left -= n.perTick / n.sharing
		n.mu.Unlock()
	}
	return n.stream.Put(ctx, records)
}

// TestEngine_NarrowWay: where the way is too narrow for what would be sent at
// once, less is, and everything arrives.
func TestEngine_NarrowWay(t *testing.T) {
	for _, perSecond := range []int{100_000, 500_000} {
		s, books := newStream(1, threeShards(t)), account.New()
		o := options(s, books)
		o.Put, o.MaxBuffered, o.RetryTimeout = &narrow{stream: s, perTick: perSecond / 100}, 16<<20, 20*time.Second
		messages := make([]message.Message, 1000)
		for i := range messages {
			messages[i] = message.Message{Data: []byte(strings.Repeat("x", 10_000)), Key: fmt.Sprint(i), Position: int64(i)}
		}
		sum, err := deliver(t, o, messages)
		if err != nil || sum.Acknowledged != 1000 {
			t.Errorf("%d bytes a second: got %d acknowledged, failed for %v, %v, want all", perSecond, sum.Acknowledged, sum.FailedReasons, err)
		}
		if best := float64(sum.Bytes) / float64(perSecond); sum.Seconds > 1.5*best {
			t.Errorf("%d bytes a second: got %v s, want about %v", perSecond, sum.Seconds, best)
		}
		t.Logf("%d: %v s, %d requests, %d lost", perSecond, sum.Seconds, sum.Requests, sum.LostAnswers)
	}
}

// hiccup is a stream that takes its time, and does not answer its first requests.
type hiccup struct {
	*stream
	calls int
}

func (h *hiccup) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	h.mu.Lock()
	h.calls++
	silent := h.calls <= 8
	h.mu.Unlock()
	if silent {
		<-ctx.Done()
		return nil, &put.Error{Kind: put.Lost, Code: "Timeout", Err: ctx.Err()}
	}
	time.Sleep(80 * time.Millisecond)
	return h.stream.Put(ctx, records)
}

// TestEngine_WayRecovers: where answers always take a good part of the time they
// may, what was held back after lost ones comes back all the same.
func TestEngine_WayRecovers(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.latency = 0
	o := options(s, books)
	o.Put, o.AttemptTimeout, o.MaxBuffered = &hiccup{stream: s}, 200*time.Millisecond, 64<<20
	messages := make([]message.Message, 5000)
	for i := range messages {
		messages[i] = message.Message{Data: []byte(strings.Repeat("x", 10_000)), Key: fmt.Sprint(i), Position: int64(i)}
	}
	sum, err := deliver(t, o, messages)
	if err != nil || sum.Acknowledged != 5000 {
		t.Errorf("got %d acknowledged, failed for %v, %v, want all", sum.Acknowledged, sum.FailedReasons, err)
	}
	if sum.Seconds > 30 {
		t.Errorf("got %v s, want less than half of what 64 KiB at a time take", sum.Seconds)
	}
}
