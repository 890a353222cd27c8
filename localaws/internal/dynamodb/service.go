// Package dynamodb is DynamoDB in memory: tables, items, expressions, secondary
// indexes, transactions, time to live and consumed capacity, over the AWS JSON
// protocol. Every table is active at once.
//
// A table is one index ordered by the hash of the partition key and guarded by
// one lock. Items are never changed in place, so what a call answers is encoded
// after the lock is given back.
package dynamodb

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-json-experiment/json" // names are matched exactly, as the service does
	"github.com/go-json-experiment/json/jsontext"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Options of a Service.
type Options struct {
	Now func() time.Time // the clock of creation times and time to live; nil means time.Now
	// StaleReads is how far reads that do not ask for consistency lag behind the
	// writes; 0 is not at all.
	StaleReads time.Duration
}

// Service implements wire.Service.
type Service struct {
	now        func() time.Time
	stale      time.Duration
	operations map[string]func(*wire.Request) (any, error)

	mu     sync.RWMutex
	tables map[string]*table

	tokens tokens // of transactions
}

// New returns a service without tables.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{now: o.Now, stale: o.StaleReads}
	s.operations = s.all()
	s.Reset()
	return s
}

// Name implements wire.Service.
func (s *Service) Name() string { return "dynamodb" }

// Target implements wire.Service.
func (s *Service) Target() string { return "DynamoDB_20120810" }

// Now implements wire.Service.
func (s *Service) Now() time.Time { return s.now() }

// Reset implements wire.Service.
func (s *Service) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables = make(map[string]*table)
	s.tokens.reset()
}

// Serve implements wire.Service.
func (s *Service) Serve(_ context.Context, r *wire.Request) (any, error) {
	run := s.operations[r.Operation]
	if run == nil {
		return nil, wire.UnknownOperation(s.Name(), r.Operation)
	}
	if r.Encoding == wire.CBOR {
		return nil, malformed("DynamoDB does not speak CBOR")
	}
	answer, err := run(r)
	if err != nil {
		return nil, asWire(err)
	}
	return answer, nil
}

func (s *Service) all() map[string]func(*wire.Request) (any, error) {
	return map[string]func(*wire.Request) (any, error){
		"CreateTable":               typed(s.createTable),
		"DescribeTable":             typed(s.describeTable),
		"DeleteTable":               typed(s.deleteTable),
		"ListTables":                typed(s.listTables),
		"UpdateTable":               typed(s.updateTable),
		"DescribeTimeToLive":        typed(s.describeTimeToLive),
		"UpdateTimeToLive":          typed(s.updateTimeToLive),
		"DescribeContinuousBackups": typed(s.describeContinuousBackups),
		"UpdateContinuousBackups":   typed(s.updateContinuousBackups),
		"TagResource":               typed(s.tagResource),
		"UntagResource":             typed(s.untagResource),
		"ListTagsOfResource":        typed(s.listTagsOfResource),
		"DescribeLimits":            typed(s.describeLimits),
		"PutItem":                   typed(s.putItem),
		"GetItem":                   typed(s.getItem),
		"UpdateItem":                typed(s.updateItem),
		"DeleteItem":                typed(s.deleteItem),
		"BatchWriteItem":            typed(s.batchWriteItem),
		"BatchGetItem":              typed(s.batchGetItem),
		"Query":                     typed(s.query),
		"Scan":                      typed(s.scan),
		"TransactWriteItems":        typed(s.transactWriteItems),
		"TransactGetItems":          typed(s.transactGetItems),
	}
}

// typed turns a function of a decoded input into an operation.
func typed[T any](f func(*wire.Request, *T) (any, error)) func(*wire.Request) (any, error) {
	return func(r *wire.Request) (any, error) {
		in := new(T)
		if len(r.Body) > 0 {
			if err := json.Unmarshal(r.Body, in); err != nil {
				return nil, err
			}
		}
		return f(r, in)
	}
}

// Prefixes of __type, as the service has them.
const (
	modeled   = "com.amazonaws.dynamodb.v20120810#"
	validates = "com.amazon.coral.validate#"
	coral     = "com.amazon.coral.service#"
)

func exception(code, message string) *wire.Error {
	return &wire.Error{Prefix: modeled, Code: code, Message: message}
}

func invalid(message string) error { return attr.Invalid(message) }

func malformed(message string) *wire.Error {
	return &wire.Error{Prefix: coral, Code: "SerializationException", Message: message}
}

// asWire gives an error of this module or of the decoder its form on the wire.
func asWire(err error) error {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[attr.Invalid](err); ok {
		return &wire.Error{Prefix: validates, Code: "ValidationException", Message: e.Error()}
	}
	return malformed(err.Error())
}

// Resource implements wire.Service.
func (s *Service) Resource(r *wire.Request) (resource, shard string) {
	var in struct {
		TableName     string
		RequestItems  map[string]jsontext.Value
		TransactItems []map[string]struct{ TableName string }
	}
	if json.Unmarshal(r.Body, &in) != nil {
		return "", ""
	}
	for name := range in.RequestItems {
		return tableName(name), ""
	}
	for _, entry := range in.TransactItems {
		for _, action := range entry {
			return tableName(action.TableName), ""
		}
	}
	return tableName(in.TableName), ""
}
