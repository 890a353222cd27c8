package e2e_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// TestKill_Anything kills processes at random moments, twenty times: a
// consumer, a leasekeeper, a whole task, the producer. Each is started again as
// ECS would. E2E_SEED repeats a run's choices; the timing is the machine's.
func TestKill_Anything(t *testing.T) {
	t.Parallel()
	const kills = 20
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("E2E_SEED"); text != "" {
		parsed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = parsed
	}
	t.Logf("E2E_SEED=%d", seed)
	k := &killer{system: start(t, cluster.Options{Lease: shortLease}), dice: rand.New(rand.NewPCG(seed, 0))}
	k.slowWrites()
	k.startTasks(3)
	k.producer = k.produce(0, 300)
	before := k.delivered()
	for range kills {
		k.pause(time.Second)
		k.killOne()
	}
	k.allRead()
	if err := k.producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	if got := k.delivered(); got <= before {
		t.Fatalf("got %d records read, want more than %d", got, before)
	}
	report := k.verify(1)
	t.Logf("%v; %d items written again, which is what kills cost", k.killed, k.overwrites())
	if report.Records == 0 {
		t.Error("got an empty stream, want messages")
	}
}

// slowWrites keeps messages in process for a while, so that a kill finds many of
// them, and a checkpoint that runs ahead of them is seen.
func (s *system) slowWrites() {
	s.t.Helper()
	slow := awslocal.Fault{Service: "dynamodb", Operation: "BatchWriteItem", Kind: "latency", LatencyMS: 1000}
	if err := s.AWS.Admin.AddFault(s.t.Context(), slow); err != nil {
		s.t.Fatal(err)
	}
}

type killer struct {
	*system
	dice     *rand.Rand
	producer *proc.Process
	killed   []string
}

// pause lets a random time go by, up to longest.
func (k *killer) pause(longest time.Duration) {
	timer := time.NewTimer(time.Duration(k.dice.Int64N(int64(longest))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-k.t.Context().Done():
	}
}

func (k *killer) killOne() {
	k.t.Helper()
	tasks := k.Tasks()
	task := tasks[k.dice.IntN(len(tasks))]
	var err error
	switch choice := k.dice.IntN(8); {
	case choice == 0:
		k.killed = append(k.killed, "producer")
		k.producer.Kill()
		k.producer = k.produce(0, 300)
	case choice <= 2:
		k.killed = append(k.killed, task.Name)
		task.Kill()
		k.pause(500 * time.Millisecond)
		if err = task.StartLeasekeeper(k.t.Context()); err == nil {
			err = task.StartConsumer(k.t.Context())
		}
	case choice <= 4:
		k.killed = append(k.killed, task.Name+"-leasekeeper")
		task.Leasekeeper().Kill()
		k.pause(500 * time.Millisecond)
		err = task.StartLeasekeeper(k.t.Context())
	default:
		k.killed = append(k.killed, task.Name+"-consumer")
		task.Consumer().Kill()
		k.pause(500 * time.Millisecond)
		err = task.StartConsumer(k.t.Context())
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// TestKill_Task kills a whole task and measures, at the tap, how long its shards
// go unread.
func TestKill_Task(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	const count = 6_000
	s.startTasks(3)
	producer := s.produce(count, 500)
	s.spread(3)
	victim := s.Tasks()[1]
	shards := s.ReadBy(victim, fresh)
	killed := time.Now()
	victim.Kill()
	taken, err := s.WaitTakeover(t.Context(), victim, killed, shards, patience)
	if err != nil {
		t.Fatal(err)
	}
	took := cluster.Slowest(taken)
	t.Logf("%v read by others %s after the kill, lease %s", shards, took.Round(time.Millisecond), shortLease)
	if limit := 5 * shortLease; took > limit { // 3 s on a machine of one's own: see docs/RELIABILITY.md
		t.Errorf("got a failover of %s, want at most %s", took, limit)
	}
	s.finished(producer)
	s.verify(count)
}
