// Package counters counts every call by service, operation and client, and what
// was done to every table, so that a test can say what a fleet costs.
package counters

import (
	"errors"
	"sort"
	"strings"
	"sync"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Calls are the counts of one operation by one client.
type Calls struct {
	Service    string  `json:"service"`
	Operation  string  `json:"operation"`
	Client     string  `json:"client"`
	Calls      int64   `json:"calls"`
	Errors     int64   `json:"errors"`    // answered with an error, throttles included, or dropped
	Throttles  int64   `json:"throttles"` // answered with a throttling error
	Refused    int64   `json:"refused"`   // answered that its signature or its form is wrong
	ReadUnits  float64 `json:"read_units"`
	WriteUnits float64 `json:"write_units"`
	Records    int64   `json:"records"`
	Bytes      int64   `json:"bytes"`
}

// Snapshot is all counts at one moment.
type Snapshot struct {
	Calls  []Calls                    `json:"calls"` // sorted by service, operation, client
	Tables map[string]wire.TableUsage `json:"tables"`
}

type key struct{ service, operation, client string }

// Counters is safe for concurrent use.
type Counters struct {
	mu     sync.Mutex
	calls  map[key]*Calls
	tables map[string]wire.TableUsage
}

// New returns counters at zero.
func New() *Counters {
	c := &Counters{}
	c.Reset()
	return c
}

// Reset sets everything to zero.
func (c *Counters) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = make(map[key]*Calls)
	c.tables = make(map[string]wire.TableUsage)
}

// Add counts one call and what it used.
func (c *Counters) Add(service string, r *wire.Request, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := key{service, r.Operation, r.Client}
	sum := c.calls[k]
	if sum == nil {
		sum = &Calls{Service: service, Operation: r.Operation, Client: r.Client}
		c.calls[k] = sum
	}
	sum.Calls++
	if err != nil {
		sum.Errors++
		if isThrottle(err) {
			sum.Throttles++
		}
		if isRefusal(err) {
			sum.Refused++
		}
	}
	u := &r.Usage
	sum.ReadUnits += u.ReadUnits
	sum.WriteUnits += u.WriteUnits
	sum.Records += u.Records
	sum.Bytes += u.Bytes
	for name, t := range u.Tables {
		all := c.tables[name]
		all.Puts += t.Puts
		all.Overwrites += t.Overwrites
		all.Deletes += t.Deletes
		c.tables[name] = all
	}
}

func isThrottle(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return false
	}
	return strings.HasPrefix(e.Code, "ProvisionedThroughput") || strings.Contains(e.Code, "Throttl") ||
		e.Code == "LimitExceededException" || e.Code == "RequestLimitExceeded"
}

// isRefusal tells whether an answer says that the client, not what it asked
// for, is at fault.
func isRefusal(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	return ok && (strings.HasSuffix(e.Code, "SignatureException") || e.Code == "SerializationException")
}

// Snapshot returns a copy of all counts.
func (c *Counters) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Snapshot{Calls: make([]Calls, 0, len(c.calls)), Tables: make(map[string]wire.TableUsage, len(c.tables))}
	for _, sum := range c.calls {
		s.Calls = append(s.Calls, *sum)
	}
	for name, t := range c.tables {
		s.Tables[name] = t
	}
	sort.Slice(s.Calls, func(i, j int) bool {
		a, b := &s.Calls[i], &s.Calls[j]
		return a.Service+"\x00"+a.Operation+"\x00"+a.Client < b.Service+"\x00"+b.Operation+"\x00"+b.Client
	})
	return s
}
