package dynamodb

import (
	"container/heap"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// tooOld is how long past its expiry an item may be and still be deleted; the
// service takes anything older for a mistake.
const tooOld = 5 * 365 * 24 * time.Hour

// expiries knows when rows are due. Rows are removed by the first call that
// takes the table's lock after that, so that time to live needs no goroutine
// and follows an injected clock at once.
type expiries struct {
	attribute string // "" while time to live is off
	queue     expiryQueue
	next      atomic.Int64 // second of the first entry, 0 for none
}

type expiry struct {
	second int64
	order  string
}

func (e *expiries) due(now time.Time) bool {
	next := e.next.Load()
	return next != 0 && now.Unix() > next
}

// second is when an item expires; ok is false if never.
func (e *expiries) second(item attr.Item) (second int64, ok bool) {
	v := item[e.attribute]
	if e.attribute == "" || v.Kind != attr.N {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || f <= 0 || f >= math.MaxInt64/2 {
		return 0, false
	}
	return int64(f), true
}

func (e *expiries) note(order string, item attr.Item) {
	if second, ok := e.second(item); ok {
		heap.Push(&e.queue, expiry{second, order})
		e.next.Store(e.queue[0].second)
	}
}

// expire removes what is due; the table is locked. An entry whose row was
// written again since is stale: the row has an entry of its own.
func (t *table) expire() {
	e, now := &t.expiries, t.now()
	for len(e.queue) > 0 && e.queue[0].second < now.Unix() {
		entry, _ := heap.Pop(&e.queue).(expiry)
		r := t.get(entry.order)
		if second, ok := e.second(r.content()); ok && second == entry.second && second > now.Add(-tooOld).Unix() {
			t.replace(entry.order, r, nil)
		}
	}
	e.next.Store(0)
	if len(e.queue) > 0 {
		e.next.Store(e.queue[0].second)
	}
}

// watch turns time to live on for an attribute, or off for "".
func (t *table) watch(attribute string) {
	e := &t.expiries
	e.attribute, e.queue = attribute, nil
	e.next.Store(0)
	if attribute == "" {
		return
	}
	for at := t.rows.First(""); at != nil; at = at.Next() {
		e.note(at.Key, at.Value.item)
	}
}

// expiryQueue implements heap.Interface.
type expiryQueue []expiry

func (q expiryQueue) Len() int           { return len(q) }
func (q expiryQueue) Less(i, j int) bool { return q[i].second < q[j].second }
func (q expiryQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *expiryQueue) Push(x any) {
	if e, ok := x.(expiry); ok {
		*q = append(*q, e)
	}
}

// Pop implements heap.Interface.
func (q *expiryQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

type timeToLive struct {
	AttributeName string
	Enabled       *bool
}

type updateTimeToLiveInput struct {
	TableName               *string
	TimeToLiveSpecification *timeToLive
}

func (s *Service) updateTimeToLive(_ *wire.Request, in *updateTimeToLiveInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	spec := in.TimeToLiveSpecification
	if spec == nil || spec.Enabled == nil || spec.AttributeName == "" {
		return nil, invalid("1 validation error detected: Value null at 'timeToLiveSpecification' failed to satisfy constraint: Member must not be null")
	}
	t.lock()
	defer t.mu.Unlock()
	on := t.expiries.attribute
	switch {
	case *spec.Enabled && on == spec.AttributeName:
		return nil, invalid("TimeToLive is already enabled")
	case *spec.Enabled && on != "":
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is " + on)
	case !*spec.Enabled && on == "":
		return nil, invalid("TimeToLive is already disabled")
	case !*spec.Enabled && on != spec.AttributeName:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is " + on)
	case *spec.Enabled:
		t.watch(spec.AttributeName)
	default:
		t.watch("")
	}
	return map[string]any{"TimeToLiveSpecification": spec}, nil
}

func (s *Service) describeTimeToLive(_ *wire.Request, in *tableInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	t.rlock()
	defer t.mu.RUnlock()
	about := map[string]any{"TimeToLiveStatus": "DISABLED"}
	if name := t.expiries.attribute; name != "" {
		about = map[string]any{"TimeToLiveStatus": "ENABLED", "AttributeName": name}
	}
	return map[string]any{"TimeToLiveDescription": about}, nil
}
