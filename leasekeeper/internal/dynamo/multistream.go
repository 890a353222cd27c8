package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrMultiStream says that the lease table is that of a KCL application which
// reads several streams: its keys are account:stream:creation:shard.
var ErrMultiStream = errors.New("the table has leases of several streams, as a multi-stream application of the KCL makes them; " +
	"a leasekeeper serves one stream: give it a table of its own in LEASEKEEPER_LEASE_TABLE")

// checkSingleStream reads the lease table, every page of it, and returns an error
// that wraps ErrMultiStream for one of a multi-stream application.
func (t *Tables) checkSingleStream(ctx context.Context) error {
	several := ""
	err := t.scan(ctx, t.leases, t.unhurried(), func(i item) {
		if id := text(i, leaseKey); strings.Count(id, ":") >= 3 {
			several = id
		}
	})
	switch {
	case err != nil:
		return fmt.Errorf("scan leases: %w", err)
	case several != "":
		return fmt.Errorf("table %q, lease %q: %w", t.leases, several, ErrMultiStream)
	}
	return nil
}
