package wire

import (
	"net/http"
	"sync/atomic"
	"time"
)

// skewAllowed is how far a request's time and that of its answer may be apart
// before a refusal is put down to this machine's clock. The services take five
// minutes.
const skewAllowed = 4 * time.Minute

// skew is how far the service's clock is ahead of this machine's, 0 until a
// refusal has told otherwise. It is safe for use by several goroutines.
type skew struct{ nanoseconds atomic.Int64 }

// now returns the time by the service's clock.
func (s *skew) now() time.Time { return time.Now().Add(time.Duration(s.nanoseconds.Load())) }

// learn takes the service's time from a refusal of a request that was signed at
// a time far from it.
func (s *skew) learn(code string, h http.Header, signed time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	cached := h.Get("Age") != ""
	if err == nil && !cached && isOfClock(code) && at.Sub(signed).Abs() > skewAllowed {
		s.nanoseconds.Store(int64(time.Until(at)))
	}
}

// isOfClock tells whether a refusal may be due to a clock. Most of these may
// have other reasons too.
func isOfClock(code string) bool {
	switch code {
	case "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture",
		"InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "AccessDeniedException":
		return true
	}
	return false
}
