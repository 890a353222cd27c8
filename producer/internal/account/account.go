// Package account counts what became of every message, so that the producer
// can say at its end what was acknowledged, retried and lost.
//
// Counts are of messages, not of records or requests. These hold whenever
// nothing is in flight:
//
//	read     = accepted + rejected
//	accepted = acknowledged + failed
package account

import (
	"sync"
	"sync/atomic"
)

// Account collects the counts of one run. All methods are safe for concurrent use.
type Account struct {
	accepted, acknowledged, bytes       atomic.Int64
	retried, throttled, lostAnswers     atomic.Int64
	maybeDoubled, requests, records     atomic.Int64
	payloadUnits, resent, lastPosition  atomic.Int64
	inFlight, buffered, bufferedHighest atomic.Int64

	mu       sync.Mutex
	failed   Positions
	unsure   int64
	rejected Positions
	reasons  map[string]int64
}

// New returns an empty account.
func New() *Account { return &Account{reasons: map[string]int64{}} }

// Accept counts a message taken from the source.
func (a *Account) Accept(position int64) {
	a.accepted.Add(1)
	a.lastPosition.Store(position)
}

// Reject counts a message that cannot be sent at all.
func (a *Account) Reject(position int64) {
	a.lastPosition.Store(position)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rejected.Add(position)
}

// Acknowledge counts messages that the service stored, and their bytes, keys
// included. maybeDoubled is how many more copies of them may be there, because
// an earlier attempt was not answered.
func (a *Account) Acknowledge(messages, bytes, maybeDoubled int64) {
	a.acknowledged.Add(messages)
	a.bytes.Add(bytes)
	if maybeDoubled != 0 {
		a.maybeDoubled.Add(maybeDoubled)
	}
}

// Resend counts messages that were stored on a shard where consumers drop them,
// and are therefore sent once more.
func (a *Account) Resend(messages int64) {
	a.resent.Add(messages)
	a.maybeDoubled.Add(messages)
}

// Retry counts messages sent once more.
func (a *Account) Retry(messages int64) {
	if messages > 0 {
		a.retried.Add(messages)
	}
}

// Throttle counts entries the service refused because a shard is at its limit.
func (a *Account) Throttle(entries int64) { a.throttled.Add(entries) }

// LoseAnswer counts a request that may or may not have been executed.
func (a *Account) LoseAnswer() { a.lostAnswers.Add(1) }

// Request counts a request, its entries, and the PUT payload units it bills.
func (a *Account) Request(records, payloadUnits int64) {
	a.requests.Add(1)
	a.records.Add(records)
	a.payloadUnits.Add(payloadUnits)
}

// Fail counts a message that was given up. unsure says that it may have been
// stored all the same.
func (a *Account) Fail(position int64, reason string, unsure bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed.Add(position)
	if unsure {
		a.unsure++
	}
	a.reasons[reason]++
}

// Flight changes the number of requests in flight.
func (a *Account) Flight(delta int64) { a.inFlight.Add(delta) }

// Buffer notes how many bytes are buffered now.
func (a *Account) Buffer(bytes int64) {
	a.buffered.Store(bytes)
	for {
		highest := a.bufferedHighest.Load()
		if bytes <= highest || a.bufferedHighest.CompareAndSwap(highest, bytes) {
			return
		}
	}
}
