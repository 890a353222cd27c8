package dynamodb

import (
	"maps"
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

const (
	maxBatchWrite = 25
	maxBatchGet   = 100
	errDuplicates = "Provided list of item keys contains duplicates"
	errPartial    = "ProvisionedThroughputExceededException"
	errThroughput = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
)

type writeRequest struct {
	PutRequest    *struct{ Item attr.Item }
	DeleteRequest *struct{ Key attr.Item }
}

type batchWriteInput struct {
	RequestItems           map[string][]writeRequest
	ReturnConsumedCapacity string
}

// entry is one write of a batch, and what asked for it.
type entry struct {
	write
	request writeRequest
}

func (s *Service) batchWriteItem(r *wire.Request, in *batchWriteInput) (any, error) {
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if err := checkRequestItems(in.RequestItems); err != nil {
		return nil, err
	}
	batches := make(map[string][]entry, len(in.RequestItems))
	total, size := 0, 0
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		requests := in.RequestItems[name]
		if total += len(requests); total > maxBatchWrite {
			return nil, invalid("Too many items requested for the BatchWriteItem call")
		}
		if len(requests) == 0 {
			return nil, invalid("The batch write request list for a table cannot be null or empty: " + name)
		}
		entries, bytes, err := s.entries(name, requests)
		if err != nil {
			return nil, err
		}
		if size += bytes; size > maxBatch {
			return nil, invalid("Item collection too large: the request exceeds 16 MB")
		}
		batches[name] = entries
	}
	unprocessed := make(map[string][]writeRequest)
	capacities := make([]*capacity, 0, len(batches))
	for _, name := range slices.Sorted(maps.Keys(batches)) {
		c := &capacity{table: batches[name][0].table.name, write: true, detailed: detailed}
		left, err := runBatch(r, batches[name], c)
		if err != nil {
			return nil, err
		}
		if len(left) > 0 {
			unprocessed[name] = left
		}
		capacities = append(capacities, c)
	}
	if n := len(slices.Concat(slices.Collect(maps.Values(unprocessed))...)); n == total {
		return nil, exception(errPartial, errThroughput)
	}
	return answer(func(out *object) {
		appendUnprocessed(out, unprocessed)
		out.consumedAll(capacities, some)
	}), nil
}

func checkRequestItems[V any](items map[string]V) error {
	switch {
	case items == nil:
		return notNull("requestItems")
	case len(items) == 0:
		return invalid("1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1")
	default:
		return nil
	}
}

// entries checks the writes of one table.
func (s *Service) entries(name string, requests []writeRequest) (entries []entry, bytes int, err error) {
	t, err := s.table(&name)
	if err != nil {
		return nil, 0, err
	}
	seen := make(map[string]bool, len(requests))
	for _, request := range requests {
		var w write
		switch {
		case request.PutRequest != nil && request.DeleteRequest != nil:
			err = invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		case request.PutRequest != nil:
			bytes += request.PutRequest.Item.Size()
			w, err = newPut(t, request.PutRequest.Item)
		case request.DeleteRequest != nil:
			w, err = newKeyed(t, request.DeleteRequest.Key)
		default:
			err = invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		if err != nil {
			return nil, 0, err
		}
		if seen[w.order] {
			return nil, 0, invalid(errDuplicates)
		}
		seen[w.order] = true
		entries = append(entries, entry{w, request})
	}
	return entries, bytes, nil
}

// runBatch writes the entries of one table under one lock. What a fault rule
// fails is left over.
func runBatch(r *wire.Request, entries []entry, c *capacity) (left []writeRequest, err error) {
	t := entries[0].table
	t.lock()
	defer t.mu.Unlock()
	for i := range entries {
		e := &entries[i]
		if r.FailEntry != nil && r.FailEntry() != nil {
			left = append(left, e.request)
			continue
		}
		o, err := e.plan()
		if err != nil {
			return nil, err
		}
		o.commit()
		o.charge(c, 1, false)
		r.Usage.AddTable(t.name, o.usage())
		r.Usage.Records++
		r.Usage.Bytes += int64(o.bytes())
	}
	c.charge(r)
	return left, nil
}

func appendUnprocessed(out *object, all map[string][]writeRequest) {
	out.name("UnprocessedItems")
	tables := open(out.dst)
	for name, requests := range all {
		tables.name(name)
		tables.dst = append(tables.dst, '[')
		for i, request := range requests {
			if i > 0 {
				tables.dst = append(tables.dst, ',')
			}
			one := open(tables.dst)
			kind, member := "PutRequest", "Item"
			var item attr.Item
			if request.PutRequest != nil {
				item = request.PutRequest.Item
			} else {
				kind, member, item = "DeleteRequest", "Key", request.DeleteRequest.Key
			}
			one.name(kind)
			inner := open(one.dst)
			inner.item(member, item)
			one.dst = inner.close()
			tables.dst = one.close()
		}
		tables.dst = append(tables.dst, ']')
	}
	out.dst = tables.close()
}
