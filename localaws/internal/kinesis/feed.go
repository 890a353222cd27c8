package kinesis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// eventOperation is the pseudo-operation of fault rules that strike the events of
// a subscription.
const eventOperation = "SubscribeToShardEvent"

// maxEventBytes bounds the data of one event.
const maxEventBytes = 1 << 20

// feed sends the events of one subscription. It implements wire.Streamer.
type feed struct {
	service  *Service
	stream   *stream
	shard    *shard
	index    uint64
	sub      *subscription
	release  func()
	encoding wire.Encoding
	tuning   Tuning
	request  *wire.Request // for its faults and counters

	continuation []byte
	out          []byte
	sent         bucket
}

// Stream implements wire.Streamer. It returns nil when the subscription is over
// in an orderly way: its time is up, the shard has ended, or another took over.
func (f *feed) Stream(ctx context.Context, w http.ResponseWriter) error {
	defer f.release()
	ctx, cancel := context.WithTimeout(ctx, time.Duration(f.tuning.SubscriptionMS)*time.Millisecond)
	defer cancel()
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.WriteHeader(http.StatusOK)
	send := func() error {
		if _, err := w.Write(f.out); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	}
	f.out = appendEvent(f.out[:0], "initial-response", f.encoding, f.emptyObject())
	if err := send(); err != nil {
		return err
	}
	f.continuation = f.shard.continuation(f.index)
	for {
		b, over := f.next(ctx)
		if over {
			return nil
		}
		if err := f.inject(ctx); err != nil {
			return f.fail(err, send)
		}
		f.encode(b)
		if err := send(); err != nil {
			return err
		}
		f.count(b)
		if b.ended {
			return nil
		}
		if err := f.idle(ctx, b); err != nil {
			return f.fail(err, send)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func (f *feed) emptyObject() []byte {
	if f.encoding == wire.CBOR {
		return wire.AppendMap(nil, 0)
	}
	return []byte("{}")
}

// next reads what comes next. over is true when time is up or the stream was
// deleted.
func (f *feed) next(ctx context.Context) (b batch, over bool) {
	if ctx.Err() != nil {
		return b, true
	}
	now := f.service.now()
	f.stream.mu.RLock()
	horizon, gone := f.stream.horizon(now), f.stream.gone
	f.stream.mu.RUnlock()
	if gone {
		return b, true
	}
	b = f.shard.read(f.index, maxGetRecords, maxEventBytes, horizon, now, true)
	f.index = b.next
	return b, false
}

func (f *feed) encode(b batch) {
	if n := len(b.records); n > 0 {
		f.continuation = b.shard.sequence(b.next-1, b.records[n-1].arrival).append(f.continuation[:0])
	}
	e := event{batch: b, continuation: f.continuation}
	var payload []byte
	if f.encoding == wire.CBOR {
		payload = e.appendCBOR(nil)
	} else {
		payload = e.appendJSON(nil)
	}
	f.out = appendEvent(f.out[:0], eventOperation, f.encoding, payload)
}

// idle waits until there is more to send, the heartbeat is due or the
// subscription is over; with limits on, until the rate allows more.
func (f *feed) idle(ctx context.Context, b batch) error {
	if f.tuning.Enforce {
		if err := f.pace(ctx, b.bytes); err != nil {
			return err
		}
	}
	if b.behind > 0 {
		return f.ended()
	}
	heartbeat := time.NewTimer(time.Duration(f.tuning.HeartbeatMS) * time.Millisecond)
	defer heartbeat.Stop()
	select {
	case <-b.changed:
	case <-heartbeat.C:
	case <-ctx.Done():
	case <-f.stream.deleted:
	case <-f.sub.ended:
	}
	return f.ended()
}

// ended returns why the subscription was ended by somebody else, or nil.
func (f *feed) ended() error {
	select {
	case <-f.sub.ended:
		if f.sub.reason != nil {
			return f.sub.reason
		}
	default:
	}
	return nil
}

// pace waits until what was sent fits the bytes a second of a subscription.
func (f *feed) pace(ctx context.Context, bytes int) error {
	rate := f.tuning.ReadBytesPerSecond
	f.sent.fill(rate, f.service.now())
	f.sent.take(float64(bytes))
	if f.sent.tokens >= 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(-f.sent.tokens / float64(rate) * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-f.sub.ended:
	}
	return f.ended()
}

func (f *feed) inject(ctx context.Context) error {
	if f.request.FaultEvent == nil {
		return nil
	}
	return f.request.FaultEvent(ctx, eventOperation)
}

func (f *feed) count(b batch) {
	if f.request.CountEvent != nil {
		f.request.CountEvent(eventOperation, wire.Usage{Records: int64(len(b.records)), Bytes: int64(b.bytes)})
	}
}

// fail sends an error of the service as the last message; any other cuts the
// connection.
func (f *feed) fail(err error, send func() error) error {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return fmt.Errorf("send events of %s: %w", f.shard.id, err)
	}
	f.out = appendException(f.out[:0], f.encoding, e)
	return send()
}

// continuation is the number after which a subscription at index goes on.
func (s *shard) continuation(index uint64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	arrival := s.created
	if last := index - 1; last >= s.first && last < s.next() {
		arrival = s.records[last-s.first].arrival
	}
	return s.sequence(index-1, arrival).append(nil)
}
