package kinesis

import (
	"context"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Limits of a put request.
const (
	maxPutRecords  = 500
	maxPutBytes    = 10 << 20 // data and partition keys of one PutRecords
	maxKeyLength   = 256      // characters of a partition key
	internalServer = "InternalFailure"
)

// putResult is the fate of one entry.
type putResult struct {
	sequence sequence
	shard    *shard
	failure  *wire.Error
}

func (s *Service) putRecords(_ context.Context, r *wire.Request) (any, error) {
	ref, entries, dryRun, err := decodePutRecords(r)
	if err != nil {
		return nil, err
	}
	if err := s.checkEntries(entries); err != nil {
		return nil, err
	}
	st, err := s.lookup(ref)
	if err != nil {
		return nil, err
	}
	hashes, err := st.prepare(entries, s.now())
	if err != nil {
		return nil, err
	}
	if dryRun {
		return nil, dryRunDone()
	}
	out := &putRecordsOutput{results: make([]putResult, len(entries))}
	if err := s.put(st, entries, hashes, out.results, r); err != nil {
		return nil, err
	}
	return out, nil
}

func dryRunDone() error {
	return wire.Errorf(codeDryRun, "The request would have succeeded, but the DryRun parameter was set.")
}

func (s *Service) checkEntries(entries []entry) error {
	var c checks
	switch n := len(entries); {
	case n == 0:
		c.addf("'[]'", "records", "Member must have length greater than or equal to 1")
	case n > maxPutRecords:
		c.addf(fmt.Sprintf("'[%d records]'", n), "records", "Member must have length less than or equal to %d", maxPutRecords)
	}
	for i := range entries {
		s.checkEntry(&c, &entries[i], func(member string) string { return fmt.Sprintf("records.%d.member.%s", i+1, member) })
	}
	return c.err()
}

// checkEntry checks what does not depend on the stream.
func (s *Service) checkEntry(c *checks, e *entry, member func(string) string) {
	if e.noData {
		c.addf("null", member("data"), "Member must not be null")
	}
	switch n := utf8.RuneCount(e.key()); {
	case !e.hasKey:
		c.addf("null", member("partitionKey"), "Member must not be null")
	case n == 0:
		c.addf("''", member("partitionKey"), "Member must have length greater than or equal to 1")
	case n > maxKeyLength:
		c.addf(quote(string(e.key())), member("partitionKey"), "Member must have length less than or equal to %d", maxKeyLength)
	}
	if e.hash != nil && !s.patterns.hashKey.Match(e.hash) {
		c.addf(quote(string(e.hash)), member("explicitHashKey"), "Member must satisfy regular expression pattern: 0|([1-9]\\d{0,38})")
	}
}

// prepare hashes the entries and checks what depends on the stream: its status
// and its greatest record.
func (st *stream) prepare(entries []entry, now int64) ([]hashKey, error) {
	st.mu.RLock()
	greatest, status := st.maxRecord<<10, st.status(now)
	st.mu.RUnlock()
	if status != statusActive && status != statusUpdating {
		return nil, notFound(st.name)
	}
	hashes := make([]hashKey, len(entries))
	total := 0
	for i := range entries {
		e := &entries[i]
		total += len(e.bytes)
		if len(e.bytes) > greatest { // the partition key counts too
			return nil, wire.Errorf(codeValidation, "1 validation error detected: Value at 'records.%d.member.data' failed to satisfy constraint: Member must have length less than or equal to %d", i+1, greatest)
		}
		if e.hash == nil {
			hashes[i] = hashOf(e.key())
			continue
		}
		k, ok := parseHashKey(string(e.hash))
		if !ok {
			return nil, invalid("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was %s", e.hash)
		}
		hashes[i] = k
	}
	if total > maxPutBytes {
		return nil, invalid("Records size exceeds 10 MB limit")
	}
	return hashes, nil
}

// put stores the entries, shard by shard, in their order.
func (s *Service) put(st *stream, entries []entry, hashes []hashKey, results []putResult, r *wire.Request) error {
	tuning, now := s.tuned(), s.now()
	st.mu.RLock()
	defer st.mu.RUnlock()
	if st.gone {
		return notFound(st.name)
	}
	horizon := st.horizon(now)
	kms := st.encryption == "KMS"
	for i := range entries {
		results[i].shard = st.shardFor(hashes[i])
	}
	c := putContext{stream: st, tuning: &tuning, request: r, now: now, horizon: horizon, kms: kms}
	for i := range results {
		if !results[i].decided() {
			results[i].shard.putAll(entries[i:], results[i:], c)
		}
	}
	return nil
}

// decided tells whether the entry was stored or refused.
func (r *putResult) decided() bool { return r.failure != nil || r.sequence.index != 0 }

type putContext struct {
	stream  *stream
	tuning  *Tuning
	request *wire.Request
	now     int64
	horizon int64
	kms     bool
}

// putAll stores those entries that belong to the shard.
func (s *shard) putAll(entries []entry, results []putResult, c putContext) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := false
	for i := range entries {
		if results[i].shard != s {
			continue
		}
		if results[i].failure = s.refuse(&entries[i], c); results[i].failure != nil {
			continue
		}
		e := &entries[i]
		results[i].sequence = s.put(e.bytes, e.keyLen, c.kms, c.now)
		c.request.Usage.Records++
		c.request.Usage.Bytes += int64(len(e.bytes))
		stored = true
	}
	if stored {
		s.trim(c.horizon)
		s.wake()
	}
}

// refuse tells why an entry is not taken: an injected fault, or the limits.
func (s *shard) refuse(e *entry, c putContext) *wire.Error {
	if c.request.FailEntry != nil {
		if failure := c.request.FailEntry(); failure != nil {
			return failure
		}
	}
	if !c.tuning.Enforce {
		return nil
	}
	size := float64(len(e.bytes))
	if !s.writeRecords.has(1, c.tuning.RecordsPerSecond, c.now) || !s.writeBytes.has(size, c.tuning.BytesPerSecond, c.now) {
		return throttled(s.id, c.stream.name)
	}
	s.writeRecords.take(1)
	s.writeBytes.take(size)
	return nil
}

func throttled(shard, stream string) *wire.Error {
	return wire.Errorf(codeThroughput, "Rate exceeded for shard %s in stream %s under account %s.", shard, stream, wire.Account)
}

func (s *Service) putRecord(_ context.Context, r *wire.Request) (any, error) {
	var in struct {
		streamRef
		slowEntry
		SequenceNumberForOrdering *string
		DryRun                    bool
	}
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	entries := []entry{in.entry()}
	var c checks
	c.text("sequenceNumberForOrdering", in.SequenceNumberForOrdering, 129, s.patterns.sequence)
	s.checkEntry(&c, &entries[0], func(member string) string { return member })
	if err := c.err(); err != nil {
		return nil, err
	}
	st, err := s.lookup(in.streamRef)
	if err != nil {
		return nil, err
	}
	hashes, err := st.prepare(entries, s.now())
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRunDone()
	}
	results := make([]putResult, 1)
	if err := s.put(st, entries, hashes, results, r); err != nil {
		return nil, err
	}
	if f := results[0].failure; f != nil {
		if f.Code == internalServer {
			f.Status = http.StatusInternalServerError
		}
		return nil, f
	}
	return map[string]string{"ShardId": results[0].shard.id, "SequenceNumber": results[0].sequence.String()}, nil
}
