package grants_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/grants"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
)

// bench is a Machine with a clock, spoken to in seconds.
type bench struct {
	*testing.T
	m    *grants.Machine
	zero time.Time
	req  contract.SyncRequest
}

func newBench(t *testing.T) *bench {
	b := &bench{T: t, m: grants.New("c", "1"), zero: time.Unix(1000, 0)}
	b.send()
	return b
}

func (b *bench) at(s float64) time.Time { return b.zero.Add(time.Duration(s * float64(time.Second))) }

func (b *bench) send() contract.SyncRequest {
	b.req = b.m.Request(time.Second)
	return b.req
}

// answer answers the last request, sent at sent and answered at now, with a
// TTL of 6 s.
func (b *bench) answer(sent, now float64, worker string, revision int64, generations ...int64) []grants.Action {
	a := contract.SyncResponse{Worker: worker, Revision: revision, TTLMS: 6000}
	for _, g := range generations {
		a.Grants = append(a.Grants, contract.Grant{Shard: "s", Generation: g})
	}
	return b.m.Answer(b.req, b.at(sent), b.at(now), a)
}

func (b *bench) want(got []grants.Action, want ...grants.Kind) {
	b.Helper()
	if len(got) != len(want) {
		b.Fatalf("got actions %+v, want kinds %v", got, want)
	}
	for i := range want {
		if got[i].Kind != want[i] {
			b.Fatalf("got actions %+v, want kinds %v", got, want)
		}
	}
}

// states returns what the next request says of each generation.
func (b *bench) states() map[int64]string {
	s := map[int64]string{}
	for _, r := range b.send().Shards {
		s[r.Generation] = r.State
	}
	return s
}

func held() grants.Key {
	return grants.Key{Worker: "w", Shard: "s", Generation: 5}
}

func TestMachine_TTLCountsFromSending(t *testing.T) {
	b := newBench(t)
	got := b.answer(0, 2, "w", 1, 5)
	b.want(got, grants.Start)
	if !got[0].Deadline.Equal(b.at(6)) {
		t.Fatalf("got deadline %v, want 6 s after sending", got[0].Deadline)
	}
	b.send()
	got = b.answer(3, 4, "w", 1, 5)
	b.want(got, grants.Extend)
	if !got[0].Deadline.Equal(b.at(9)) {
		t.Fatalf("got deadline %v, want 9 s", got[0].Deadline)
	}
	b.want(b.m.Tick(b.at(8.9)))
	b.want(b.m.Tick(b.at(9)), grants.Stop)
}

func TestMachine_LateAnswerDoesNotRevive(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.send()
	b.want(b.answer(5, 7, "w", 1, 5), grants.Stop) // expired at 6, though sent+TTL is 11
	b.want(b.m.Drained(held(), grants.Progress{}, b.at(8)))
	b.send()
	b.want(b.answer(8, 8, "w", 1, 5)) // still granted by leasekeeper: never again
	if got := b.states()[5]; got != contract.Drained {
		t.Fatalf("got state %q, want it reported drained", got)
	}
}

func TestMachine_AnswerPastItsTTLStartsNothing(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 6, "w", 1, 5))
	b.send()
	b.want(b.answer(6, 6, "w", 1, 5), grants.Start)
}

func TestMachine_WithdrawnEndsAtItsLastExpiry(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.send()
	b.want(b.answer(1, 1, "w", 2), grants.Stop)
	b.send()
	b.want(b.answer(3, 3, "w", 2, 5)) // a mistake of leasekeeper's: not extended, not started
	if got := b.states()[5]; got != contract.Reading {
		t.Fatalf("got state %q, want reading while messages are in process", got)
	}
}

func TestMachine_DrainedIsRepeatedUntilHeard(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.send()
	b.want(b.answer(1, 1, "w", 2), grants.Stop)
	b.m.Drained(held(), grants.Progress{Checkpoint: position.Position{Sequence: "7"}}, b.at(1))
	for range 3 { // requests that are lost
		r := b.send()
		if len(r.Shards) != 1 || r.Shards[0].State != contract.Drained || r.Shards[0].Checkpoint.Sequence != "7" || r.Revision != 2 {
			t.Fatalf("got request %+v, want drained at 7", r)
		}
	}
	b.answer(2, 2, "w", 2)
	if got := b.states(); len(got) != 0 {
		t.Fatalf("got %v after it was heard, want nothing", got)
	}
}

func TestMachine_DrainedBeforeTheWithdrawalDoesNotCount(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.want(b.m.Tick(b.at(6)), grants.Stop)
	b.m.Drained(held(), grants.Progress{}, b.at(6))
	b.send()               // says drained, knows revision 1
	b.answer(7, 7, "w", 2) // revision 2 withdraws it: may not have counted the report
	if len(b.states()) != 1 || b.req.Revision != 2 {
		t.Fatalf("got request %+v, want drained once more", b.req)
	}
	b.answer(8, 8, "w", 2)
	if got := b.states(); len(got) != 0 {
		t.Fatalf("got %v, want nothing", got)
	}
}

func TestMachine_OldRevisionIsDropped(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 3, 5), grants.Start)
	b.send()
	b.want(b.answer(1, 1, "w", 2))
	if b.states()[5] != contract.Reading || b.req.Revision != 3 {
		t.Fatalf("got request %+v, want the grant still held at revision 3", b.req)
	}
}

func TestMachine_NewGenerationWaitsForTheOld(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.send()
	b.want(b.answer(1, 1, "w", 2, 6), grants.Stop)
	if got := b.states(); len(got) != 1 || got[5] != contract.Reading {
		t.Fatalf("got %v, want 5 alone", got)
	}
	got := b.m.Drained(held(), grants.Progress{}, b.at(2))
	b.want(got, grants.Start)
	if got[0].Key.Generation != 6 || !got[0].Deadline.Equal(b.at(7)) {
		t.Fatalf("got %+v, want generation 6 until 7 s", got)
	}
	if got := b.states(); got[5] != contract.Drained || got[6] != contract.Reading {
		t.Fatalf("got %v, want 5 drained and 6 reading", got)
	}
}

func TestMachine_WaitingGrantWithdrawn(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.send()
	b.want(b.answer(1, 1, "w", 2, 6), grants.Stop)
	b.send()
	b.want(b.answer(2, 2, "w", 3))
	b.want(b.m.Drained(held(), grants.Progress{}, b.at(2)))
	if got := b.states(); got[6] != contract.Drained {
		t.Fatalf("got %v, want 6 drained though never started", got)
	}
}

func TestMachine_AnotherWorkerStartsAnew(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 9, 5), grants.Start)
	b.send()
	b.want(b.answer(1, 1, "x", 1, 5), grants.Stop) // the same generation is another grant
	if got := b.send(); len(got.Shards) != 0 || got.Worker != "x" || got.Revision != 1 {
		t.Fatalf("got request %+v, want none of the other worker's grants", got)
	}
	got := b.m.Drained(held(), grants.Progress{}, b.at(2))
	b.want(got, grants.Start)
	if got[0].Key.Worker != "x" {
		t.Fatalf("got %+v, want x's grant", got)
	}
}

func TestMachine_EndedIsFinal(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.m.Ended(held(), grants.Progress{Checkpoint: position.Position{Sequence: "9"}}, []contract.ChildShard{{Shard: "c", Parents: []string{"s"}}}, b.at(1))
	b.m.Progress(held(), grants.Progress{Checkpoint: position.Position{Sequence: "10"}})
	b.want(b.m.Tick(b.at(100)))
	r := b.send()
	if len(r.Shards) != 1 || r.Shards[0].State != contract.Ended || len(r.Shards[0].Children) != 1 || r.Shards[0].Checkpoint.Sequence != "9" {
		t.Fatalf("got %+v, want ended at 9 with its child", r.Shards)
	}
	b.want(b.answer(1, 1, "w", 1, 5))
	if b.states()[5] != contract.Ended {
		t.Fatal("the report was not repeated while the grant stands")
	}
}

func TestMachine_CheckpointsGoForward(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.m.Progress(held(), grants.Progress{Checkpoint: position.Position{Sequence: "10", Sub: 2}, LagMS: 1})
	b.m.Progress(held(), grants.Progress{Checkpoint: position.Position{Sequence: "9"}, LagMS: 2})
	if r := b.send().Shards[0]; r.Checkpoint.Sequence != "10" || r.Checkpoint.Sub != 2 || r.LagMS != 2 {
		t.Fatalf("got %+v, want checkpoint 10/2 with the new lag", r)
	}
}

func TestMachine_Drain(t *testing.T) {
	b := newBench(t)
	b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
	b.m.Drain()
	if !b.send().Draining || b.m.Parted() {
		t.Fatal("want a draining request, and not parted before it is heard")
	}
	b.want(b.answer(1, 1, "w", 1, 5), grants.Extend) // reads on until it is withdrawn
	b.send()
	b.want(b.answer(1, 1, "w", 2), grants.Stop) // withdraws it
	b.m.Drained(held(), grants.Progress{}, b.at(1))
	if b.m.Parted() {
		t.Fatal("parted before the drained report counted")
	}
	b.send()
	b.want(b.answer(2, 2, "w", 3))
	if !b.m.Parted() {
		t.Fatal("not parted after leasekeeper has heard everything")
	}
	b.send()
	b.want(b.answer(3, 3, "w", 4, 6), grants.Start) // claimed when the end had just begun
	if got := b.states(); got[6] != contract.Reading || b.m.Parted() {
		t.Fatalf("got %v, want the new grant read until it is withdrawn", got)
	}
	b.want(b.m.StopAll(), grants.Stop)
	b.send()
	b.want(b.answer(4, 4, "w", 5, 6, 7))
	if got := b.states(); got[7] != contract.Drained || b.m.Parted() {
		t.Fatalf("got %v, want nothing started after the end of the drain, and it reported", got)
	}
}

// A grant that waits for an older one of its shard may start while draining,
// and not after its end.
func TestMachine_DrainWhileWaiting(t *testing.T) {
	for _, closed := range []bool{false, true} {
		b := newBench(t)
		b.want(b.answer(0, 0, "w", 1, 5), grants.Start)
		b.send()
		b.want(b.answer(1, 1, "w", 2, 6), grants.Stop)
		b.m.Drain()
		if closed {
			b.want(b.m.StopAll())
			b.want(b.m.Drained(held(), grants.Progress{}, b.at(2)))
		} else {
			b.want(b.m.Drained(held(), grants.Progress{}, b.at(2)), grants.Start)
		}
	}
}
