package handler

import (
	"errors"
	"fmt"
)

// Failed is the error of a Handle that could do only some of its batch: it maps
// the places in the batch of those that are not done to the reason. The others,
// and those whose reason is nil, are done.
type Failed map[int]error

// Error implements error. It tells one reason, not all.
func (f Failed) Error() string {
	for _, err := range f {
		return fmt.Sprintf("%d messages not done, one of them: %v", len(f), err)
	}
	return "0 messages not done"
}

// ErrPermanent marks, in an error's chain, that trying again cannot help. The
// message goes to the dead-letter table at once.
var ErrPermanent = errors.New("permanent")

// ErrUnavailable marks, in an error's chain, that the sink, not the message,
// is at fault: it throttles, or cannot be reached. The message is tried again
// until the shard is taken away, and is never given up. Meanwhile the
// concurrency limit slows the reading down, and where messages of other keys
// succeed, the bound of what may be done behind it.
var ErrUnavailable = errors.New("unavailable")

// Permanent wraps err so that it carries ErrPermanent.
func Permanent(err error) error { return fmt.Errorf("%w: %w", ErrPermanent, err) }

// Unavailable wraps err so that it carries ErrUnavailable.
func Unavailable(err error) error { return fmt.Errorf("%w: %w", ErrUnavailable, err) }
