package replay

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
)

// State is where a replay stands with a shard.
type State string

// States of a shard.
const (
	Waiting State = "waiting" // for its parents
	Reading State = "reading"
	Done    State = "done" // read to its end or the window's, and every message done
)

// entry is one shard of a plan.
type entry struct {
	contract.ChildShard
	state State
	at    position.Position // everything up to and including it is done; zero: nothing is
}

// plan decides which shards can be read: those whose parents, as far as they
// are part of the replay, are done. It does no I/O and is for one goroutine.
type plan struct {
	only   []string // the shards to replay, all if empty
	shards map[string]*entry
}

func newPlan(only []string) *plan { return &plan{only: only, shards: map[string]*entry{}} }

// add takes shards in that are new and part of the replay, and tells whether
// there were any.
func (p *plan) add(shards ...contract.ChildShard) (news bool) {
	for _, s := range shards {
		if p.shards[s.Shard] != nil || len(p.only) > 0 && !slices.Contains(p.only, s.Shard) {
			continue
		}
		p.shards[s.Shard] = &entry{ChildShard: s, state: Waiting}
		news = true
	}
	return news
}

// missing returns the shards that were named and are not there.
func (p *plan) missing() []string {
	return slices.DeleteFunc(slices.Clone(p.only), func(s string) bool { return p.shards[s] != nil })
}

// next returns the shards that can be read now, as being read.
func (p *plan) next() []*entry {
	var ready []*entry
	for _, e := range p.shards {
		if e.state == Waiting && !slices.ContainsFunc(e.Parents, p.unfinished) {
			ready = append(ready, e)
		}
	}
	for _, e := range ready {
		e.state = Reading
	}
	return ready
}

func (p *plan) unfinished(shard string) bool {
	e := p.shards[shard]
	return e != nil && e.state != Done
}

// positions returns where every shard stands, by name.
func (p *plan) positions() []Position {
	list := make([]Position, 0, len(p.shards))
	for _, e := range p.shards {
		list = append(list, Position{Shard: e.Shard, State: e.state, Sequence: e.at.Sequence, Sub: e.at.Sub})
	}
	slices.SortFunc(list, func(a, b Position) int { return strings.Compare(a.Shard, b.Shard) })
	return list
}

// resume goes on where the positions say. What was being read begins anew after
// its position. A shard that is gone by now counts as done.
func (p *plan) resume(positions []Position) error {
	for _, at := range positions {
		e := p.shards[at.Shard]
		switch {
		case e == nil:
		case at.State == Done:
			e.state = Done
		case at.State != Waiting && at.State != Reading:
			return fmt.Errorf("shard %s: state %q is not known", at.Shard, at.State)
		case strings.Trim(at.Sequence, "0123456789") != "":
			return fmt.Errorf("shard %s: %q is no sequence number", at.Shard, at.Sequence)
		}
		if e != nil {
			e.at = position.Position{Sequence: at.Sequence, Sub: at.Sub}
		}
	}
	return nil
}
