package account

import (
	"maps"
	"math"
	"time"
)

// Summary is the final account, printed as one JSON object.
type Summary struct {
	Stream            string           `json:"stream"`
	Stopped           string           `json:"stopped"` // end (of the source), signal, or error
	Error             string           `json:"error,omitempty"`
	Accepted          int64            `json:"accepted"`
	Acknowledged      int64            `json:"acknowledged"`
	Retried           int64            `json:"retried"`
	Failed            int64            `json:"failed"`
	FailedUnsure      int64            `json:"failed_unsure"`
	FailedPositions   []string         `json:"failed_positions,omitempty"`
	FailedUnnamed     int64            `json:"failed_unnamed,omitempty"` // failed, and not in the list: it is cut
	FailedReasons     map[string]int64 `json:"failed_reasons,omitempty"`
	Rejected          int64            `json:"rejected"`
	RejectedPositions []string         `json:"rejected_positions,omitempty"`
	RejectedUnnamed   int64            `json:"rejected_unnamed,omitempty"` // rejected, and not in the list: it is cut
	LostAnswers       int64            `json:"lost_answers"`
	MaybeDoubled      int64            `json:"maybe_doubled"`
	Resent            int64            `json:"resent"`
	Throttled         int64            `json:"throttled"`
	Requests          int64            `json:"requests"`
	Records           int64            `json:"records"`
	PayloadUnits      int64            `json:"payload_units"`
	Bytes             int64            `json:"bytes"`
	BufferedHighest   int64            `json:"buffered_highest"`
	LastPosition      int64            `json:"last_position"`
	Seconds           float64          `json:"seconds"`
	MessagesPerSecond float64          `json:"messages_per_second"`
}

// Summarize closes the account of a run of the given length. Call it when
// nothing is in flight any more.
func (a *Account) Summarize(elapsed time.Duration) Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Summary{
		Accepted:          a.accepted.Load(),
		Acknowledged:      a.acknowledged.Load(),
		Retried:           a.retried.Load(),
		Failed:            a.failed.Len(),
		FailedUnsure:      a.unsure,
		FailedPositions:   a.failed.Ranges(),
		FailedUnnamed:     a.failed.Unnamed(),
		FailedReasons:     maps.Clone(a.reasons),
		Rejected:          a.rejected.Len(),
		RejectedPositions: a.rejected.Ranges(),
		RejectedUnnamed:   a.rejected.Unnamed(),
		LostAnswers:       a.lostAnswers.Load(),
		MaybeDoubled:      a.maybeDoubled.Load(),
		Resent:            a.resent.Load(),
		Throttled:         a.throttled.Load(),
		Requests:          a.requests.Load(),
		Records:           a.records.Load(),
		PayloadUnits:      a.payloadUnits.Load(),
		Bytes:             a.bytes.Load(),
		BufferedHighest:   a.bufferedHighest.Load(),
		LastPosition:      a.lastPosition.Load(),
		Seconds:           math.Round(elapsed.Seconds()*1000) / 1000,
	}
	if seconds := elapsed.Seconds(); seconds > 0 {
		s.MessagesPerSecond = math.Round(float64(s.Acknowledged)/seconds*10) / 10
	}
	return s
}

// Now is what the account says while the run goes on.
type Now struct {
	Accepted, Acknowledged, Retried, Failed, Rejected int64
	LostAnswers, MaybeDoubled, Resent, Throttled      int64
	Requests, Records, PayloadUnits, Bytes            int64
	InFlight, Buffered                                int64
}

// Now reads the counts; each is exact, but they are read one after the other.
func (a *Account) Now() Now {
	a.mu.Lock()
	failed, rejected := a.failed.Len(), a.rejected.Len()
	a.mu.Unlock()
	return Now{
		Accepted: a.accepted.Load(), Acknowledged: a.acknowledged.Load(), Retried: a.retried.Load(),
		Failed: failed, Rejected: rejected,
		LostAnswers: a.lostAnswers.Load(), MaybeDoubled: a.maybeDoubled.Load(), Resent: a.resent.Load(),
		Throttled: a.throttled.Load(), Requests: a.requests.Load(), Records: a.records.Load(),
		PayloadUnits: a.payloadUnits.Load(), Bytes: a.bytes.Load(),
		InFlight: a.inFlight.Load(), Buffered: a.buffered.Load(),
	}
}
