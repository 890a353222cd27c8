package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/kcl"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

const (
	libraryFailover = 10 * time.Second // its default; used only to spread the kills
	libraryPatience = 8 * time.Minute  // it is slow to find the leases of its leader
	libraryStart    = 10 * time.Second // from a worker's start to the stop of the one it replaces
	libraryFresh    = 5 * time.Second  // it polls once a second
)

// Library is a fleet of workers of the Kinesis Client Library on a cluster,
// beside which the same is measured of ours.
type Library struct {
	Cluster *cluster.Cluster
	Dir     string // of kcl.Build

	workers []*proc.Process
}

// Add starts n more workers.
func (l *Library) Add(n int) error {
	for range n {
		name := fmt.Sprintf("kcl%d-worker", len(l.workers)+1)
		w, err := kcl.Store{
			Dir: l.Dir, Name: name, Stream: awslocal.Stream, Application: awslocal.LeaseTable, Table: awslocal.MessagesTable,
			KinesisURL: l.Cluster.Tap.URL, Env: l.Cluster.AWS.Env(name), LogDir: l.Cluster.LogDir,
		}.Start()
		if err != nil {
			return err
		}
		l.workers = append(l.workers, w)
	}
	return nil
}

// Workers returns every worker there has been.
func (l *Library) Workers() []*proc.Process { return l.workers }

// Close kills every worker.
func (l *Library) Close() {
	for _, w := range l.workers {
		w.Kill()
	}
}

// Failovers kills a worker that reads, `runs` times, and returns what Failovers
// returns of a task of ours.
func (l *Library) Failovers(ctx context.Context, runs int, report func(string)) (Durations, error) {
	var all Durations
	for run := range runs {
		if err := l.allRead(ctx); err != nil {
			return all, err
		}
		if err := wait(ctx, time.Duration(rand.Int64N(int64(libraryFailover)))); err != nil {
			return all, err
		}
		victim, shards := l.busiest()
		if victim == nil {
			return all, errors.New("measure failover of the library: no worker reads")
		}
		killed := time.Now()
		victim.Kill()
		err := cluster.Until(ctx, libraryPatience, "others read what "+victim.Name()+" read", func() bool {
			return len(l.Cluster.Tap.Takeovers(killed, victim.Name(), shards)) == len(shards)
		})
		if err != nil {
			return all, err
		}
		taken := l.Cluster.Tap.Takeovers(killed, victim.Name(), shards)
		for _, t := range taken {
			all = append(all, t.After)
		}
		report(fmt.Sprintf("run %d: %s killed, %d shards read again after %s", run+1, victim.Name(), len(shards), Text(cluster.Slowest(taken))))
		if err := l.Add(1); err != nil {
			return all, err
		}
	}
	return all, nil
}

// Deploy replaces every worker once, a new one first.
func (l *Library) Deploy(ctx context.Context) (Moves, error) {
	return moves(ctx, l.Cluster, func() error { return l.allRead(ctx) }, func(m *Moves) error {
		for _, old := range l.running() {
			if err := l.Add(1); err != nil {
				return err
			}
			if err := wait(ctx, libraryStart); err != nil {
				return err
			}
			asked := time.Now()
			if err := old.Stop(2 * settle); err != nil {
				return err
			}
			m.Took = append(m.Took, time.Since(asked))
			if err := l.allRead(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *Library) running() []*proc.Process {
	var out []*proc.Process
	for _, w := range l.workers {
		if w.Running() {
			out = append(out, w)
		}
	}
	return out
}

func (l *Library) allRead(ctx context.Context) error {
	var err error
	waited := cluster.Until(ctx, libraryPatience, "every shard is read", func() bool {
		var open []string
		if open, err = Open(ctx, l.Cluster); err != nil {
			return true
		}
		return len(l.Cluster.Readers(libraryFresh)) == len(open)
	})
	return errors.Join(err, waited)
}

// busiest is the worker that reads most shards.
func (l *Library) busiest() (*proc.Process, []string) {
	reads := map[string][]string{}
	for shard, by := range l.Cluster.Readers(libraryFresh) {
		reads[by+"-worker"] = append(reads[by+"-worker"], shard)
	}
	var busiest *proc.Process
	for _, w := range l.running() {
		if busiest == nil || len(reads[w.Name()]) > len(reads[busiest.Name()]) {
			busiest = w
		}
	}
	if busiest == nil || len(reads[busiest.Name()]) == 0 {
		return nil, nil
	}
	return busiest, reads[busiest.Name()]
}
