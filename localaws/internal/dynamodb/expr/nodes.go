package expr

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

type orNode struct{ left, right Condition }

func (n orNode) Holds(item attr.Item) bool { return n.left.Holds(item) || n.right.Holds(item) }
func (n orNode) visit(f func(Path))        { n.left.visit(f); n.right.visit(f) }

type andNode struct{ left, right Condition }

func (n andNode) Holds(item attr.Item) bool { return n.left.Holds(item) && n.right.Holds(item) }
func (n andNode) visit(f func(Path))        { n.left.visit(f); n.right.visit(f) }

type notNode struct{ of Condition }

func (n notNode) Holds(item attr.Item) bool { return !n.of.Holds(item) }
func (n notNode) visit(f func(Path))        { n.of.visit(f) }

type compareNode struct {
	op          string
	left, right operand
}

func (n compareNode) visit(f func(Path)) { n.left.visit(f); n.right.visit(f) }

// Holds compares. A missing attribute equals nothing, and is unlike everything.
func (n compareNode) Holds(item attr.Item) bool {
	left, right := n.left.of(item), n.right.of(item)
	switch n.op {
	case "=":
		return left.Present() && left.Equal(right)
	case "<>":
		return !left.Present() || !right.Present() || !left.Equal(right)
	}
	order, ok := attr.Compare(left, right)
	return ok && ordered(n.op, order)
}

func ordered(op string, order int) bool {
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	default:
		return order == 0
	}
}

type betweenNode struct{ of, low, high operand }

func (n betweenNode) visit(f func(Path)) { n.of.visit(f); n.low.visit(f); n.high.visit(f) }

func (n betweenNode) Holds(item attr.Item) bool {
	v := n.of.of(item)
	low, okLow := attr.Compare(v, n.low.of(item))
	high, okHigh := attr.Compare(v, n.high.of(item))
	return okLow && okHigh && low >= 0 && high <= 0
}

type inNode struct {
	of   operand
	list []operand
}

func (n inNode) visit(f func(Path)) {
	n.of.visit(f)
	for _, o := range n.list {
		o.visit(f)
	}
}

func (n inNode) Holds(item attr.Item) bool {
	v := n.of.of(item)
	if !v.Present() {
		return false
	}
	for _, o := range n.list {
		if v.Equal(o.of(item)) {
			return true
		}
	}
	return false
}
