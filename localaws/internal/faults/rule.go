// Package faults injects what goes wrong between a client and AWS: latency,
// throttling, errors, dropped connections, lost answers and calls that hang, by
// operation, client, resource and shard, at a rate or for the next n calls.
package faults

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Kind says what a rule does to a call.
type Kind string

// The kinds of fault.
const (
	Latency      Kind = "latency"       // the call waits LatencyMS before it is carried out
	Late         Kind = "late"          // carried out LatencyMS later even if the client is gone by then
	Throttle     Kind = "throttle"      // refused as the service does when a limit is passed
	Fail         Kind = "error"         // refused with Code and Status
	Drop         Kind = "drop"          // not carried out, connection closed
	LoseResponse Kind = "lose_response" // carried out, then the connection is closed
	Partial      Kind = "partial"       // some entries of PutRecords or a batch write fail
	Empty        Kind = "empty"         // GetRecords returns no records though there are some
	Stall        Kind = "stall"         // hangs until the client gives up or the rule is deleted
)

// Rule is one fault. Empty Service, Operation, Client, Resource and Shard match
// all.
type Rule struct {
	ID        string  `json:"id,omitempty"`
	Service   string  `json:"service,omitempty"`
	Operation string  `json:"operation,omitempty"`
	Client    string  `json:"client,omitempty"`
	Resource  string  `json:"resource,omitempty"` // stream or table name
	Shard     string  `json:"shard,omitempty"`
	Kind      Kind    `json:"kind"`
	Rate      float64 `json:"rate,omitempty"`  // share of the matching calls (entries, for partial); 0 means all
	Count     int     `json:"count,omitempty"` // calls after which the rule is spent; 0 means never
	LatencyMS int     `json:"latency_ms,omitempty"`
	Code      string  `json:"code,omitempty"`
	Message   string  `json:"message,omitempty"`
	Status    int     `json:"status,omitempty"`
	Hits      int     `json:"hits"` // calls it was applied to so far
}

// Validate returns what is wrong with a rule, or nil.
func (r *Rule) Validate() error {
	kinds := []Kind{Latency, Late, Throttle, Fail, Drop, LoseResponse, Partial, Empty, Stall}
	switch {
	case !slices.Contains(kinds, r.Kind):
		return fmt.Errorf("kind: want one of %v", kinds)
	case r.Rate < 0 || r.Rate > 1:
		return fmt.Errorf("rate: want 0 to 1")
	case r.Count < 0:
		return fmt.Errorf("count: want 0 or more")
	case r.LatencyMS < 0 || ((r.Kind == Latency || r.Kind == Late) && r.LatencyMS == 0):
		return fmt.Errorf("latency_ms: want more than 0")
	case r.Status != 0 && (r.Status < 400 || r.Status > 599):
		return fmt.Errorf("status: want 400 to 599")
	case r.Service != "" && r.Service != "kinesis" && r.Service != "dynamodb":
		return fmt.Errorf("service: want kinesis or dynamodb")
	}
	return nil
}

func (r *Rule) latency() time.Duration { return time.Duration(r.LatencyMS) * time.Millisecond }

// failure is the error a throttle, error or partial rule answers with.
func (r *Rule) failure(service string) *wire.Error {
	e := &wire.Error{Code: r.Code, Message: r.Message, Status: r.Status}
	if e.Message == "" {
		e.Message = "injected by localaws"
	}
	if e.Code == "" {
		e.Code = defaultCode(r.Kind, service)
	}
	if e.Status == 0 {
		e.Status = http.StatusBadRequest
		if r.Kind == Fail && (r.Code == "" || strings.HasPrefix(e.Code, "Internal")) {
			e.Status = http.StatusInternalServerError
		}
	}
	if service == "dynamodb" {
		e.Prefix = "com.amazonaws.dynamodb.v20120810#"
	}
	return e
}

func defaultCode(kind Kind, service string) string {
	switch {
	case kind == Fail && service == "dynamodb":
		return "InternalServerError"
	case kind == Fail:
		return "InternalFailure"
	}
	return "ProvisionedThroughputExceededException"
}
