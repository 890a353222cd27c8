package e2e_test

import (
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// TestOperate_ReleaseKilled releases a worker under load, with messages in
// process, and kills a task before everything is handed over: the worker itself,
// or the only one that can have its leases, for which another one comes. The
// release ends all the same, the others read everything, and nothing is missing.
func TestOperate_ReleaseKilled(t *testing.T) {
	t.Parallel()
	t.Run("worker", func(t *testing.T) {
		t.Parallel()
		r := startRelease(t)
		r.worker.Kill()
		r.ends()
	})
	t.Run("taker", func(t *testing.T) {
		t.Parallel()
		r := startRelease(t)
		r.taker.Kill()
		r.addTask()
		r.ends()
		state := ""
		r.until("the worker answers", func() bool { state = r.state(); return state != "" })
		if state != "DRAINING" {
			t.Errorf("got the worker %q, want it released still", state)
		}
	})
}

// releasing is a fleet of two under load, one of which a tool is releasing.
type releasing struct {
	*system
	worker, taker *cluster.Task
	tool          func() error
	stop          func()
}

const releaseCount = 4_000

func startRelease(t *testing.T) *releasing {
	t.Helper()
	s := start(t, cluster.Options{Lease: shortLease})
	s.slowWrites()
	tasks := s.startTasks(2)
	r := &releasing{system: s, worker: tasks[0], taker: tasks[1]}
	producer := s.produce(releaseCount, 250)
	s.spread(2)
	command := s.tool(t.Context(), "release", s.worker(r.worker))
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	r.tool, r.stop = command.Wait, func() { s.finished(producer) }
	r.until("the worker is handing over", func() bool { return r.state() == "DRAINING" })
	return r
}

// state is what the worker's leasekeeper says of itself; empty: it does not answer.
func (r *releasing) state() string {
	status, err := r.worker.Status(r.t.Context())
	for _, w := range status.Workers {
		if err == nil && w.Worker == status.Worker {
			return w.State
		}
	}
	return ""
}

// ends waits for the tool, and for the end of the load.
func (r *releasing) ends() {
	r.t.Helper()
	if err := r.tool(); err != nil {
		r.t.Errorf("release: %v, want it to end well", err)
	}
	r.until("the others read everything", func() bool { return !r.readers()[r.worker.Name] && len(r.Readers(fresh)) >= 3 })
	r.stop()
	r.verify(releaseCount)
}
