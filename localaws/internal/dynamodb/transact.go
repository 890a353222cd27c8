package dynamodb

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

const (
	maxTransaction = 100
	maxTxBytes     = 4 << 20
	txFactor       = 2 // a transactional unit costs double
)

// txWrite is one action of a TransactWriteItems: exactly one member is set.
type txWrite struct {
	ConditionCheck, Put, Delete, Update *writeInput
}

func (t *txWrite) only() (kind string, in *writeInput, err error) {
	n := 0
	for _, one := range []struct {
		kind string
		in   *writeInput
	}{{"ConditionCheck", t.ConditionCheck}, {"Put", t.Put}, {"Delete", t.Delete}, {"Update", t.Update}} {
		if one.in != nil {
			kind, in = one.kind, one.in
			n++
		}
	}
	if n != 1 {
		err = invalid("TransactItems can only contain one of Check, Put, Update or Delete")
	}
	return kind, in, err
}

type transactWriteInput struct {
	TransactItems          []txWrite
	ClientRequestToken     string
	ReturnConsumedCapacity string
}

func (s *Service) transactWriteItems(r *wire.Request, in *transactWriteInput) (any, error) {
	some, detailed, err := wanted(in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if err := checkCount(len(in.TransactItems)); err != nil {
		return nil, err
	}
	writes := make([]write, len(in.TransactItems))
	for i := range in.TransactItems {
		if writes[i], err = s.txWrite(&in.TransactItems[i]); err != nil {
			return nil, err
		}
	}
	tables, err := involved(writes)
	if err != nil {
		return nil, err
	}
	done, err := s.tokens.enter(in.ClientRequestToken, r.Body, s.now())
	if err != nil {
		return nil, err
	}
	tx := transaction{tables: tables, detailed: detailed}
	if done {
		tx.repeat(r, writes)
	} else {
		err = tx.run(r, writes)
	}
	s.tokens.leave(in.ClientRequestToken, err == nil)
	if err != nil {
		return nil, err
	}
	return answer(func(out *object) { out.consumedAll(tx.capacities, some) }), nil
}

func checkCount(n int) error {
	if n < 1 || n > maxTransaction {
		return invalid("1 validation error detected: Value '[" + itoa(n) + " items]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100 and greater than or equal to 1")
	}
	return nil
}

// txWrite checks one action.
func (s *Service) txWrite(action *txWrite) (write, error) {
	kind, in, err := action.only()
	if err != nil {
		return write{}, err
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return write{}, err
	}
	scope, err := in.scope(in.ConditionExpression, in.UpdateExpression)
	if err != nil {
		return write{}, err
	}
	var w write
	if kind == "Put" {
		w, err = newPut(t, in.Item)
	} else {
		w, err = newKeyed(t, in.Key)
	}
	if err != nil {
		return w, err
	}
	switch {
	case kind == "Update" && in.UpdateExpression == nil:
		return w, notNull("transactItems.member.update.updateExpression")
	case kind == "Update":
		u, err := in.parseUpdate(scope)
		if err != nil {
			return w, err
		}
		if err := w.setUpdate(u); err != nil {
			return w, err
		}
	case kind == "ConditionCheck" && in.ConditionExpression == nil:
		return w, notNull("transactItems.member.conditionCheck.conditionExpression")
	case kind == "ConditionCheck":
		w.check = true
	}
	if w.condition, err = in.parse(scope); err != nil {
		return w, err
	}
	if err := in.apply(&w); err != nil {
		return w, err
	}
	return w, scope.Unused()
}

// involved lists the tables of a transaction in the order of their names, in
// which they are locked, and refuses two actions on one item.
func involved(writes []write) ([]*table, error) {
	type place struct {
		table *table
		order string
	}
	seen := make(map[place]bool, len(writes))
	var tables []*table
	size := 0
	for _, w := range writes {
		at := place{w.table, w.order}
		if seen[at] {
			return nil, invalid("Transaction request cannot include multiple operations on one item")
		}
		seen[at] = true
		size += w.item.Size()
		if !slices.Contains(tables, w.table) {
			tables = append(tables, w.table)
		}
	}
	if size > maxTxBytes {
		return nil, invalid("Member must have a total size of at most 4 MB")
	}
	slices.SortFunc(tables, func(a, b *table) int { return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.id, b.id)) })
	return tables, nil
}

// transaction is a TransactWriteItems under way.
type transaction struct {
	tables     []*table
	detailed   bool
	capacities []*capacity
}

func (tx *transaction) lock() (unlock func()) {
	for _, t := range tx.tables {
		t.lock()
		tx.capacities = append(tx.capacities, &capacity{table: t.name, write: true, inTx: true, detailed: tx.detailed})
	}
	return func() {
		for _, t := range tx.tables {
			t.mu.Unlock()
		}
	}
}

func (tx *transaction) capacity(t *table) *capacity {
	return tx.capacities[slices.Index(tx.tables, t)]
}

// run plans every write, and commits them all or none.
func (tx *transaction) run(r *wire.Request, writes []write) error {
	defer tx.lock()()
	outcomes := make([]outcome, len(writes))
	failures := make([]error, len(writes))
	failed := false
	for i := range writes {
		outcomes[i], failures[i] = writes[i].plan()
		failed = failed || failures[i] != nil
	}
	for i := range outcomes {
		outcomes[i].charge(tx.capacity(outcomes[i].table), txFactor, failed)
	}
	for _, c := range tx.capacities {
		c.charge(r)
	}
	if failed {
		return canceled(failures)
	}
	for i := range outcomes {
		o := &outcomes[i]
		o.commit()
		r.Usage.AddTable(o.table.name, o.usage())
		r.Usage.Records++
		r.Usage.Bytes += int64(o.bytes())
	}
	return nil
}

// repeat answers a transaction that was carried out before under the same
// token: it costs what reading its items does.
func (tx *transaction) repeat(r *wire.Request, writes []write) {
	defer tx.lock()()
	for _, c := range tx.capacities {
		c.write = false
	}
	for i := range writes {
		w := &writes[i]
		tx.capacity(w.table).own += txFactor * readUnits(w.table.get(w.order).bytes(), true)
	}
	for _, c := range tx.capacities {
		c.charge(r)
	}
}

type cancellationReason struct {
	Code    string
	Message string    `json:",omitempty"`
	Item    attr.Item `json:",omitempty"`
}

// canceled is the error of a transaction, with the reason of each action.
func canceled(failures []error) error {
	reasons := make([]cancellationReason, len(failures))
	codes := make([]string, len(failures))
	for i, err := range failures {
		reasons[i].Code = "None"
		if err != nil {
			reasons[i] = reason(err)
		}
		codes[i] = reasons[i].Code
	}
	e := exception("TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons ["+strings.Join(codes, ", ")+"]") //nolint:misspell // the service's words
	e.Fields = map[string]any{"CancellationReasons": reasons}
	return e
}

func reason(err error) cancellationReason {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		item, _ := e.Fields["Item"].(attr.Item)
		return cancellationReason{Code: "ConditionalCheckFailed", Message: e.Message, Item: item}
	}
	return cancellationReason{Code: "ValidationError", Message: err.Error()}
}
