package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// foreignWait is how long a KCL's lease must stand still; above kclFailover.
const foreignWait = 30 * time.Second

// Kinds of schedules.
const (
	kindChaos    = "chaos"    // many faults of every sort
	kindSingle   = "single"   // one fault in a steady fleet: I4
	kindReshard  = "reshard"  // splits and merges, parents trimmed away, and faults
	kindOutage   = "outage"   // the tables are gone for a while, nothing else
	kindDeploy   = "deploy"   // rolling replacements, scaling out and in
	kindTakeover = "takeover" // a KCL application's tables
	kindOperate  = "operate"  // what operators ask for, among splits, merges and faults
	kindLarge    = "large"    // 1,000 shards and 100 workers
)

// largeEvery is how many schedules there are to a large one.
const largeEvery = 1000

// scenario is what a seed chose.
type scenario struct {
	kind        string
	workers     int
	shards      int
	duration    time.Duration // D
	attempt     time.Duration // bound on one request to a table
	checkpoints time.Duration // between two checkpoint writes of a lease
	pageSize    int           // rows of one page of a scan
	listPage    int
	faults      int
	storm       time.Duration // how long faults happen
	retention   time.Duration // from a shard's closing until it is gone; 0: kept
	stuckDrain  float64       // drains that take longer than a grant
	position    string
	fromNow     bool // the application starts at LATEST
}

func (sc scenario) String() string {
	return fmt.Sprintf("%s, %d workers, %d shards, D %v, %d faults in %v, %s", sc.kind, sc.workers, sc.shards, sc.duration, sc.faults, sc.storm, sc.position)
}

// heartbeat is H.
func (sc scenario) heartbeat() time.Duration { return sc.duration / 4 }

func chooseScenario(seed uint64, rng *rand.Rand) scenario {
	sc := scenario{
		kind: kindOf(seed), workers: 2 + rng.IntN(5), shards: 1 + rng.IntN(12),
		duration: []time.Duration{2 * time.Second, 8 * time.Second, 8 * time.Second}[rng.IntN(3)],
		pageSize: 1 + rng.IntN(6), listPage: 1 + rng.IntN(6), faults: 4 + rng.IntN(12),
		storm: time.Duration(60+rng.IntN(90)) * time.Second, stuckDrain: 0.05, position: lease.TrimHorizon,
	}
	if rng.IntN(4) == 0 {
		sc.position, sc.fromNow = lease.Latest, true
	}
	switch sc.kind {
	case kindSingle:
		sc.duration, sc.faults, sc.stuckDrain, sc.storm = 8*time.Second, 1, 0, time.Second
	case kindOutage:
		sc.workers, sc.stuckDrain, sc.faults, sc.storm = 3+rng.IntN(6), 0, 1, time.Second
	case kindReshard, kindOperate:
		sc.workers, sc.shards = 2+rng.IntN(3), 1+rng.IntN(6)
		if rng.IntN(3) == 0 {
			sc.retention = time.Duration(20+rng.IntN(60)) * time.Second
		}
	case kindDeploy:
		sc.faults, sc.stuckDrain = 3+rng.IntN(5), 0.01
	case kindTakeover:
		sc.position, sc.fromNow, sc.shards = lease.TrimHorizon, false, max(6, sc.shards)
	case kindLarge:
		sc.workers, sc.shards, sc.duration, sc.pageSize, sc.listPage, sc.faults, sc.storm = 100, 1000, 8*time.Second, 200, 300, 6, 40*time.Second
	}
	sc.attempt = sc.heartbeat() / 2
	sc.checkpoints = []time.Duration{time.Second, 5 * time.Second}[rng.IntN(2)]
	if sc.kind == kindLarge {
		sc.checkpoints = 5 * time.Second
	}
	return sc
}

func kindOf(seed uint64) string {
	if seed%largeEvery == 500 {
		return kindLarge
	}
	return []string{
		kindChaos, kindSingle, kindReshard, kindChaos, kindDeploy, kindOperate, kindReshard, kindSingle, kindOutage, kindTakeover,
	}[seed%10]
}
