package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// promise is what a worker announced of a lease: whom it will be released to,
// by tag.
type promise struct {
	generation int64
	to         byte
	from       byte // the holder itself
}

// offered tells whether a lease that is released, or soon will be, is for this
// worker: as its holder announced, else as planned. Plans differ for a moment
// while leases move; what was announced is the same for all. Whoever was not
// named waits as for a lease planned for another.
func (p *planning) offered(row *lease.Row) bool {
	if to := p.promisedTo(row); p.takers[to] {
		return to == lease.Tag(p.self.id)
	}
	return p.mine(row.Shard)
}

// promisedTo returns the tag of the worker that the lease's holder named, for
// as long as nobody claimed it; 0: nobody.
func (p *planning) promisedTo(row *lease.Row) byte {
	if said, ok := p.promises[row.Shard]; ok && row.Counter <= said.generation+1 {
		return said.to
	}
	return 0
}

// second tells whether this worker stands in for the one that is named for a
// lease and may have begun to leave in just this moment: the next one by tag
// and, where it is known to take nothing any more, everybody. It looks on, and
// claims what was left for two polls.
func (p *planning) second(row *lease.Row) bool {
	to := p.promisedTo(row)
	if to == 0 || !p.takers[to] {
		return to != 0
	}
	next := to + 1
	for next != to && (!p.takers[next] || next == p.promises[row.Shard].from) {
		next++
	}
	return next != to && next == lease.Tag(p.self.id)
}

// consider looks at one lease that nobody says it holds and returns when to
// look again.
func (p *planning) consider(shard string, row *lease.Row, reads *[]string) time.Duration {
	f := p.free[shard]
	if f == nil {
		h := p.cfg.heartbeat()
		if p.second(row) {
			h = 2 * pollInterval
		}
		f = &freeLease{since: p.now, open: p.now + h + time.Duration(p.rng.Int64N(int64(h/2)+1))}
		p.free[shard] = f
	}
	switch {
	case p.claims[shard] != nil:
		return p.now + rescan // goes its own way
	case !p.able():
		if row.Owner == p.self.id && p.self.good && p.now >= f.next {
			f.next = p.now + p.cfg.heartbeat()
			p.disown(row)
		}
		return p.now + rescan // whatever makes it able makes it dirty
	case !p.offered(row) && p.now < f.open:
		return f.open
	case p.view.claimable(row) && (p.offered(row) || p.view.rows[shard].asOf >= f.open):
		if p.now >= f.next {
			f.next = p.now + p.cfg.heartbeat()/2
			p.claim(shard)
		}
		return f.next
	case p.now < f.reread:
		return f.reread
	}
	// Somebody else may have claimed it, or released it, and not said so yet. The
	// row tells, and is claimed at once where it is free.
	f.reread = p.now + p.cfg.heartbeat()
	if p.view.rows[shard].asOf < p.now {
		*reads = append(*reads, shard)
	}
	return f.reread
}

// poll reads the rows of the leases that are being handed over to this worker.
func (p *planning) poll() {
	if len(p.polls) == 0 || !p.able() {
		return
	}
	const few = 8
	p.timers.set(p.polling, p.now+pollInterval, p.poll)
	if len(p.polls) > few {
		p.view.scanThen(func([]*lease.Row) { p.claimReleased() })
		return
	}
	for _, shard := range p.polls {
		p.view.readOne(shard, func(*lease.Row, bool) { p.claimReleased() })
	}
}

// claimReleased claims what the giver of a polled lease has released.
func (p *planning) claimReleased() {
	for _, shard := range p.polls {
		if row := p.view.get(shard); row != nil && row.Owner == "" && p.offered(row) && p.able() {
			p.claim(shard)
		}
	}
}
