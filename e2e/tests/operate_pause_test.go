package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// tool prepares a verb of leasekeeper on the system's tables, as an operator runs it.
func (s *system) tool(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, binaries(s.t).Leasekeeper, args...)
	command.Env = append(s.AWS.Env("operator"), "PATH="+os.Getenv("PATH"), "LEASEKEEPER_STREAM="+awslocal.Stream,
		"LEASEKEEPER_LEASE_DURATION="+shortLease.String())
	return command
}

// asked runs a verb, which must succeed: it has taken effect then.
func (s *system) asked(args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if out, err := s.tool(ctx, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("leasekeeper %v: %v\n%s", args, err, out)
	}
}

// worker returns the id that a task's leasekeeper works under, once it answers.
func (s *system) worker(task *cluster.Task) (id string) {
	s.t.Helper()
	s.until("the leasekeeper of "+task.Name+" answers", func() bool {
		status, err := task.Status(s.t.Context())
		id = status.Worker
		return err == nil && id != ""
	})
	return id
}

// TestOperate_Pause pauses a fleet under load by a tool that is killed half-way,
// replaces a task meanwhile, and resumes: nothing is read in between, and nothing
// is missing or stored twice afterwards. Then a worker is released and taken back.
func TestOperate_Pause(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	const count = 6_000
	tasks := s.startTasks(2)
	producer := s.produce(count, 300)
	s.until("messages are read", func() bool { return s.delivered() > 300 })

	half := s.tool(t.Context(), "pause")
	if err := half.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	if err := half.Process.Kill(); err != nil {
		t.Logf("the first pause had ended: %v", err)
	}
	_ = half.Wait()

	s.asked("pause")
	before := s.delivered()
	third := s.addTask()
	if err := tasks[1].Stop(stopTimeout); err != nil {
		t.Errorf("stop a task of a paused fleet: %v", err)
	}
	if got := s.delivered(); got != before {
		t.Errorf("got %d records read while paused, want none", got-before)
	}
	s.asked("resume")
	s.allRead()

	worker := s.worker(third)
	s.asked("release", worker)
	s.until("the released task reads nothing", func() bool { return !s.readers()[third.Name] && len(s.Readers(fresh)) >= 3 })
	s.asked("resume", worker)
	s.spread(2)
	s.finished(producer)
	s.verify(count)
	if got := s.overwrites(); got != 0 {
		t.Errorf("got %d items written again, want none: pauses and releases drain", got)
	}
}
