// Package e2e_test runs the real binaries as processes and breaks them on
// purpose. Everything is judged from outside: by what is in the tables, by what
// reaches Kinesis, and by localaws's counters.
package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

const (
	shortLease   = 2 * time.Second
	fresh        = 2 * time.Second  // a read this long ago still counts as reading
	patience     = 60 * time.Second // for what should take a second or two
	stopTimeout  = 30 * time.Second
	sampleEvery  = 500 * time.Millisecond
	longVariable = "E2E_LONG"
)

// built builds the binaries once for all tests, or takes those of the folder
// E2E_BIN: released ones, or ones that were broken on purpose.
var built = sync.OnceValues(func() (build.Binaries, error) {
	if dir := os.Getenv("E2E_BIN"); dir != "" {
		return build.In(dir), nil
	}
	return build.All(context.Background(), build.Options{Race: racing()})
})

// TestMain runs more tests side by side than there are processors, unless
// -parallel says how many or a race detector takes them: mostly they wait for
// processes that wait.
func TestMain(m *testing.M) {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if !told && !racing() && !raced() {
		if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// raced tells whether this test is built with the race detector.
func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// racing tells whether the binaries are built with the race detector.
func racing() bool { return os.Getenv("E2E_RACE") != "" }

// binaries returns the built binaries, or skips where a module is not there.
func binaries(t *testing.T) build.Binaries {
	t.Helper()
	b, err := built()
	if errors.Is(err, build.ErrNoSource) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// long skips a test that takes minutes unless it was asked for.
func long(t *testing.T) {
	t.Helper()
	if os.Getenv(longVariable) == "" {
		t.Skipf("skipped: takes minutes; set %s=1 to run it", longVariable)
	}
}

// system is a cluster under test, with the checks every test makes.
type system struct {
	*cluster.Cluster
	t       *testing.T
	lease   time.Duration
	order   *verify.Order
	records *verify.StreamReader
	stop    func() // the sampling of checkpoints
	few     bool   // samples are not demanded
}

// start makes a cluster whose checkpoints are watched from the first moment.
func start(t *testing.T, o cluster.Options) *system {
	t.Helper()
	o.Binaries = binaries(t)
	c, err := cluster.New(t.Context(), o)
	if c != nil {
		t.Cleanup(func() {
			c.Close()
			if racing() {
				races(t, c.LogDir)
			}
			if t.Failed() {
				t.Logf("logs of the processes: %s", c.LogDir)
			} else {
				c.RemoveLogs()
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &system{Cluster: c, t: t, lease: max(o.Lease, shortLease), records: verify.NewStreamReader(c.AWS.Kinesis, awslocal.Stream)}
	s.order = &verify.Order{
		DynamoDB: c.AWS.DynamoDB, LeaseTable: awslocal.LeaseTable, Messages: awslocal.MessagesTable,
		Records: verify.NewStreamReader(c.AWS.Kinesis, awslocal.Stream),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.order.Run(ctx, sampleEvery) }()
	s.stop = func() { cancel(); <-done }
	t.Cleanup(s.stop)
	return s
}

// races fails the test for every data race that a process has reported.
func races(t *testing.T, logs string) {
	files, err := filepath.Glob(filepath.Join(logs, "*.log"))
	if err != nil || len(files) == 0 {
		t.Errorf("got %d logs, %v, want some", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || strings.Contains(string(text), "DATA RACE") {
			t.Errorf("data race in %s, or no way to tell (%v)", file, err)
		}
	}
}

// startTasks starts n tasks and waits until every shard is read.
func (s *system) startTasks(n int) []*cluster.Task {
	s.t.Helper()
	tasks, err := s.AddTasks(s.t.Context(), n)
	if err != nil {
		s.t.Fatal(err)
	}
	s.allRead()
	return tasks
}

func (s *system) addTask() *cluster.Task {
	s.t.Helper()
	task, err := s.AddTask(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return task
}

// produce starts a producer.
func (s *system) produce(count, rate int) *proc.Process {
	s.t.Helper()
	p, err := s.StartProducer(count, rate)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// until waits for something that should come soon.
func (s *system) until(what string, ok func() bool) {
	s.t.Helper()
	if err := cluster.Until(s.t.Context(), patience, what, ok); err != nil {
		s.t.Fatal(err)
	}
}

// allRead waits until every open shard of a stream of three is read.
func (s *system) allRead() {
	s.t.Helper()
	s.until("all shards are read", func() bool { return len(s.Readers(fresh)) >= 3 })
}

// spread waits until n tasks read shards.
func (s *system) spread(n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d tasks read", n), func() bool { return len(s.readers()) == n })
}

func (s *system) readers() map[string]bool {
	out := map[string]bool{}
	for _, task := range s.Readers(fresh) {
		out[task] = true
	}
	return out
}

// finished waits for a producer that ends by itself.
func (s *system) finished(p *proc.Process) {
	s.t.Helper()
	if err := p.Wait(2 * patience); err != nil {
		s.t.Fatal(err)
	}
	if code := p.ExitCode(); code != 0 {
		s.t.Fatalf("producer exited with %d\n%s", code, p.Tail(20))
	}
}

// verify waits until at least atLeast messages, and everything else that is in
// the stream, are stored, and fails the test for anything that is missing, there
// twice, given up, or out of order.
func (s *system) verify(atLeast int) verify.Report {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	read := func(ctx context.Context) (verify.Report, error) {
		return verify.Tables(ctx, s.records, s.AWS.DynamoDB, awslocal.MessagesTable, awslocal.DeadLetterTable)
	}
	report, err := verify.WaitStored(ctx, atLeast, 200*time.Millisecond, read)
	if err != nil {
		s.t.Fatal(err)
	}
	if !report.Clean() {
		s.t.Errorf("got %s, want every record stored once", report)
	}
	s.until("checkpoints were read", func() bool { // by a short test, for the first time
		_, _, samples := s.order.Breaches()
		return samples > 0 || s.few
	})
	s.stop()
	if err := s.order.Sample(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	if err := s.order.Enough(); err != nil && !s.few {
		s.t.Error(err)
	}
	breaches, details, samples := s.order.Breaches()
	if breaches > 0 {
		s.t.Errorf("got %d breaches of the checkpoint order, want none: %v", breaches, details)
	}
	for _, h := range s.Tap.Alternations(s.lease / 4) {
		s.t.Errorf("%s was read by %s and %s in turns", h.Shard, h.From, h.To)
	}
	s.t.Logf("%s; %d samples of the checkpoints", report, samples)
	return report
}

// overwrites returns how many items were written again.
func (s *system) overwrites() int64 {
	s.t.Helper()
	counters, err := s.AWS.Admin.Counters(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return counters.Tables[awslocal.MessagesTable].Overwrites
}
