package delivery

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/aggregate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/pace"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// lane holds what waits for one shard.
type lane struct {
	shard string
	fresh queue     // never sent
	since time.Time // when the oldest of fresh or open came in
	retry dueHeap   // sent and failed
	pace  pace.Pace

	open     []message.Message // the aggregate being filled
	openHash shards.Hash
	openSize int
}

// newLanes makes the lanes of a shard map; shards known before keep their pace.
func newLanes(m *shards.Map, before []*lane) []*lane {
	lanes := make([]*lane, m.Len())
	for i := range lanes {
		lanes[i] = &lane{shard: m.ID(i)}
		if lanes[i].shard == "" { // the whole stream, of who knows how many shards
			lanes[i].pace = pace.Free()
		}
		for _, old := range before {
			if old.shard == lanes[i].shard {
				lanes[i].pace = old.pace
			}
		}
	}
	return lanes
}

// fits tells whether m may be added to the open aggregate.
func (l *lane) fits(m message.Message, limit int) bool {
	return len(l.open) == 0 || l.openSize+aggregate.Cost(m) <= limit
}

// pack adds m to the open aggregate.
func (l *lane) pack(m message.Message, hash shards.Hash) {
	if len(l.open) == 0 {
		l.openHash, l.openSize = hash, aggregate.Overhead+len(m.Key)
	}
	l.open = append(l.open, m)
	l.openSize += aggregate.Cost(m)
}

// finish moves the open aggregate to fresh. A single message is sent as it is.
func (l *lane) finish(sealed func([]message.Message)) {
	if len(l.open) == 0 {
		return
	}
	if len(l.open) == 1 {
		l.fresh.push(record.Of(l.open[0], l.openHash))
	} else {
		l.fresh.push(record.Record{Hash: l.openHash, Many: l.open, Size: l.openSize})
	}
	sealed(l.open)
	l.open = nil
}

// oldest is when the oldest unsent message came in; zero when there is none.
func (l *lane) oldest() time.Time {
	if l.fresh.empty() && len(l.open) == 0 {
		return time.Time{}
	}
	return l.since
}
