// Package wire speaks the AWS JSON 1.0 and 1.1 protocols, and CBOR for Kinesis:
// it finds the service and operation a request names, hands the body to the
// Service, and writes the answer or the error in the form AWS clients expect.
//
// It knows nothing of what a service does. Signatures are verified where there
// is a secret; the access key id of a request is taken as the name of the client.
package wire

import (
	"context"
	"net/http"
	"time"
)

// Service answers the operations of one AWS service. Its methods are called
// concurrently.
type Service interface {
	// Name is the short name of the service in counters and fault rules:
	// "kinesis" or "dynamodb".
	Name() string
	// Target is the part of X-Amz-Target before the dot, such as
	// "Kinesis_20131202".
	Target() string
	// Now is the service's time: of its Date header, and for signatures.
	Now() time.Time
	// Serve runs one operation. The answer is nil (an empty object is sent), an
	// Appender, a Streamer, or any value that Marshal takes. An error should be
	// an *Error; any other becomes an InternalFailure with status 500.
	Serve(ctx context.Context, r *Request) (any, error)
	// Resource names the stream or table, and the shard, that a request is
	// about, for fault rules that ask for one; empty where it names none.
	Resource(r *Request) (resource, shard string)
	// Reset forgets all state.
	Reset()
}

// Request is one call of an operation.
type Request struct {
	Operation string
	Body      []byte // not to be kept after Serve and Stream have returned
	Encoding  Encoding
	Client    string // the access key id of the credentials
	Region    string // from the scope of the credentials
	Account   string
	ID        string // the x-amzn-requestid of the answer
	Began     time.Time

	// Usage is filled by the service and goes into the counters.
	Usage Usage
	// FailEntry is nil unless a `partial` fault applies. A batch operation
	// calls it once an entry; a non-nil Error is that entry's fate, and the
	// entry must not be carried out.
	FailEntry func() *Error
	// Empty asks that a read return nothing, with more to come.
	Empty bool
	// FaultEvent is nil unless the fault layer is in use. A Streamer calls it
	// before each event, with a pseudo-operation such as SubscribeToShardEvent.
	// It blocks while the event is stalled, and returns ErrDrop when the
	// connection is to be cut, or an *Error to send in the event's place.
	FaultEvent func(ctx context.Context, operation string) error
	// CountEvent, where it is not nil, counts an event that a Streamer sent under
	// the name of a pseudo-operation.
	CountEvent func(operation string, u Usage)
	// LoseResponse asks that the connection be closed in place of the answer.
	LoseResponse bool
}

// Usage is what a call consumed.
type Usage struct {
	ReadUnits  float64
	WriteUnits float64
	Records    int64 // records or items moved
	Bytes      int64 // of their data
	Tables     map[string]TableUsage
}

// TableUsage counts what a call did to the items of one table.
type TableUsage struct {
	Puts       int64 `json:"puts"`
	Overwrites int64 `json:"overwrites"` // puts that replaced an existing item
	Deletes    int64 `json:"deletes"`
}

// AddTable adds to the counts of one table.
func (u *Usage) AddTable(name string, t TableUsage) {
	if u.Tables == nil {
		u.Tables = make(map[string]TableUsage, 1)
	}
	sum := u.Tables[name]
	sum.Puts += t.Puts
	sum.Overwrites += t.Overwrites
	sum.Deletes += t.Deletes
	u.Tables[name] = sum
}

// Appender is an answer that encodes itself without reflection.
type Appender interface {
	AppendJSON(dst []byte) []byte
	AppendCBOR(dst []byte) []byte
}

// Streamer is an answer that is sent bit by bit. Stream writes header and body
// and returns when it is over; a returned error cuts the connection.
type Streamer interface {
	Stream(ctx context.Context, w http.ResponseWriter) error
}

// Hook stands between the protocol and the services: fault injection and
// counting.
type Hook interface {
	// Before is called before the service. ErrDrop cuts the connection; another
	// error is answered in the service's place.
	Before(ctx context.Context, s Service, r *Request) error
	// After is called when the service is done, with its error or the one from
	// Before. ErrDrop cuts the connection, the work having been done.
	After(ctx context.Context, s Service, r *Request, err error) error
}
