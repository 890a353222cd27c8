package e2e_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

// longestPause is for a machine that does other things too; the figure is in
// docs/RELIABILITY.md.
const longestPause = 5 * time.Second

// TestReshard splits, merges and resizes a stream under load, several
// generations deep, and kills a task on the way. The stream is UPDATING for a
// while after each, as the service's is, and listed as before for a part of it; it is
// read all the same.
func TestReshard(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	s.clockwork(awslocal.Clockwork{TransitionMS: 1_000, ListingLagMS: 800})
	s.startTasks(3)
	producer := s.produce(0, 400)
	s.spread(3)
	s.split("shardId-000000000000")
	s.openRead()
	s.merge("shardId-000000000003", "shardId-000000000004")
	s.openRead()
	s.judgePauses("split and merge")
	s.resize(6)
	s.openRead()
	s.judgePauses("3 to 6")
	s.Tasks()[2].Kill()
	for _, shards := range []int32{3, 2} { // Kinesis halves at most
		s.resize(shards)
		s.openRead()
	}
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
	if _, err := measure.Pauses(t.Context(), s.Cluster); err != nil {
		t.Error(err)
	}
}

func (s *system) clockwork(c awslocal.Clockwork) {
	s.t.Helper()
	if err := s.AWS.Admin.SetClockwork(s.t.Context(), c); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) split(shard string) {
	s.t.Helper()
	shards, err := measure.Shards(s.t.Context(), s.Cluster)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, candidate := range shards {
		if *candidate.ShardId != shard {
			continue
		}
		middle := halfway(*candidate.HashKeyRange.StartingHashKey, *candidate.HashKeyRange.EndingHashKey)
		_, err = s.AWS.Kinesis.SplitShard(s.t.Context(), &kinesis.SplitShardInput{
			StreamName: aws.String(awslocal.Stream), ShardToSplit: &shard, NewStartingHashKey: &middle,
		})
	}
	if err == nil {
		err = s.AWS.WaitStream(s.t.Context(), awslocal.Stream)
	}
	if err != nil {
		s.t.Fatal(fmt.Errorf("split %s: %w", shard, err))
	}
}

func halfway(from, to string) string {
	a, _ := new(big.Int).SetString(from, 10)
	b, _ := new(big.Int).SetString(to, 10)
	middle := new(big.Int).Add(a, b)
	return middle.Rsh(middle, 1).String()
}

func (s *system) merge(a, b string) {
	s.t.Helper()
	_, err := s.AWS.Kinesis.MergeShards(s.t.Context(), &kinesis.MergeShardsInput{
		StreamName: aws.String(awslocal.Stream), ShardToMerge: &a, AdjacentShardToMerge: &b,
	})
	if err == nil {
		err = s.AWS.WaitStream(s.t.Context(), awslocal.Stream)
	}
	if err != nil {
		s.t.Fatal(fmt.Errorf("merge %s and %s: %w", a, b, err))
	}
}

func (s *system) resize(shards int32) {
	s.t.Helper()
	if err := measure.Resize(s.t.Context(), s.Cluster, shards); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) openRead() {
	s.t.Helper()
	if err := measure.WaitOpenRead(s.t.Context(), s.Cluster, patience); err != nil {
		s.t.Fatal(err)
	}
}

// judgePauses checks that children were read after their parents, and soon.
func (s *system) judgePauses(what string) {
	s.t.Helper()
	pauses, err := measure.Pauses(s.t.Context(), s.Cluster)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(pauses) == 0 {
		s.t.Errorf("%s: got no child that was read, want some", what)
	}
	all := make(measure.Durations, 0, len(pauses))
	for _, p := range pauses {
		all = append(all, p.After)
		if p.After < 0 || p.After > longestPause {
			s.t.Errorf("%s: %s was first read %s after its parents' end, want between 0 and %s", what, p.Child, p.After, longestPause)
		}
	}
	s.t.Logf("%s: pauses so far n | min | p50 | p90 | p99 | max = %s", what, all.Row())
}
