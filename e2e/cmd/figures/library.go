package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/kcl"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

const (
	libraryVersion = "3.5.1"
	libraryKills   = 10
	backlog        = 600_000 // messages of backlogSize bytes
	backlogSize    = 100
	backlogRounds  = 3
)

// library measures the Kinesis Client Library and us, one after the other, on
// the same machine, stream and tables, doing the same work.
func library(ctx context.Context, b bench) (string, error) {
	root, err := build.Root()
	if err != nil {
		return "", err
	}
	dir, err := kcl.Build(ctx, root, libraryVersion)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	fmt.Fprintf(&s, "## Beside the Kinesis Client Library\n\nVersion %s of the library, the program in `e2e/kcl` (KclStore.java: an item a message by BatchWriteItem, a\n"+
		"checkpoint a batch; every setting of the library its default, a heap of 512 MB), and our task at its defaults, on the same stream and\n"+
		"tables, one after the other in one run. Needs Java 17 and Maven.\n\n"+
		"`cd e2e && go run ./cmd/figures kcl`\n\n| what | who | n | min | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|---|---|\n", libraryVersion)
	for _, part := range []func(context.Context, bench, string, *strings.Builder) error{libraryCrash, libraryDeploy, libraryWork} {
		if err := part(ctx, b, dir, &s); err != nil {
			return "", err
		}
	}
	return s.String(), nil
}

// with runs a measurement on a fleet of three of the library's workers.
func (b bench) with(ctx context.Context, dir string, rate int, do func(*measure.Library) error) error {
	return b.on(ctx, cluster.Options{}, 0, rate, func(c *cluster.Cluster) error {
		l := &measure.Library{Cluster: c, Dir: dir}
		defer l.Close()
		if err := l.Add(3); err != nil {
			return err
		}
		return do(l)
	})
}

func libraryCrash(ctx context.Context, b bench, dir string, s *strings.Builder) error {
	runs := b.runs(libraryKills)
	var theirs, ours measure.Durations
	err := b.with(ctx, dir, load, func(l *measure.Library) error {
		var err error
		theirs, err = l.Failovers(ctx, runs, say)
		return err
	})
	if err != nil {
		return err
	}
	err = b.on(ctx, cluster.Options{}, 3, load, func(c *cluster.Cluster) error {
		var err error
		ours, err = measure.Failovers(ctx, c, measure.WholeTask, runs, defaultLease, say)
		return err
	})
	fmt.Fprintf(s, "| a task killed with SIGKILL, until another one's first read of each of its shards (%d kills) | KCL | %s |\n| | ours | %s |\n", runs, theirs.Row(), ours.Row())
	return err
}

func libraryDeploy(ctx context.Context, b bench, dir string, s *strings.Builder) error {
	var theirs, ours measure.Moves
	err := b.with(ctx, dir, load, func(l *measure.Library) error {
		var err error
		theirs, err = l.Deploy(ctx)
		return err
	})
	if err != nil {
		return err
	}
	err = b.on(ctx, cluster.Options{}, 3, load, func(c *cluster.Cluster) error {
		var err error
		ours, err = measure.Deploy(ctx, c, 1, say)
		return err
	})
	fmt.Fprintf(s, "| a deployment of three tasks: longest time unread, for each shard | KCL | %s |\n| | ours | %s |\n", theirs.Unread.Row(), ours.Unread.Row())
	fmt.Fprintf(s, "| … SIGTERM to exit | KCL | %s |\n| | ours | %s |\n", theirs.Took.Row(), ours.Took.Row())
	fmt.Fprintf(s, "| … messages handled twice | KCL | %d | | | | | |\n| | ours | %d | | | | | |\n", theirs.Overwrites, ours.Overwrites)
	return err
}

// libraryWork drains the same backlog with one task of each, in turns, and
// tells the medians.
func libraryWork(ctx context.Context, b bench, dir string, s *strings.Builder) error {
	var theirs, ours []measure.Work
	count := b.runs(backlog)
	for range backlogRounds {
		for _, side := range []struct {
			into  *[]measure.Work
			start func(*cluster.Cluster) ([]*proc.Process, error)
		}{
			{&theirs, func(c *cluster.Cluster) ([]*proc.Process, error) {
				l := &measure.Library{Cluster: c, Dir: dir}
				err := l.Add(1)
				return l.Workers(), err
			}},
			{&ours, func(c *cluster.Cluster) ([]*proc.Process, error) {
				t, err := c.AddTask(ctx)
				return []*proc.Process{t.Consumer(), t.Leasekeeper()}, err
			}},
		} {
			err := b.on(ctx, cluster.Options{}, 0, 0, func(c *cluster.Cluster) error {
				if err := measure.Fill(ctx, c, count, backlogSize); err != nil {
					return err
				}
				w, err := measure.Drain(ctx, c, int64(count), func() ([]*proc.Process, error) { return side.start(c) })
				*side.into = append(*side.into, w)
				say(fmt.Sprintf("%d messages: %s of processor time, %s, %d MB", count, measure.Text(w.CPU), measure.Text(w.Took), w.PeakRSS>>20))
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(s, "\nA backlog of %d messages of %d bytes on 3 shards, drained by one task into the table: medians of %d runs in turns, each from\n"+
		"the start of the process to its end, so a JVM's start and warming up count.\n\n"+
		"| who | processor time | messages/CPU-s | from start to the last item | peak resident memory |\n|---|---|---|---|---|\n", count, backlogSize, backlogRounds)
	for _, row := range []struct {
		who string
		all []measure.Work
	}{{"KCL", theirs}, {"ours, both processes", ours}} {
		m := median(row.all)
		fmt.Fprintf(s, "| %s | %s | %.0f | %s | %d MB |\n", row.who, measure.Text(m.CPU), float64(count)/m.CPU.Seconds(), measure.Text(m.Took), m.PeakRSS>>20)
	}
	return nil
}

// median takes the median of each figure by itself.
func median(all []measure.Work) measure.Work {
	var cpu, took, rss measure.Durations
	for _, w := range all {
		cpu, took, rss = append(cpu, w.CPU), append(took, w.Took), append(rss, time.Duration(w.PeakRSS))
	}
	return measure.Work{CPU: cpu.Quantile(0.5), Took: took.Quantile(0.5), PeakRSS: int64(rss.Quantile(0.5))}
}
