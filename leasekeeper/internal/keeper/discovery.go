package keeper

import (
	"errors"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/shardmap"
)

// discoveryEvery times the number of live workers is how often a worker lists
// the stream's shards (L8).
const discoveryEvery = time.Minute

// ErrNoStream is what an unreadable stream looks like to the log.
var ErrNoStream = errors.New("stream could not be listed")

// discovery keeps the rows of the lease table in step with the stream (rule 11).
type discovery struct {
	*life
	running  bool
	failures int
	err      error // of the sync that failed last; nil: the last one did not
	timer    *timer
	waiting  []func(*lease.Listing, map[string]*lease.Row)
	serving  []func(*lease.Listing, map[string]*lease.Row) // who waits for the sync that runs

	listedAt       time.Duration // when the list was asked for
	finishedBefore map[string]bool
	evictedBefore  []*lease.Worker
	listing        *lease.Listing
	rows           map[string]*lease.Row
	made           bool // this sync made rows
}

// request has a sync begin from now on, and then called with its list and the
// rows as they are after it; with nil where it did not come to an end.
func (d *discovery) request(then func(*lease.Listing, map[string]*lease.Row)) {
	d.waiting = append(d.waiting, then)
	d.begin()
}

// found begins the first sync once the worker table was read: it also makes the
// `#stream` row where there is none.
// Where there is one, somebody makes rows already: those are read at once, and
// the sync follows after a pause of chance, lest a fleet that starts together
// makes every row as often as it has workers.
func (d *discovery) found() {
	switch {
	case d.peers.stream == nil && d.listing == nil:
		d.begin()
	case d.peers.stream != nil && !d.running && !d.timer.pending():
		d.view.scan()
		pause := time.Duration(d.rng.Int64N(int64(2 * d.cfg.heartbeat())))
		d.timers.set(d.timer, d.now+pause, d.begin)
	}
}

func (d *discovery) begin() {
	if d.running {
		return
	}
	d.running, d.made = true, false
	d.timers.stop(d.timer)
	d.serving, d.waiting = d.waiting, nil
	d.listedAt = d.now
	d.finishedBefore, d.evictedBefore = make(map[string]bool), nil
	for shard, s := range d.view.rows {
		if s.row.Finished() {
			d.finishedBefore[shard] = true
		}
	}
	for _, row := range d.peers.rows {
		if row.State == lease.Evicted {
			d.evictedBefore = append(d.evictedBefore, row)
		}
	}
	d.do(lease.ListShards{}, func(a lease.Answer) {
		if a.Outcome != lease.Applied {
			d.failed(a.Err)
			return
		}
		d.listed(a.Listing)
	})
}

// listed checks whose stream it is, makes the `#stream` row where there is
// none, and goes on to the rows: always after the list (S14).
func (d *discovery) listed(l *lease.Listing) {
	d.listing, d.ahead = l, l.Now.Sub(d.wall())
	switch stream := d.peers.stream; {
	case stream == nil:
		d.makeStream(l, 0)
	case !stream.SameStream(l.ARN, l.CreatedAt):
		d.exit(foreignStream(stream, l.ARN, l.CreatedAt))
	default:
		d.view.scanThen(d.scanned)
	}
}

// makeStream resolves the initial position once for everybody, from the
// service's time (rule 12, S13, A5).
func (d *discovery) makeStream(l *lease.Listing, attempts int) {
	row := &lease.Stream{ARN: l.ARN, CreatedAt: l.CreatedAt, LeaseTable: d.cfg.LeaseTable, ShardMapVersion: 1,
		InitialPosition: lease.TrimHorizon, InitialTimestamp: l.Now.Truncate(time.Second)}
	switch d.cfg.InitialPosition {
	case lease.Latest:
		row.InitialPosition = lease.AtTimestamp
	case lease.AtTimestamp:
		if d.cfg.InitialTimestamp.After(l.Now) { // nothing could be read, and T is final
			d.exit(fmt.Errorf("LEASEKEEPER_INITIAL_POSITION: %s is yet to come: want a time that is past (it is %s now)",
				d.cfg.InitialTimestamp.Format(time.RFC3339), l.Now.Format(time.RFC3339)))
			return
		}
		row.InitialPosition, row.InitialTimestamp = lease.AtTimestamp, d.cfg.InitialTimestamp
	}
	d.do(lease.StreamWrite{Create: row}, func(a lease.Answer) {
		switch {
		case d.peers.stream != nil:
			d.listed(l)
		case a.Outcome == lease.Applied || a.Outcome == lease.Refused && a.Stream != nil:
			if d.peers.belongs(a.Stream) {
				d.listed(l)
			}
		default:
			d.timers.after(d.now+d.backoff(attempts), func() { d.makeStream(l, attempts+1) })
		}
	})
}

func (d *discovery) scanned(rows []*lease.Row) {
	if d.now-d.listedAt > d.cfg.Duration { // too old to make rows from (S14)
		d.failed(fmt.Errorf("%w: the list is too old", ErrNoStream))
		return
	}
	d.rows = make(map[string]*lease.Row, len(rows))
	owners := make(map[string]bool)
	for _, row := range rows {
		d.rows[row.Shard] = row
		owners[row.Owner] = true
	}
	d.clean(owners)
	d.level(shardmap.Missing(d.listing.Shards, d.rows, d.peers.stream))
}

// level makes the rows of one level, each until it is known to be there, and
// then those of the next: parents before children (S12).
func (d *discovery) level(levels [][]*lease.Row) {
	if len(levels) == 0 {
		d.done()
		return
	}
	left := len(levels[0])
	for _, row := range levels[0] {
		d.create(row, 0, func() {
			if left--; left == 0 {
				d.level(levels[1:])
			}
		})
	}
}

func (d *discovery) create(row *lease.Row, attempts int, then func()) {
	if d.now-d.listedAt > d.cfg.Duration {
		// Too old to make a row from: the level never ends, the sync begins anew.
		if d.running {
			d.failed(fmt.Errorf("%w: the list is too old", ErrNoStream))
		}
		return
	}
	begun := d.listedAt
	d.do(lease.LeaseWrite{Shard: row.Shard, Create: row}, func(a lease.Answer) {
		if !d.running || d.listedAt != begun {
			return // of a sync that was given up
		}
		switch {
		case a.Outcome == lease.Applied:
			d.made = true
			d.rows[row.Shard] = row
			d.view.put(row)
			then()
		case a.Outcome == lease.Refused && a.Lease != nil:
			d.rows[row.Shard] = a.Lease
			d.view.put(a.Lease)
			then()
		default:
			d.timers.after(d.now+d.backoff(attempts), func() {
				if d.running && d.listedAt == begun {
					d.create(row, attempts+1, then)
				}
			})
		}
	})
}

// clean deletes rows of finished shards the stream no longer has, and EVICTED
// workers no lease names (L7). Both conditions are final: a late or second
// attempt does no harm, and one that fails is made again by the next sync.
func (d *discovery) clean(owners map[string]bool) {
	for _, row := range shardmap.Deletable(d.finishedBefore, d.listing.Shards, d.rows) {
		end := row.Checkpoint
		d.do(lease.LeaseWrite{Shard: row.Shard, Delete: true,
			If: lease.LeaseCondition{Owner: row.Owner, Counter: row.Counter, Checkpoint: &end}}, func(a lease.Answer) {
			if a.Outcome == lease.Applied {
				d.view.drop(row.Shard)
			}
		})
	}
	for _, row := range sortedWorkers(d.evictedBefore) {
		if owners[row.ID] || row.ID == d.self.id {
			continue
		}
		d.do(lease.WorkerWrite{Worker: row.ID, Delete: true, If: lease.WorkerCondition{Counter: row.Counter, Evicted: true}}, func(lease.Answer) {})
	}
}

func (d *discovery) done() {
	d.failures, d.err = 0, nil
	d.running = false
	d.counts.Discoveries++
	if d.made {
		d.bump(0)
	}
	serving := d.serving
	d.serving = nil
	for _, then := range serving {
		then(d.listing, d.rows)
	}
	d.dirty = true
	if len(d.waiting) > 0 {
		d.begin()
		return
	}
	d.timers.set(d.timer, d.now+d.jitter(discoveryEvery*time.Duration(max(1, len(d.peers.live())))), d.begin)
}

// failed ends a sync that came to nothing; the next begins after a pause.
func (d *discovery) failed(err error) {
	if err == nil {
		err = ErrNoStream
	}
	d.running, d.err = false, err
	d.counts.DiscoveryFailures++
	if d.failures == 0 {
		d.note(Warn, "shards could not be listed; trying again", Field{"error", err.Error()})
	}
	d.waiting = append(d.serving, d.waiting...)
	d.serving = nil
	d.timers.set(d.timer, d.now+d.pause(), d.begin)
	d.failures++
}

// pause is how long to wait after a sync that failed. Where the end of a shard
// waits for it, it stays within seconds; else it doubles up to half a minute,
// for the calls that list a stream have a limit of the whole account.
func (d *discovery) pause() time.Duration {
	first := d.backoff(d.failures)
	if len(d.waiting) > 0 {
		return first + time.Duration(min(d.failures, 10))*100*time.Millisecond
	}
	return first + d.jitter(min(100*time.Millisecond<<min(d.failures, 10), discoveryEvery/2))
}

// bump moves the shard map's version, so that everybody reads the lease table.
// Twice does no harm; a crash before it is made good within a minute (L4).
func (d *discovery) bump(attempts int) {
	d.do(lease.StreamWrite{}, func(a lease.Answer) {
		switch {
		case a.Outcome == lease.Applied && a.Stream != nil:
			d.peers.stream = a.Stream // our own bump is no news
		case a.Outcome == lease.Unknown || a.Outcome == lease.Failed:
			d.timers.after(d.now+d.backoff(attempts), func() { d.bump(attempts + 1) })
		}
	})
}
