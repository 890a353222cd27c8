// Package replay reads a span of a stream once more, beside the live consumers:
// every shard's records of a Window, parents before their children, through the
// same shards, order and handlers, without a lease and without a checkpoint.
package replay

import (
	"errors"
	"fmt"
	"time"
)

// TrimHorizon is where a Window begins that begins with the oldest record.
const TrimHorizon = "TRIM_HORIZON"

// Window is a span of arrival times: at From or after, and before Until. The
// zero From is before everything.
type Window struct{ From, Until time.Time }

// Contains tells whether a record that arrived then is in the window.
func (w Window) Contains(arrived time.Time) bool {
	return !arrived.Before(w.From) && arrived.Before(w.Until)
}

// Begin returns From as ParseWindow takes it.
func (w Window) Begin() string {
	if w.From.IsZero() {
		return TrimHorizon
	}
	return w.From.Format(time.RFC3339Nano)
}

// Errors of a window that cannot be read.
var (
	ErrFrom  = errors.New("want TRIM_HORIZON, an RFC 3339 time such as 2026-11-23T12:00:00Z, or how long ago, such as 2h30m")
	ErrUntil = errors.New("want now, an RFC 3339 time such as 2026-11-23T13:00:00Z, or how long ago, such as 30m")
	ErrEmpty = errors.New("is not before --until")
	ErrGone  = errors.New("is older than what the stream keeps")
	ErrAhead = errors.New("is yet to come")
)

// ParseWindow reads the two ends of a window. now is the stream's time, to the
// second; retention is how long it keeps a record.
func ParseWindow(from, until string, now time.Time, retention time.Duration) (Window, error) {
	w := Window{Until: now.Add(time.Second)} // everything that has arrived: now was cut to the second
	end := w.Until
	var err error
	if from != TrimHorizon {
		if w.From, err = parseTime(from, now); err != nil {
			return w, fmt.Errorf("--from %q: %w", from, ErrFrom)
		}
	}
	if until != "now" {
		if w.Until, err = parseTime(until, now); err != nil {
			return w, fmt.Errorf("--until %q: %w", until, ErrUntil)
		}
	}
	oldest := now.Add(-retention)
	switch {
	case w.Until.After(end):
		return w, fmt.Errorf("--until %s %w: it is %s there", until, ErrAhead, now.Format(time.RFC3339))
	case !w.From.Before(w.Until):
		return w, fmt.Errorf("--from %s %w %s", from, ErrEmpty, until)
	case !w.From.IsZero() && w.From.Before(oldest):
		return w, fmt.Errorf("--from %s %w, %s: the oldest that is there is of %s, and TRIM_HORIZON begins with it", from, ErrGone, retention, oldest.Format(time.RFC3339))
	case !w.Until.After(oldest):
		return w, fmt.Errorf("--until %s %w, %s: the oldest that is there is of %s", until, ErrGone, retention, oldest.Format(time.RFC3339))
	}
	return w, nil
}

func parseTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("read time: %w", err)
	}
	return at.UTC().Truncate(time.Millisecond), nil
}
