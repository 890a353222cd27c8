package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// life is one worker: everything that ends when its peers declare it dead. Its
// parts know each other through it.
type life struct {
	*Keeper
	self        self
	peers       peers
	view        view
	session     session
	discovery   discovery
	planning    planning
	holdings    map[string]*holding
	claims      map[string]*claim
	over        map[string]time.Duration // shards lost under a live grant, of an earlier life too: when it ends at the latest
	leave       leave
	requests    requests
	decideAt    time.Duration // not before this is it decided again
	decideTimer *timer
	dirty       bool // something that decisions rest on has changed
}

func newLife(k *Keeper, id string) *life {
	l := &life{
		Keeper: k, holdings: make(map[string]*holding), claims: make(map[string]*claim),
		over: make(map[string]time.Duration), decideTimer: newTimer(),
	}
	l.self = self{life: l, id: id, beatTimer: newTimer(), retryTimer: newTimer(), lapseTimer: newTimer()}
	l.peers = peers{life: l, rows: make(map[string]*lease.Worker), evicting: make(map[string]*eviction),
		scanTimer: newTimer(), watchTimer: newTimer()}
	l.view = newView(l)
	l.session = session{life: l, absentTimer: newTimer(), waitTimer: newTimer()}
	l.discovery = discovery{life: l, timer: newTimer()}
	l.planning = newPlanning(l)
	l.requests = requests{life: l, sweepTimer: newTimer()}
	return l
}

// start registers and looks around at the same time.
func (l *life) start() {
	l.self.register()
	l.peers.scan()
}

// settle makes the decisions that are due after an event, once however much of
// it changed.
func (l *life) settle() {
	for n := 0; l.dirty && n < 4; n++ {
		if l.now < l.decideAt {
			if !l.decideTimer.pending() {
				l.timers.set(l.decideTimer, l.decideAt, func() {})
			}
			break
		}
		l.dirty = false
		l.decideAt = l.now + l.pause()
		l.planning.decide()
	}
	l.leave.step(l)
	l.requests.report()
	l.session.answer()
}

// pause is how long one look at all leases is apart from the next at least, so
// that a thousand answers at once do not cost a thousand looks at a thousand
// leases: nothing for small tables, 30 ms for a thousand leases.
func (l *life) pause() time.Duration {
	const small, most = 50, 50 * time.Millisecond
	if len(l.view.leases) <= small {
		return 0
	}
	return min(time.Duration(len(l.view.leases))*30*time.Microsecond, most)
}

// able tells whether leases may be claimed now.
func (l *life) able() bool {
	return l.self.good && !l.leaving && !l.requests.paused && l.session.ready() && l.view.known && l.peers.current && l.peers.bound() && !l.view.frozen()
}

// takes tells whether leases may be planned for this worker, as its next
// heartbeat will say.
func (l *life) takes() bool { return !l.leaving && !l.requests.released && l.session.ready() }
