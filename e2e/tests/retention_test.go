package e2e_test

import (
	"bufio"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

const (
	trimmedShard = "shardId-000000000000"
	openShard    = "shardId-000000000001"
	openShards   = 2              // of those that were read before
	aDayAndMore  = 25 * time.Hour // the stream keeps records for 24 h
)

// TestRetention_ParentTrimmed stops all tasks for longer than the stream's
// retention, with a shard read in part and split meanwhile. The tasks that come
// back find it gone: they say so, finish it, read its children and delete its row.
// Of a shard that is still open they say that its checkpoint is gone.
func TestRetention_ParentTrimmed(t *testing.T) {
	t.Parallel()
	const each = 300
	s := start(t, cluster.Options{Lease: shortLease})
	s.startTasks(1)
	s.finished(s.produce(each, 0))
	s.verify(each)
	s.until("every shard has a checkpoint", func() bool {
		for _, row := range s.leases() {
			if row.Checkpoint == "TRIM_HORIZON" {
				return false
			}
		}
		return true
	})
	s.Tasks()[0].Kill()

	s.finished(s.produce(each, 0)) // never read
	s.split(trimmedShard)
	if err := s.AWS.Admin.AdvanceKinesis(t.Context(), aDayAndMore); err != nil {
		t.Fatal(err)
	}
	s.finished(s.produce(each, 0))
	task := s.addTask()
	s.openRead()
	s.stored(2 * each)
	leasekeeper, consumer := task.URLs()
	s.said(task.Leasekeeper(), "trimmed away before it was read to its end", trimmedShard)
	s.until("the metric counts it", func() bool { return s.metric(leasekeeper, "leasekeeper_shards_trimmed_total") == 1 })
	s.said(task.Consumer(), "the checkpoint's record was trimmed away", openShard)
	s.until("the metric counts it", func() bool { return s.metric(consumer, "consumer_checkpoints_trimmed_total") == openShards })

	// Rows go with a later sync: a split makes one.
	s.split(openShard)
	s.openRead()
	s.until("its row is deleted", func() bool { return !slices.Contains(s.leaseRows(), trimmedShard) })
	s.finished(s.produce(each, 0))
	s.stored(3 * each)
}

// stored waits until so many messages are in the table, and no more.
func (s *system) stored(want int) {
	s.t.Helper()
	count := 0
	s.until("everything the stream still has is stored", func() bool {
		var err error
		count, err = verify.CountItems(s.t.Context(), s.AWS.DynamoDB, awslocal.MessagesTable)
		return err == nil && count >= want
	})
	if count != want {
		s.t.Errorf("got %d messages stored, want %d", count, want)
	}
}

// said waits until a process logs a line with all of the words.
func (s *system) said(p *proc.Process, words ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	_, err := p.WaitLine(ctx, false, func(line string) bool {
		for _, word := range words {
			if !strings.Contains(line, word) {
				return false
			}
		}
		return true
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// metric returns a series of the process at a URL, or -1 if it is not there.
func (s *system) metric(url, name string) float64 {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return -1
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return value
		}
	}
	return -1
}

// leaseRows returns the shards that have a row.
func (s *system) leaseRows() []string {
	s.t.Helper()
	return slices.Collect(maps.Keys(s.leases()))
}
