package awslocal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Admin is localaws's own endpoint for faults, limits and counters.
type Admin struct{ url string }

// Fault is one rule. Empty fields match everything; Rate 0 means every call,
// Count 0 until the rule is deleted.
type Fault struct {
	ID        string  `json:"id,omitempty"`
	Service   string  `json:"service,omitempty"`
	Operation string  `json:"operation,omitempty"`
	Client    string  `json:"client,omitempty"`
	Kind      string  `json:"kind"` // latency, throttle, error, drop, lose_response, partial, stall
	Rate      float64 `json:"rate,omitempty"`
	Count     int     `json:"count,omitempty"`
	LatencyMS int     `json:"latency_ms,omitempty"`
	Code      string  `json:"code,omitempty"`
	Status    int     `json:"status,omitempty"`
	Resource  string  `json:"resource,omitempty"`
	Shard     string  `json:"shard,omitempty"`
}

// Calls counts the calls of one operation by one client.
type Calls struct {
	Service    string  `json:"service"`
	Operation  string  `json:"operation"`
	Client     string  `json:"client"`
	Calls      int64   `json:"calls"`
	Errors     int64   `json:"errors"`
	Throttles  int64   `json:"throttles"`
	ReadUnits  float64 `json:"read_units"`
	WriteUnits float64 `json:"write_units"`
	Records    int64   `json:"records"`
	Bytes      int64   `json:"bytes"`
}

// Table counts the item writes of one table. An overwrite is a put that
// replaced an item that was there.
type Table struct {
	Puts       int64 `json:"puts"`
	Overwrites int64 `json:"overwrites"`
	Deletes    int64 `json:"deletes"`
}

// Counters is everything localaws has counted since the last reset.
type Counters struct {
	Calls  []Calls          `json:"calls"`
	Tables map[string]Table `json:"tables"`
}

// Sum adds up the calls whose service is service and whose client ends in
// suffix.
func (c Counters) Sum(service, suffix string) Calls {
	sum := Calls{Service: service, Client: suffix}
	for _, call := range c.Calls {
		if strings.EqualFold(call.Service, service) && strings.HasSuffix(call.Client, suffix) {
			sum.Calls += call.Calls
			sum.Errors += call.Errors
			sum.Throttles += call.Throttles
			sum.ReadUnits += call.ReadUnits
			sum.WriteUnits += call.WriteUnits
			sum.Records += call.Records
			sum.Bytes += call.Bytes
		}
	}
	return sum
}

// Produced is how many records were put on streams, whoever did it.
func (c Counters) Produced() int64 {
	var n int64
	for _, call := range c.Calls {
		if call.Operation == "PutRecords" || call.Operation == "PutRecord" {
			n += call.Records
		}
	}
	return n
}

// Counters reads the counters.
func (a *Admin) Counters(ctx context.Context) (Counters, error) {
	var c Counters
	err := a.call(ctx, http.MethodGet, "counters", nil, &c)
	return c, err
}

// ResetCounters sets every counter to nothing.
func (a *Admin) ResetCounters(ctx context.Context) error {
	return a.call(ctx, http.MethodDelete, "counters", nil, nil)
}

// AddFault makes one rule.
func (a *Admin) AddFault(ctx context.Context, f Fault) error {
	return a.call(ctx, http.MethodPost, "faults", f, nil)
}

// ClearFaults deletes every rule.
func (a *Admin) ClearFaults(ctx context.Context) error {
	return a.call(ctx, http.MethodDelete, "faults", nil, nil)
}

// readsPerSecond is how often a shard may be read: five times as the service
// has it, and twice by the harness, which looks at checkpoints half a second apart.
const readsPerSecond = 5 + 2

// EnforceLimits applies the service's limits per shard, and its rates of
// control-plane calls, from now on.
func (a *Admin) EnforceLimits(ctx context.Context) error {
	return a.call(ctx, http.MethodPut, "limits", map[string]any{"enforce": true, "reads_per_second": readsPerSecond}, nil)
}

// Clockwork is how fast Kinesis goes about some things. 0 leaves them as they are.
type Clockwork struct {
	TransitionMS int64 `json:"transition_ms,omitempty"`  // a stream stays CREATING, UPDATING or DELETING for so long; 0 at the start
	HeartbeatMS  int64 `json:"heartbeat_ms,omitempty"`   // between two events of an idle subscription; 5,000 at the start
	ListingLagMS int64 `json:"listing_lag_ms,omitempty"` // ListShards shows a reshard so much later; 0 at the start
}

// SetClockwork changes the clockwork from now on.
func (a *Admin) SetClockwork(ctx context.Context, c Clockwork) error {
	return a.call(ctx, http.MethodPut, "limits", c, nil)
}

// AdvanceKinesis moves the clock of Kinesis ahead of the true time, as if the
// stream had been left alone for that long: what is past retention is gone.
func (a *Admin) AdvanceKinesis(ctx context.Context, ahead time.Duration) error {
	return a.call(ctx, http.MethodPut, "limits", map[string]int64{"clock_offset_ms": ahead.Milliseconds()}, nil)
}

func (a *Admin) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode %s: %w", path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.url+"/_localaws/"+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s %s: status %d: %s", method, path, resp.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}
