package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/kcl"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

const (
	kclVersions = "E2E_KCL" // versions of the library, separated by commas
	kclFailover = 3 * time.Second
	kclPatience = 2 * time.Minute // a JVM starts, and the library is slow to find leases
)

// TestKCL_RoundTrip takes a stream over from the real Kinesis Client Library
// and gives it back, on the library's own lease table, while messages flow:
// nothing is missing, and while one side lives the other reads nothing.
func TestKCL_RoundTrip(t *testing.T) {
	versions := os.Getenv(kclVersions)
	if versions == "" {
		t.Skipf("skipped: needs Java and Maven and takes minutes; set %s=3.5.1,1.15.3 to run it", kclVersions)
	}
	for _, version := range strings.Split(versions, ",") {
		t.Run(version, func(t *testing.T) { roundTrip(t, version, "PRODUCER_AGGREGATE=false") })
		t.Run(version+" aggregated", func(t *testing.T) { roundTrip(t, version, "PRODUCER_AGGREGATE=true") })
	}
}

func roundTrip(t *testing.T, version, aggregate string) {
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := kcl.Build(t.Context(), root, version)
	if errors.Is(err, kcl.ErrUnavailable) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &roundTripper{system: start(t, cluster.Options{Lease: shortLease, Env: []string{"LEASEKEEPER_FOREIGN_WAIT=6s"}}), dir: dir}
	r.stop() // the library's messages are in no table: checkpoints cannot be judged by it
	producer, err := r.StartProducer(0, 100, aggregate)
	if err != nil {
		t.Fatal(err)
	}

	first := r.library("kcl-first")
	r.sees(first, 300)
	task := r.addTask() // while the library lives
	r.waits(task, first)
	r.stopped(first)
	r.until("the task stores messages", func() bool { return len(r.items()) >= 300 })
	r.split("shardId-000000000000")
	r.until("the task stores messages of both children", func() bool {
		newest := r.newest() // one that was read and has nothing stored is rightly given back at TRIM_HORIZON
		return newest["shardId-000000000003"] != "" && newest["shardId-000000000004"] != ""
	})
	if err := task.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	r.checkpointed()
	last := r.library("kcl-last")
	r.sees(last, 300)
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	r.judge(acknowledged(t, producer), first, last)
}

// acknowledged is how many messages, numbered from 0, the producer put.
func acknowledged(t *testing.T, producer *proc.Process) int64 {
	t.Helper()
	var account struct{ Accepted, Acknowledged int64 }
	if err := json.Unmarshal([]byte(producer.Stdout()), &account); err != nil || account.Acknowledged != account.Accepted {
		t.Fatalf("got account %q (%v), want all acknowledged", producer.Stdout(), err)
	}
	return account.Acknowledged
}

type roundTripper struct {
	*system
	dir string
}

// library starts a worker of the library on the lease table.
func (r *roundTripper) library(name string) *kcl.Worker {
	r.t.Helper()
	w, err := kcl.Start(r.dir, name, awslocal.Stream, awslocal.LeaseTable, kclFailover, r.AWS.Env(name), r.LogDir)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(w.Kill)
	return w
}

func (r *roundTripper) seen(w *kcl.Worker) kcl.Seen {
	r.t.Helper()
	s, err := w.Seen()
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *roundTripper) sees(w *kcl.Worker, count int) {
	r.t.Helper()
	err := cluster.Until(r.t.Context(), kclPatience, "the library processes messages", func() bool {
		return !w.Running() || len(r.seen(w).Numbers) >= count
	})
	if err != nil || !w.Running() {
		r.t.Fatalf("%s: %v\n%s", w.Name(), err, w.Tail(30))
	}
}

func (r *roundTripper) items() verify.Items {
	r.t.Helper()
	items, err := verify.ScanMessages(r.t.Context(), r.AWS.DynamoDB, awslocal.MessagesTable)
	if err != nil {
		r.t.Fatal(err)
	}
	return items
}

// newest returns the newest sequence number of each shard that the task has stored.
func (r *roundTripper) newest() map[string]string {
	r.t.Helper()
	newest, err := verify.Newest(r.t.Context(), r.AWS.DynamoDB, awslocal.MessagesTable)
	if err != nil {
		r.t.Fatal(err)
	}
	return newest
}

// checkpointed checks that the task, which has stopped gracefully, left checkpoints
// at exactly what it has stored.
func (r *roundTripper) checkpointed() {
	r.t.Helper()
	rows, err := verify.ScanLeases(r.t.Context(), r.AWS.DynamoDB, awslocal.LeaseTable)
	if err != nil {
		r.t.Fatal(err)
	}
	newest := r.newest()
	for _, row := range rows {
		if at := newest[row.Shard]; at != "" && row.Checkpoint != at && row.Checkpoint != verify.ShardEnd {
			r.t.Errorf("the task left the checkpoint of %s at %s, want %s, which it has stored", row.Shard, row.Checkpoint, at)
		}
	}
}

// waits checks that the task says what it waits for and takes nothing while the
// library goes on.
func (r *roundTripper) waits(task *cluster.Task, library *kcl.Worker) {
	r.t.Helper()
	url, _ := task.URLs()
	r.until("the leasekeeper says that it waits for the library", func() bool {
		reason := statusReason(r.t.Context(), url)
		return strings.Contains(reason, "KCL") || strings.Contains(reason, "Kinesis Client Library")
	})
	r.sees(library, len(r.seen(library).Numbers)+500) // five seconds of messages
	if got := len(r.items()); got != 0 {
		r.t.Errorf("got %d messages stored while the library was alive, want none", got)
	}
}

func statusReason(ctx context.Context, url string) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/status", nil)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	var status struct{ Reason string }
	_ = json.NewDecoder(response.Body).Decode(&status) // no answer is no reason
	return status.Reason
}

func (r *roundTripper) stopped(w *kcl.Worker) {
	r.t.Helper()
	err := w.Stop(stopTimeout)
	if err != nil && !errors.Is(err, proc.ErrExited) {
		r.t.Fatalf("stop %s: %v\n%s", w.Name(), err, w.Tail(30))
	}
}

// judge waits until every one of total messages was handled by one of the three,
// and counts those that were handled by more than one.
func (r *roundTripper) judge(total int64, first, last *kcl.Worker) {
	r.t.Helper()
	stored, missing, twice := r.items().Numbers(), 0, 0
	count := func() bool {
		a, b := r.seen(first), r.seen(last)
		missing, twice = 0, 0
		for number := range total {
			handled := min(1, a.Numbers[number]) + min(1, stored[number]) + min(1, b.Numbers[number])
			missing += max(0, 1-handled)
			twice += max(0, handled-1)
		}
		return missing == 0
	}
	if err := cluster.Until(r.t.Context(), kclPatience, "every message was handled", count); err != nil {
		r.t.Fatalf("%v: %d of %d messages are missing\n%s", err, missing, total, last.Tail(30))
	}
	if twice != 0 {
		r.t.Errorf("got %d of %d messages handled by two sides, want none: both stop gracefully", twice, total)
	}
	started := r.seen(last).Started
	if started["shardId-000000000003"] == "" || started["shardId-000000000004"] == "" {
		r.t.Errorf("got %v, want the library to read the children we found", started)
	}
	for shard, from := range started {
		if strings.Trim(from, "0123456789") != "" && from != verify.ShardEnd { // version 1 begins finished shards too
			r.t.Errorf("the library began %s at %s, want our checkpoint", shard, from)
		}
	}
	r.stopped(last)
	r.t.Logf("%d messages: library %d, task %d, library again %d; %d by two sides",
		total, len(r.seen(first).Numbers), len(stored), len(r.seen(last).Numbers), twice)
}
