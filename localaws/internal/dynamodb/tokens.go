package dynamodb

import (
	"crypto/sha256"
	"sync"
	"time"
)

// tokenLife is how long a ClientRequestToken is remembered.
const tokenLife = 10 * time.Minute

// tokens makes transactions with a ClientRequestToken happen once.
type tokens struct {
	mu   sync.Mutex
	seen map[string]seenToken
	last time.Time // when old ones were thrown away
}

type seenToken struct {
	sum  [sha256.Size]byte
	at   time.Time
	done bool // false while the transaction is under way
}

func (t *tokens) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = make(map[string]seenToken)
}

// enter notes a token; done is true if the same request came before. The caller
// calls leave unless it gets an error.
func (t *tokens) enter(token string, body []byte, now time.Time) (done bool, err error) {
	if token == "" {
		return false, nil
	}
	if len(token) > 36 {
		return false, invalid("1 validation error detected: Value '" + token + "' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36")
	}
	sum := sha256.Sum256(body)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(now)
	if old, ok := t.seen[token]; ok && now.Sub(old.at) < tokenLife {
		if old.sum != sum {
			return false, exception("IdempotentParameterMismatchException", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical")
		}
		if !old.done {
			return false, exception("TransactionInProgressException", "The transaction with the given request token is already in progress.")
		}
		return true, nil
	}
	t.seen[token] = seenToken{sum: sum, at: now}
	return false, nil
}

func (t *tokens) sweep(now time.Time) {
	if now.Sub(t.last) < tokenLife {
		return
	}
	t.last = now
	for token, s := range t.seen {
		if now.Sub(s.at) >= tokenLife {
			delete(t.seen, token)
		}
	}
}

// leave ends what enter began: the token of a transaction that was not carried
// out is forgotten.
func (t *tokens) leave(token string, carriedOut bool) {
	if token == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !carriedOut {
		delete(t.seen, token)
	} else if s, ok := t.seen[token]; ok {
		s.done = true
		t.seen[token] = s
	}
}
