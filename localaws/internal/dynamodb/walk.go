package dynamodb

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/ordered"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// readInput is what Query and Scan have in common.
type readInput struct {
	placeholders
	projected
	TableName              *string
	IndexName              *string
	FilterExpression       *string
	ConditionalOperator    string
	Limit                  *int
	Select                 string
	ConsistentRead         bool
	ExclusiveStartKey      attr.Item
	ReturnConsumedCapacity string
}

// view is a table or one of its indexes, to be walked over.
type view struct {
	table *table
	index *index // nil for the table
	key   schema
	rows  *ordered.Map[*row]
}

// view finds the index that is to be read; the table is taken.
func (in *readInput) view(t *table) (view, error) {
	stale := !in.ConsistentRead && t.replica != nil
	if in.IndexName == nil {
		v := view{table: t, key: t.key, rows: t.rows}
		if stale {
			v.rows = t.replica.rows
		}
		return v, nil
	}
	x := t.index(*in.IndexName)
	if x == nil {
		return view{}, invalid("The table does not have the specified index: " + *in.IndexName)
	}
	if in.ConsistentRead && !x.local {
		return view{}, invalid("Consistent reads are not supported on global secondary indexes")
	}
	v := view{table: t, index: x, key: x.key, rows: x.rows}
	if stale {
		v.rows = t.replica.of(x)
	}
	return v, nil
}

// order is the place of a key in the view; ok is false if it is not a key of it.
func (v *view) order(key attr.Item) (order string, ok bool) {
	want := make(map[string]attr.Kind, 4)
	for _, a := range append(v.table.key.attributes(), v.key.attributes()...) {
		want[a.name] = a.kind
	}
	if len(key) != len(want) {
		return "", false
	}
	for name, kind := range want {
		if key[name].Kind != kind {
			return "", false
		}
	}
	at := v.key.order(key)
	if v.index != nil {
		at = append(at, v.table.key.order(key)...)
	}
	return string(at), true
}

// last is the LastEvaluatedKey of a row.
func (v *view) last(r *row) attr.Item {
	key := v.table.key.of(r.item)
	if v.index != nil {
		for _, a := range v.key.attributes() {
			key[a.name] = r.item[a.name]
		}
	}
	return key
}

// walk reads one page of a view.
type walk struct {
	view
	low, high  string // from low up to but not including high; "" is no end
	backward   bool
	limit      int // 0 for none
	filter     expr.Condition
	projection expr.Projection
	count      bool // items are counted only
	whole      bool // an index's items are fetched from the table
}

// page is what a walk found.
type page struct {
	items   []attr.Item
	count   int
	scanned int
	size    int
	fetched float64 // units of reading items from the table
	last    attr.Item
}

// prepare fills the walk from the parameters that both operations have.
func (in *readInput) prepare(w *walk, scope *expr.Scope, legacy map[string]comparison) (err error) {
	if in.FilterExpression != nil {
		if legacy != nil {
			return invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {filters} Expression parameters: {FilterExpression}")
		}
		w.filter, err = expr.ParseCondition("FilterExpression", *in.FilterExpression, scope)
	} else {
		w.filter, err = legacyFilter(legacy, in.ConditionalOperator)
	}
	if err != nil {
		return err
	}
	if w.projection, err = in.parse(scope); err != nil {
		return err
	}
	if err := scope.Unused(); err != nil {
		return err
	}
	if in.Limit != nil {
		if *in.Limit < 1 {
			return tooSmall("limit", *in.Limit, 1)
		}
		w.limit = *in.Limit
	}
	if err := in.selects(w); err != nil {
		return err
	}
	return in.startAt(w)
}

// selects checks Select against the projection.
func (in *readInput) selects(w *walk) error {
	switch in.Select {
	case "":
	case "SPECIFIC_ATTRIBUTES":
		if w.projection == nil {
			return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	case "COUNT":
		w.count = true
	case "ALL_ATTRIBUTES":
		if x := w.index; x != nil && !x.local && x.projection.ProjectionType != "ALL" {
			return invalid("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index " + x.name + " because its projection type is not ALL")
		}
		w.whole = true
	case "ALL_PROJECTED_ATTRIBUTES":
		if w.index == nil {
			return invalid("One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
		}
	default:
		return notInEnum(in.Select, "select", "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]")
	}
	if w.projection != nil && in.Select != "" && in.Select != "SPECIFIC_ATTRIBUTES" {
		what := in.Select
		if w.count {
			what = "only the Count"
		}
		return invalid("Cannot specify the ProjectionExpression when choosing to get " + what)
	}
	if w.index != nil {
		return w.checkProjected()
	}
	return nil
}

// checkProjected refuses what an index would have to fetch from the table and
// cannot: a global one anything, a local one what a filter needs.
func (w *walk) checkProjected() error {
	for _, p := range w.projection {
		if w.index.shows(p.Top()) {
			continue
		}
		if !w.index.local {
			return invalid("One or more parameter values were invalid: Global secondary index " + w.index.name + " does not project [" + p.Top() + "]")
		}
		w.whole = true
	}
	for _, p := range expr.Paths(w.filter) {
		if !w.index.shows(p.Top()) && !w.whole {
			return invalid("One or more parameter values were invalid: Secondary index " + w.index.name + " does not project one or more filter attributes: [" + p.Top() + "]")
		}
	}
	return nil
}

// startAt narrows the walk to what follows ExclusiveStartKey.
func (in *readInput) startAt(w *walk) error {
	if in.ExclusiveStartKey == nil {
		return nil
	}
	at, ok := w.order(in.ExclusiveStartKey)
	switch {
	case !ok:
		return invalid("The provided starting key is invalid: The provided key element does not match the schema")
	case at < w.low || w.high != "" && at >= w.high:
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	case w.backward:
		w.high = at
	default:
		w.low = at + "\x00"
	}
	return nil
}

// page reads until the limit, a megabyte or the end is reached.
func (w *walk) page(consistent bool) page {
	var p page
	e := w.first()
	for ; e != nil && w.within(e.Key); e = w.step(e) {
		seen := e.Value
		if w.index != nil && !w.whole {
			seen = w.index.view(e.Value)
		}
		p.scanned++
		p.size += seen.size
		if w.whole && w.index != nil && w.index.local && w.index.projection.ProjectionType != "ALL" {
			p.fetched += readUnits(seen.size, consistent)
		}
		if w.filter == nil || w.filter.Holds(seen.item) {
			p.count++
			if !w.count {
				p.items = append(p.items, w.projection.Of(seen.item))
			}
		}
		if p.scanned == w.limit || p.size >= maxPage {
			p.last = w.last(e.Value)
			break
		}
	}
	return p
}

func (w *walk) first() *ordered.Entry[*row] {
	switch {
	case !w.backward:
		return w.rows.First(w.low)
	case w.high == "":
		return w.rows.Last("\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	default:
		return w.rows.Last(w.high)
	}
}

func (w *walk) step(e *ordered.Entry[*row]) *ordered.Entry[*row] {
	if w.backward {
		return e.Prev()
	}
	return e.Next()
}

func (w *walk) within(key string) bool {
	return key >= w.low && (w.high == "" || key < w.high)
}

// run reads the page and makes the answer.
func (in *readInput) run(r *wire.Request, w *walk) (any, error) {
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	p := w.page(in.ConsistentRead)
	c := &capacity{table: w.table.name, detailed: detailed, own: p.fetched}
	if w.index != nil {
		c.add(w.index, readUnits(p.size, in.ConsistentRead))
	} else {
		c.own = readUnits(p.size, in.ConsistentRead)
	}
	c.charge(r)
	r.Usage.Records += int64(p.count)
	r.Usage.Bytes += int64(p.size)
	return answer(func(out *object) {
		if !w.count {
			out.items("Items", p.items)
		}
		out.number("Count", p.count)
		out.number("ScannedCount", p.scanned)
		out.item("LastEvaluatedKey", p.last)
		out.consumed(c, some)
	}), nil
}
