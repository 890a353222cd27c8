package dynamodb

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type keysAndAttributes struct {
	Keys                     []attr.Item
	ProjectionExpression     *string           `json:",omitempty"`
	AttributesToGet          []string          `json:",omitempty"`
	ExpressionAttributeNames map[string]string `json:",omitempty"`
	ConsistentRead           bool              `json:",omitempty"`
}

type batchGetInput struct {
	RequestItems           map[string]keysAndAttributes
	ReturnConsumedCapacity string
}

// found is what a BatchGetItem has got.
type found struct {
	items       map[string][]attr.Item
	unprocessed map[string]keysAndAttributes
	capacities  []*capacity
	size        int // of all items, which 16 MB bound
}

func (s *Service) batchGetItem(r *wire.Request, in *batchGetInput) (any, error) {
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if err := checkRequestItems(in.RequestItems); err != nil {
		return nil, err
	}
	total := 0
	for _, k := range in.RequestItems {
		total += len(k.Keys)
	}
	if total > maxBatchGet {
		return nil, invalid("Too many items requested for the BatchGetItem call")
	}
	names := slices.Sorted(maps.Keys(in.RequestItems))
	gets := make(map[string][]get, len(names))
	for _, name := range names {
		if gets[name], err = s.gets(name, in.RequestItems[name]); err != nil {
			return nil, err
		}
	}
	f := &found{items: make(map[string][]attr.Item), unprocessed: make(map[string]keysAndAttributes)}
	for _, name := range names {
		c := &capacity{table: gets[name][0].table.name, detailed: detailed}
		f.read(r, name, gets[name], in.RequestItems[name], c)
		c.charge(r)
		f.capacities = append(f.capacities, c)
	}
	left := 0
	for _, k := range f.unprocessed {
		left += len(k.Keys)
	}
	if left == total {
		return nil, exception(errPartial, errThroughput)
	}
	return f.answer(some)
}

// gets checks the keys of one table.
func (s *Service) gets(name string, k keysAndAttributes) ([]get, error) {
	t, err := s.table(&name)
	if err != nil {
		return nil, err
	}
	if len(k.Keys) == 0 {
		return nil, invalid("1 validation error detected: Value '[]' at 'requestItems." + name + ".member.keys' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	gets := make([]get, 0, len(k.Keys))
	seen := make(map[string]bool, len(k.Keys))
	for _, key := range k.Keys {
		g, err := newGet(t, key, &projected{k.ProjectionExpression, k.AttributesToGet}, k.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		if seen[g.order] {
			return nil, invalid(errDuplicates)
		}
		seen[g.order] = true
		gets = append(gets, g)
	}
	return gets, nil
}

// read gets the items of one table.
func (f *found) read(r *wire.Request, name string, gets []get, k keysAndAttributes, c *capacity) {
	t := gets[0].table
	defer t.reading(k.ConsistentRead)()
	f.items[name] = []attr.Item{}
	var left []attr.Item
	for _, g := range gets {
		row := t.see(g.order, k.ConsistentRead)
		if f.size+row.bytes() > maxBatch || r.FailEntry != nil && r.FailEntry() != nil {
			left = append(left, g.key)
			continue
		}
		c.own += readUnits(row.bytes(), k.ConsistentRead)
		if row == nil {
			continue
		}
		f.size += row.size
		r.Usage.Records++
		r.Usage.Bytes += int64(row.size)
		f.items[name] = append(f.items[name], g.projection.Of(row.item))
	}
	if left != nil {
		k.Keys = left
		f.unprocessed[name] = k
	}
}

func (f *found) answer(some bool) (any, error) {
	unprocessed, err := json.Marshal(f.unprocessed)
	if err != nil {
		return nil, err
	}
	return answer(func(out *object) {
		out.name("Responses")
		tables := open(out.dst)
		for name, items := range f.items {
			tables.items(name, items)
		}
		out.dst = tables.close()
		out.name("UnprocessedKeys")
		out.dst = append(out.dst, unprocessed...)
		out.consumedAll(f.capacities, some)
	}), nil
}

func itoa(n int) string { return strconv.Itoa(n) }
