package dynamodb

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type writeInput struct {
	conditional
	TableName                   *string
	Item                        attr.Item
	Key                         attr.Item
	UpdateExpression            *string
	AttributeUpdates            map[string]attributeUpdate
	ReturnValues                string
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

// returning checks ReturnValues against what the operation knows.
func (in *writeInput) returning(allowed ...string) error {
	if in.ReturnValues == "" {
		in.ReturnValues = "NONE"
	}
	for _, a := range allowed {
		if in.ReturnValues == a {
			return nil
		}
	}
	switch in.ReturnValues {
	case "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "UPDATED_NEW":
		return invalid("Return values set to invalid value")
	default:
		return notInEnum(in.ReturnValues, "returnValues", "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]")
	}
}

func (s *Service) putItem(r *wire.Request, in *writeInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := in.returning("NONE", "ALL_OLD"); err != nil {
		return nil, err
	}
	scope, err := in.scope(in.ConditionExpression)
	if err != nil {
		return nil, err
	}
	condition, err := in.parse(scope)
	if err != nil {
		return nil, err
	}
	w, err := newPut(t, in.Item)
	if err != nil {
		return nil, err
	}
	w.condition = condition
	return in.finish(r, &w, scope)
}

func (s *Service) deleteItem(r *wire.Request, in *writeInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := in.returning("NONE", "ALL_OLD"); err != nil {
		return nil, err
	}
	scope, err := in.scope(in.ConditionExpression)
	if err != nil {
		return nil, err
	}
	condition, err := in.parse(scope)
	if err != nil {
		return nil, err
	}
	w, err := newKeyed(t, in.Key)
	if err != nil {
		return nil, err
	}
	w.condition = condition
	return in.finish(r, &w, scope)
}

func (s *Service) updateItem(r *wire.Request, in *writeInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := in.returning("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"); err != nil {
		return nil, err
	}
	scope, err := in.scope(in.ConditionExpression, in.UpdateExpression)
	if err != nil {
		return nil, err
	}
	update, err := in.parseUpdate(scope)
	if err != nil {
		return nil, err
	}
	condition, err := in.parse(scope)
	if err != nil {
		return nil, err
	}
	w, err := newKeyed(t, in.Key)
	if err != nil {
		return nil, err
	}
	if err := w.setUpdate(update); err != nil {
		return nil, err
	}
	w.condition = condition
	return in.finish(r, &w, scope)
}

func (in *writeInput) parseUpdate(scope *expr.Scope) (*expr.Update, error) {
	switch {
	case in.UpdateExpression == nil:
		return legacyUpdate(in.AttributeUpdates)
	case in.AttributeUpdates != nil:
		return nil, invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}")
	default:
		return expr.ParseUpdate(*in.UpdateExpression, scope)
	}
}

// finish carries the write out and makes the answer.
func (in *writeInput) finish(r *wire.Request, w *write, scope *expr.Scope) (any, error) {
	if err := scope.Unused(); err != nil {
		return nil, err
	}
	if err := in.apply(w); err != nil {
		return nil, err
	}
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	c := &capacity{table: w.table.name, write: true, detailed: detailed}
	o, err := w.do(r, c)
	if err != nil {
		return nil, err
	}
	attributes := o.attributes(in.ReturnValues)
	return answer(func(out *object) {
		out.item("Attributes", attributes)
		out.consumed(c, some)
	}), nil
}

// attributes is what ReturnValues asks for; nil for nothing.
func (o *outcome) attributes(returnValues string) attr.Item {
	switch returnValues {
	case "ALL_OLD":
		return o.old.content()
	case "ALL_NEW":
		return o.fresh.content()
	case "UPDATED_OLD":
		return someOf(expr.Projection(o.update.Paths()), o.old.content())
	case "UPDATED_NEW":
		return someOf(expr.Projection(o.update.Paths()), o.fresh.content())
	default:
		return nil
	}
}

func someOf(p expr.Projection, item attr.Item) attr.Item {
	if part := p.Of(item); len(p) > 0 && len(part) > 0 {
		return part
	}
	return nil
}

type getItemInput struct {
	projected
	TableName                *string
	Key                      attr.Item
	ConsistentRead           bool
	ExpressionAttributeNames map[string]string
	ReturnConsumedCapacity   string
}

func (s *Service) getItem(r *wire.Request, in *getItemInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	get, err := newGet(t, in.Key, &in.projected, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	release := t.reading(in.ConsistentRead)
	found := t.see(get.order, in.ConsistentRead)
	release()
	c := &capacity{table: t.name, own: readUnits(found.bytes(), in.ConsistentRead), detailed: detailed}
	c.charge(r)
	if found != nil {
		r.Usage.Records++
		r.Usage.Bytes += int64(found.size)
	}
	return answer(func(out *object) {
		if found != nil {
			out.item("Item", get.projection.Of(found.item))
		}
		out.consumed(c, some)
	}), nil
}

// get is one read of one item.
type get struct {
	table      *table
	key        attr.Item
	order      string
	projection expr.Projection
}

func newGet(t *table, key attr.Item, p *projected, names map[string]string) (get, error) {
	holders := placeholders{ExpressionAttributeNames: names}
	scope, err := holders.scope(p.ProjectionExpression)
	if err != nil {
		return get{}, err
	}
	projection, err := p.parse(scope)
	if err != nil {
		return get{}, err
	}
	if err := scope.Unused(); err != nil {
		return get{}, err
	}
	if key == nil {
		return get{}, notNull("key")
	}
	if err := t.key.checkKey(key); err != nil {
		return get{}, err
	}
	return get{table: t, key: key, order: string(t.key.order(key)), projection: projection}, nil
}
