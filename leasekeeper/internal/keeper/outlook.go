package keeper

import (
	"cmp"
	"slices"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// outlook is what is known of one lease beside its row, and what is intended
// with it. It is there while a row or a peer names the shard.
type outlook struct {
	shard   string
	holder  holder     // who else says that it holds the lease; the zero value: nobody
	load    int64      // bytes per second, as whoever holds or held it last said
	promise promise    // whom its holder will release it to
	planned string     // worker; empty: nobody, or the lease cannot be read now
	eager   bool       // child of a shard finished here: claimed at once
	others  bool       // another worker was seen to hold it
	free    *freeLease // nil: held, or the lease cannot be read now
	polled  polled     // while it is handed over to this worker
	giving  promise    // what was announced of this worker's own lease, while its notice runs
}

// holder is a live worker that says it holds a lease.
type holder struct {
	worker     string
	generation int64
	moving     bool          // is about to give it up: announced, or a worker that takes nothing
	to         byte          // tag of the worker named to have it; 0: nobody
	since      time.Duration // when this generation was first seen
}

// promise is what a worker announced of a lease: whom it will be released to,
// by tag.
type promise struct {
	generation int64
	to         byte
	from       byte // the holder itself
}

// freeLease is an assignable lease that no live worker says it holds.
type freeLease struct {
	since  time.Duration // when that was seen
	open   time.Duration // from when on anybody may claim it (L1)
	next   time.Duration // not before this is it claimed again
	reread time.Duration // not before this is its row read again
}

// held returns who else holds the lease of row in its latest generation.
func (o *outlook) held(row *lease.Row) (holder, bool) {
	return o.holder, o.holder.worker != "" && o.holder.generation >= row.Counter
}

// outlook returns what is known of a lease, from now on if nothing is.
func (p *planning) outlook(shard string) *outlook {
	o := p.outlooks[shard]
	if o == nil {
		o = &outlook{shard: shard}
		p.outlooks[shard] = o
	}
	return o
}

// word is what the rows of all workers say of one lease.
type word struct {
	holder     holder
	generation int64 // that load is of: an evicted worker knew it as well
	load       int64
}

// words gathers what the workers' rows say, by shard.
func (p *planning) words() map[string]word {
	words := make(map[string]word, len(p.outlooks))
	for id, row := range p.peers.rows {
		other := id != p.self.id && row.State != lease.Evicted
		for _, held := range row.Held {
			w := words[held.Shard]
			if held.Generation > w.generation {
				w.generation, w.load = held.Generation, held.BytesPerSecond
			}
			if other && held.Generation > w.holder.generation {
				w.holder = holder{worker: id, generation: held.Generation, moving: held.Moving || !row.Takes(), to: held.To}
			}
			words[held.Shard] = w
		}
	}
	return words
}

// peersChanged takes over what the workers' rows say.
func (p *planning) peersChanged() {
	p.stale = true
	words := p.words()
	for shard := range words {
		p.outlook(shard)
	}
	var moves []contract.Move
	for shard, o := range p.outlooks {
		w, named := words[shard]
		before := o.holder.worker
		o.hear(w, p.now)
		switch now := o.holder.worker; {
		case !named && !o.eager && p.view.rows[shard] == nil:
			delete(p.outlooks, shard)
		case now != "" && now != before:
			moves = append(moves, contract.Move{Shard: shard, From: before, To: now})
		}
	}
	slices.SortFunc(moves, func(a, b contract.Move) int { return cmp.Compare(a.Shard, b.Shard) })
	for _, m := range moves {
		p.move("held", m.Shard, m.From, m.To)
	}
}

// hear takes over what the workers say now. What a holder promised stands when
// it says nothing more of the lease: it has released it.
func (o *outlook) hear(w word, now time.Duration) {
	since := now
	if w.holder.generation == o.holder.generation {
		since = o.holder.since
	}
	o.load, o.holder = w.load, w.holder
	o.holder.since = since
	switch {
	case o.holder.worker == "":
	case o.holder.to != 0:
		o.promise = promise{o.holder.generation, o.holder.to, lease.Tag(o.holder.worker)}
	default:
		o.promise = promise{}
	}
}
