package dynamodb

import (
	"errors"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

const (
	errItemSize   = "Item size has exceeded the maximum allowed size"
	errUpdateSize = "Item size to update has exceeded the maximum allowed size"
	errCondition  = "The conditional request failed"
)

// write is one write of one item: a put where item is set, an update where
// update is, a mere check where check is, and else a delete.
type write struct {
	table     *table
	key       attr.Item
	order     string
	item      attr.Item
	update    *expr.Update
	check     bool
	condition expr.Condition // nil for none
	showOld   bool           // in the error of a failed condition
}

// outcome is what a write does, decided before anything is done.
type outcome struct {
	write
	old, fresh *row
}

// conditionFailed is the error of a condition that does not hold.
func conditionFailed(old *row, show bool) *wire.Error {
	e := exception("ConditionalCheckFailedException", errCondition)
	if show && old != nil {
		e.Fields = map[string]any{"Item": old.item}
	}
	return e
}

// plan decides what the write does; the table is locked. On an error the
// outcome still has the old row, for its cost.
func (w *write) plan() (outcome, error) {
	o := outcome{write: *w, old: w.table.get(w.order)}
	if w.condition != nil && !w.condition.Holds(o.old.content()) {
		return o, conditionFailed(o.old, w.showOld)
	}
	switch {
	case w.check:
		o.fresh = o.old
	case w.item != nil:
		o.fresh = newRow(w.item)
	case w.update != nil:
		return o, o.applyUpdate()
	}
	return o, nil
}

func (o *outcome) applyUpdate() error {
	before := o.old.content()
	if before == nil {
		before = o.key
	}
	after, err := o.update.Apply(before)
	if err != nil {
		return err
	}
	for _, x := range o.table.indexes {
		if err := x.check(after); err != nil {
			return err
		}
	}
	if o.fresh = newRow(after); o.fresh.size > maxItem {
		return invalid(errUpdateSize)
	}
	return nil
}

// commit does what was planned.
func (o *outcome) commit() {
	if !o.check {
		o.table.replace(o.order, o.old, o.fresh)
	}
}

// usage is how the write counts in the table's statistics.
func (o *outcome) usage() wire.TableUsage {
	switch {
	case o.check:
		return wire.TableUsage{}
	case o.fresh == nil:
		if o.old == nil {
			return wire.TableUsage{}
		}
		return wire.TableUsage{Deletes: 1}
	case o.item != nil && o.old != nil:
		return wire.TableUsage{Puts: 1, Overwrites: 1}
	case o.item != nil:
		return wire.TableUsage{Puts: 1}
	default:
		return wire.TableUsage{}
	}
}

// bytes is what the write counts, for its cost.
func (o *outcome) bytes() int { return max(o.old.bytes(), o.fresh.bytes()) }

// charge adds the write's cost; factor is 2 within a transaction. A failed
// condition costs the table what the old item does, and the indexes nothing.
func (o *outcome) charge(c *capacity, factor float64, failed bool) {
	c.own += factor * writeUnits(o.bytes())
	if failed || o.check {
		return
	}
	for _, x := range o.table.indexes {
		c.add(x, factor*x.writeUnits(o.old, o.fresh))
	}
}

// do carries out a single write: lock, plan, commit, count.
func (w *write) do(r *wire.Request, c *capacity) (outcome, error) {
	w.table.lock()
	o, err := w.plan()
	if err == nil {
		o.commit()
	}
	_, failed := errors.AsType[*wire.Error](err)
	if err == nil || failed {
		o.charge(c, 1, failed)
		c.charge(r)
	}
	w.table.mu.Unlock()
	if err == nil {
		r.Usage.AddTable(w.table.name, o.usage())
		r.Usage.Records++
		r.Usage.Bytes += int64(o.bytes())
	}
	return o, err
}

// newPut checks an item and makes the write that puts it.
func newPut(t *table, item attr.Item) (write, error) {
	if item == nil {
		return write{}, notNull("item")
	}
	if err := t.key.checkItem(item); err != nil {
		return write{}, err
	}
	if item.Size() > maxItem {
		return write{}, invalid(errItemSize)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, x := range t.indexes {
		if err := x.check(item); err != nil {
			return write{}, err
		}
	}
	return write{table: t, key: t.key.of(item), order: string(t.key.order(item)), item: item}, nil
}

// newKeyed checks a key and makes the write that deletes it.
func newKeyed(t *table, key attr.Item) (write, error) {
	if key == nil {
		return write{}, notNull("key")
	}
	if err := t.key.checkKey(key); err != nil {
		return write{}, err
	}
	return write{table: t, key: key, order: string(t.key.order(key))}, nil
}

// setUpdate turns the write into an update, which must leave the key alone.
func (w *write) setUpdate(u *expr.Update) error {
	for _, p := range u.Paths() {
		if w.table.key.has(p.Top()) {
			return invalid("One or more parameter values were invalid: Cannot update attribute " + p.Top() + ". This attribute is part of the key")
		}
	}
	w.update = u
	return nil
}

func notNull(member string) error {
	return invalid("1 validation error detected: Value null at '" + member + "' failed to satisfy constraint: Member must not be null")
}
