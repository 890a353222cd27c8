package dynamodb

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type transactGetInput struct {
	TransactItems []struct {
		Get *getItemInput
	}
	ReturnConsumedCapacity string
}

func (s *Service) transactGetItems(r *wire.Request, in *transactGetInput) (any, error) {
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if err := checkCount(len(in.TransactItems)); err != nil {
		return nil, err
	}
	gets := make([]get, len(in.TransactItems))
	places := make([]write, len(gets)) // for the checks that writes have too
	for i, one := range in.TransactItems {
		if one.Get == nil {
			return nil, notNull("transactItems.member.get")
		}
		t, err := s.table(one.Get.TableName)
		if err != nil {
			return nil, err
		}
		if gets[i], err = newGet(t, one.Get.Key, &one.Get.projected, one.Get.ExpressionAttributeNames); err != nil {
			return nil, err
		}
		places[i] = write{table: t, order: gets[i].order}
	}
	tables, err := involved(places)
	if err != nil {
		return nil, err
	}
	tx := transaction{tables: tables, detailed: detailed}
	items := tx.read(r, gets)
	return answer(func(out *object) {
		out.name("Responses")
		out.dst = append(out.dst, '[')
		for i, item := range items {
			if i > 0 {
				out.dst = append(out.dst, ',')
			}
			one := open(out.dst)
			one.item("Item", item)
			out.dst = one.close()
		}
		out.dst = append(out.dst, ']')
		out.consumedAll(tx.capacities, some)
	}), nil
}

// read gets all items at one moment.
func (tx *transaction) read(r *wire.Request, gets []get) []attr.Item {
	defer tx.lock()()
	items := make([]attr.Item, len(gets))
	for i, g := range gets {
		found := g.table.get(g.order)
		c := tx.capacity(g.table)
		c.write = false
		c.own += txFactor * readUnits(found.bytes(), true)
		if found != nil {
			items[i] = g.projection.Of(found.item)
			r.Usage.Records++
			r.Usage.Bytes += int64(found.size)
		}
	}
	for _, c := range tx.capacities {
		c.charge(r)
	}
	return items
}
