package keeper

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/shardmap"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/watch"
)

// rescan is how often every worker reads the whole lease table at least, so
// that a version which was never bumped is no loss (L4).
const rescan = time.Minute

// view is the lease table as this worker last read it, row by row.
type view struct {
	*life
	rows    map[string]*seen
	known   bool    // one whole scan at least has arrived
	leases  []*seen // the rows, by shard
	foreign watch.Board
	alien   map[string]string // shard → board name, of unfinished leases with a KCL's owner
	others  map[string]bool   // shards of another fleet

	scanning, scanAgain bool
	failures            int
	timer               *timer
	waiting             []func([]*lease.Row) // called with the next scan that starts after they were added
}

// seen is a row and when the answer that brought it arrived.
type seen struct {
	*outlook
	row  *lease.Row
	asOf time.Duration
}

func newView(l *life) view {
	return view{life: l, rows: make(map[string]*seen), alien: make(map[string]string), others: make(map[string]bool), timer: newTimer()}
}

// get returns the row of shard as last seen; nil: none.
func (v *view) get(shard string) *lease.Row {
	if s := v.rows[shard]; s != nil {
		return s.row
	}
	return nil
}

// put takes over a row that an answer brought, unless it is older than what is
// known.
func (v *view) put(row *lease.Row) {
	old := v.rows[row.Shard]
	if old != nil && (row.Counter < old.row.Counter ||
		row.Counter == old.row.Counter && row.Checkpoint.Compare(old.row.Checkpoint) < 0 && v.holdings[row.Shard] != nil) {
		return
	}
	v.set(row)
}

// read takes over a row that a read which began at sent brought. What was known
// before then is older, even if its generation is higher: somebody has deleted
// the row, and it was made anew.
func (v *view) read(row *lease.Row, sent time.Duration) {
	if old := v.rows[row.Shard]; old != nil && old.asOf > sent {
		v.put(row)
		return
	}
	v.set(row)
}

// set takes over a row. One that is no longer ours ends its grant at once (rule 4).
func (v *view) set(row *lease.Row) {
	old := v.rows[row.Shard]
	if old == nil || old.row.Counter != row.Counter || old.row.Owner != row.Owner || old.row.Finished() != row.Finished() {
		v.dirty = true
		v.planning.leasesChanged()
	}
	if old == nil {
		old = &seen{outlook: v.planning.outlook(row.Shard)}
		v.rows[row.Shard] = old
		v.leases = slices.Insert(v.leases, v.at(row.Shard), old)
	}
	old.row, old.asOf = row, v.now
	v.watchForeign(row)
	v.watchFleet(row)
	if h := v.holdings[row.Shard]; h != nil && (row.Owner != v.self.id || row.Counter > h.generation) && !h.reclaiming {
		h.lost(row)
	}
}

// drop forgets a row that was read and is not there.
func (v *view) drop(shard string) {
	if v.rows[shard] == nil {
		return
	}
	delete(v.rows, shard)
	at := v.at(shard)
	v.leases = slices.Delete(v.leases, at, at+1)
	v.forgetForeign(shard)
	delete(v.others, shard)
	if h := v.holdings[shard]; h != nil {
		h.lost(nil)
	}
	v.dirty = true
	v.planning.leasesChanged()
}

// at returns the place of shard among the leases.
func (v *view) at(shard string) int {
	at, _ := slices.BinarySearchFunc(v.leases, shard, func(s *seen, shard string) int { return strings.Compare(s.shard, shard) })
	return at
}

// scan reads the lease table; while one scan is on its way, once more after it.
func (v *view) scan() {
	if v.scanning {
		v.scanAgain = true
		return
	}
	v.scanning = true
	sent, waiting := v.now, v.waiting
	v.waiting = nil
	v.do(lease.ScanLeases{}, func(a lease.Answer) {
		v.scanning = false
		if a.Outcome != lease.Applied {
			v.counts.ScanFailures++
			v.waiting = append(waiting, v.waiting...)
			v.timers.set(v.timer, v.now+v.backoff(v.failures), v.scan)
			v.failures++
			return
		}
		v.failures = 0
		v.scanned(a.Leases, sent)
		if !v.alone() {
			return
		}
		for _, f := range waiting {
			f(a.Leases)
		}
		again := v.scanAgain || len(v.waiting) > 0
		v.scanAgain = false
		if again && !v.exited {
			v.scan()
		}
	})
}

// scanThen calls f with the rows of a scan that starts from now on.
func (v *view) scanThen(f func([]*lease.Row)) {
	v.waiting = append(v.waiting, f)
	v.scan()
}

func (v *view) scanned(rows []*lease.Row, sent time.Duration) {
	there := make(map[string]bool, len(rows))
	for _, row := range rows {
		there[row.Shard] = true
		// What was learned while the scan was on its way may be newer than its pages.
		if old := v.rows[row.Shard]; old == nil || old.asOf <= sent || row.Counter > old.row.Counter {
			v.read(row, sent)
		}
	}
	for _, s := range slices.Clone(v.leases) {
		if !there[s.shard] && s.asOf <= sent {
			v.drop(s.shard)
		}
	}
	v.known = true
	v.peers.seeMissing()
	v.peers.judge()
	v.timers.set(v.timer, v.now+v.scanInterval(), v.scan)
	v.dirty = true
}

// scanInterval is short while a KCL's leases are watched, and else a minute.
func (v *view) scanInterval() time.Duration {
	if len(v.alien) > 0 {
		return max(min(v.cfg.ForeignWait/6, 5*time.Second), 100*time.Millisecond)
	}
	return v.jitter(rescan)
}

// readAll has the rows of shards read: one by one, or all in one scan when they are many.
func (v *view) readAll(shards []string) {
	if v.many(len(shards)) {
		v.scan()
		return
	}
	for _, shard := range shards {
		v.readOne(shard, func(*lease.Row, bool) {})
	}
}

// many tells whether one scan of the table costs less than reading n rows of it:
// a row read alone is a read unit, and twenty of a usual size in a scan are one.
func (v *view) many(n int) bool { return n > max(8, len(v.leases)/20) }

// readOne reads one row and calls then with it, nil for none, and whether it was read.
func (v *view) readOne(shard string, then func(row *lease.Row, read bool)) {
	sent := v.now
	v.do(lease.GetLease{Shard: shard}, func(a lease.Answer) {
		if a.Outcome != lease.Applied {
			then(nil, false)
			return
		}
		if a.Lease != nil {
			v.read(a.Lease, sent)
		} else if s := v.rows[shard]; s != nil && s.asOf <= sent {
			v.drop(shard)
		}
		v.dirty = true
		then(a.Lease, true)
	})
}

// owners returns who owns an unfinished lease of this fleet.
func (v *view) owners() map[string]bool {
	owners := make(map[string]bool)
	for _, s := range v.rows {
		if s.row.Owner != "" && !s.row.Finished() && !s.row.OtherFleet(v.cfg.WorkerTable) {
			owners[s.row.Owner] = true
		}
	}
	return owners
}

// waitsForParents tells whether a parent of row is not done, as far as is known.
func (v *view) waitsForParents(row *lease.Row) bool {
	return !shardmap.ParentsDone(row, v.get)
}

// watchForeign watches the lease of a KCL (rule 5): another owner or counter is a new watch.
func (v *view) watchForeign(row *lease.Row) {
	if row.Owner == "" || row.Finished() || lease.OwnForm(row.Owner) {
		v.forgetForeign(row.Shard)
		return
	}
	name := row.Shard + " " + row.Owner
	if old, was := v.alien[row.Shard]; was && old != name {
		v.foreign.Forget(old)
	}
	if len(v.alien) == 0 {
		v.note(Warn, "leases of a KCL application: nothing is claimed until all of them stood still",
			Field{"shard", row.Shard}, Field{"owner", row.Owner}, Field{"wait", v.cfg.ForeignWait.String()})
		v.timers.set(v.timer, v.now, v.scan)
	}
	v.alien[row.Shard] = name
	v.foreign.See(v.now, name, row.Counter, v.cfg.ForeignWait)
}

func (v *view) forgetForeign(shard string) {
	if name, was := v.alien[shard]; was {
		v.foreign.Forget(name)
		delete(v.alien, shard)
		v.dirty = true
	}
}

// frozen tells whether a KCL is alive: then nothing is claimed (S9).
func (v *view) frozen() bool {
	for _, name := range v.alien {
		if !v.foreign.StoodStill(v.now, name) {
			return true
		}
	}
	return false
}

// foreignDead tells whether the KCL that owns row let it stand still for the foreign wait.
func (v *view) foreignDead(row *lease.Row) bool {
	return v.foreign.StoodStill(v.now, row.Shard+" "+row.Owner)
}

// claimable tells whether the row may be claimed (rule 4).
func (v *view) claimable(row *lease.Row) bool {
	if row.Finished() || row.OtherFleet(v.cfg.WorkerTable) {
		return false
	}
	if row.Owner == "" || row.Owner == v.self.id || v.peers.dead(row.Owner) {
		return true
	}
	return !lease.OwnForm(row.Owner) && v.foreignDead(row)
}

// checkpointText shows a checkpoint in the log.
func checkpointText(c lease.Checkpoint) string {
	if c.Sub == 0 {
		return c.Sequence
	}
	return c.Sequence + "+" + strconv.FormatInt(c.Sub, 10)
}
