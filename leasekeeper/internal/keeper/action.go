package keeper

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Action is what a Keeper wants done: [Do], [Reply], [Note] or [Exit].
type Action interface{ action() }

// Do is one attempt at an operation, to be answered by one [Answered] with the
// same ID. Operations of one keeper may run side by side and overtake each other.
type Do struct {
	ID uint64 // never used twice by one keeper
	Op lease.Op
}

// Reply answers a [Sync]. Exactly one of Response and Refusal is set.
type Reply struct {
	ID       uint64
	Response *contract.SyncResponse
	Refusal  *contract.Error // Code says which HTTP status it is
}

// Note is for the log: a state that changed.
type Note struct {
	Level   Level
	Message string // constant
	Fields  []Field
}

// Level of a Note.
type Level int

// The levels of a Note.
const (
	Debug Level = iota
	Info
	Warn
)

// Field is one typed field of a Note; Value is a string, an int64 or a bool.
type Field struct {
	Name  string
	Value any
}

// Exit is the last action of a keeper: the process ends, with an error or,
// after a Shutdown, without. No event must follow it.
type Exit struct{ Err error }

func (Do) action()    {}
func (Reply) action() {}
func (Note) action()  {}
func (Exit) action()  {}
