package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

const (
	shortLease   = 2 * time.Second
	defaultLease = 8 * time.Second // of the binary; used only to spread the kills
	load         = 100             // messages a second
)

type figure func(context.Context, bench) (string, error)

var (
	figures = map[string]figure{ //nolint:gochecknoglobals // constant
		"failover": failover, "crashes": crashes, "handoff": handoff, "deploy": deploy, "balance": balance, "reshard": reshard, "cost": cost, "kcl": library,
	}
	all = []string{"failover", "crashes", "handoff", "deploy", "balance", "reshard", "cost", "kcl"} //nolint:gochecknoglobals // constant
)

// bench makes the clusters that figures are taken on.
type bench struct {
	binaries build.Binaries
	scale    float64
}

func (b bench) runs(n int) int { return max(1, int(float64(n)*b.scale)) }

func say(line string) { fmt.Println("  " + line) }

// on runs a measurement on a cluster of its own, under load, where only the
// binaries limit anything.
func (b bench) on(ctx context.Context, o cluster.Options, tasks, rate int, do func(*cluster.Cluster) error) error {
	o.Binaries, o.NoLimits = b.binaries, true
	c, err := cluster.New(ctx, o)
	if c != nil {
		defer c.Close()
	}
	if err != nil {
		return err
	}
	if _, err := c.AddTasks(ctx, tasks); err != nil {
		return err
	}
	if rate > 0 {
		if _, err := c.StartProducer(0, rate); err != nil {
			return err
		}
	}
	if err := do(c); err != nil {
		return fmt.Errorf("%w (logs in %s)", err, c.LogDir)
	}
	c.RemoveLogs()
	return nil
}

type leaseCase struct {
	name   string
	lease  time.Duration // 0: the default
	shards int32         // 0: three
}

func leases() []leaseCase {
	return []leaseCase{{name: "8 s (default)"}, {name: "2 s", lease: shortLease}}
}

func failover(ctx context.Context, b bench) (string, error) {
	var s strings.Builder
	s.WriteString("## Failover after the loss of a task\n\nA whole task (leasekeeper and consumer) is killed with SIGKILL; the time until another task's first\n" +
		"successful GetRecords on each shard it had read. Three tasks, three shards, 100 messages a second.\n\n" +
		"`cd e2e && go run ./cmd/figures failover`\n\n| lease | kills | shards | min | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|---|---|\n")
	for _, l := range leases() {
		row, err := b.crash(ctx, measure.WholeTask, l, 50)
		if err != nil {
			return "", err
		}
		s.WriteString(row)
	}
	return s.String(), nil
}

func crashes(ctx context.Context, b bench) (string, error) {
	var s strings.Builder
	s.WriteString("## Failover after the loss of half a task\n\nOnly one of the two processes is killed and not started again; else as above.\n\n" +
		"`cd e2e && go run ./cmd/figures crashes`\n\n| killed, lease | kills | shards | min | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|---|---|\n")
	for _, crash := range []measure.Crash{measure.Leasekeeper, measure.Consumer} {
		for _, l := range leases() {
			l.name = string(crash) + ", " + l.name
			row, err := b.crash(ctx, crash, l, 20)
			if err != nil {
				return "", err
			}
			s.WriteString(row)
		}
	}
	return s.String(), nil
}

func (b bench) crash(ctx context.Context, crash measure.Crash, l leaseCase, runs int) (string, error) {
	var sample measure.Durations
	runs = b.runs(runs)
	phase := l.lease
	if phase == 0 {
		phase = defaultLease
	}
	err := b.on(ctx, cluster.Options{Lease: l.lease}, 3, load, func(c *cluster.Cluster) error {
		var err error
		sample, err = measure.Failovers(ctx, c, crash, runs, phase, say)
		return err
	})
	return fmt.Sprintf("| %s | %d | %s |\n", l.name, runs, sample.Row()), err
}

func handoff(ctx context.Context, b bench) (string, error) {
	return b.moved(ctx, "handoff", "Handoff", "One task, then three, then one again, under 400 messages a second, 5 rounds.", 1, leases(),
		func(c *cluster.Cluster, _ leaseCase) (measure.Moves, error) {
			return measure.Scale(ctx, c, b.runs(5), say)
		})
}

func deploy(ctx context.Context, b bench) (string, error) {
	many := leaseCase{name: "8 s (default), 30 shards", shards: 30}
	atOnce := leaseCase{name: "8 s (default), 30 shards, all at once", shards: 30}
	return b.moved(ctx, "deploy", "Deployment", "Three tasks, each replaced by a new one that is started first, under 400 messages a second, 5 rounds; on three\n"+
		"shards and on thirty. All at once: three new ones are started and, when they are ready, the three old ones stopped together.", 3, append(leases(), many, atOnce),
		func(c *cluster.Cluster, l leaseCase) (measure.Moves, error) {
			if l == atOnce {
				return measure.Replace(ctx, c, b.runs(5), say)
			}
			return measure.Deploy(ctx, c, b.runs(5), say)
		})
}

func balance(ctx context.Context, b bench) (string, error) {
	const tasks, shards, runs = 3, 30, 5
	var found measure.Balance
	for run := range b.runs(runs) {
		err := b.on(ctx, cluster.Options{Shards: shards}, 0, 0, func(c *cluster.Cluster) error {
			return found.Start(ctx, c, tasks)
		})
		if err != nil {
			return "", err
		}
		say(fmt.Sprintf("run %d: even after %s", run+1, measure.Text(found.Even[run])))
	}
	return fmt.Sprintf("## Balance after a start\n\nThree tasks started at once on 30 shards with nothing in them, at the default lease of 8 s. Near: no task reads more than\n"+
		"11 shards. Even: no two differ by more than one. Unread: the longest that a shard was not read, once it was.\n\n"+
		"`cd e2e && go run ./cmd/figures balance`\n\n| runs | near, median | longest | even, median | longest | unread, median | longest | moves a run |\n"+
		"|---|---|---|---|---|---|---|---|\n| %s |\n", found.String()), nil
}

// moved writes the table of a figure about leases that move in good order.
func (b bench) moved(ctx context.Context, name, title, what string, tasks int, cases []leaseCase, do func(*cluster.Cluster, leaseCase) (measure.Moves, error)) (string, error) {
	var s strings.Builder
	fmt.Fprintf(&s, "## %s\n\n%s\n\n`cd e2e && go run ./cmd/figures %s`\n\n| lease | what | n | min | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|---|---|\n", title, what, name)
	for _, l := range cases {
		var m measure.Moves
		err := b.on(ctx, cluster.Options{Lease: l.lease, Shards: l.shards}, tasks, 4*load, func(c *cluster.Cluster) error {
			var err error
			m, err = do(c, l)
			return err
		})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&s, "| %s | last read of the giver to first read of the taker | %s |\n", l.name, m.Gaps.Row())
		fmt.Fprintf(&s, "| | longest time unread, for each shard | %s |\n", m.Unread.Row())
		fmt.Fprintf(&s, "| | SIGTERM to exit | %s |\n", m.Took.Row())
		fmt.Fprintf(&s, "| | **messages handled twice: %d** | | | | | | |\n", m.Overwrites)
	}
	return s.String(), nil
}

func reshard(ctx context.Context, b bench) (string, error) {
	var s strings.Builder
	s.WriteString("## Resharding\n\nFrom the answer that ended a shard's last parent to the first GetRecords on the shard, by whichever task. Three\n" +
		"tasks, 400 messages a second, UpdateShardCount 3, 6, 3, 2 in turn, 3 rounds.\n\n" +
		"`cd e2e && go run ./cmd/figures reshard`\n\n| lease | children | min | p50 | p90 | p99 | max |\n|---|---|---|---|---|---|---|\n")
	for _, l := range leases() {
		var pauses measure.Durations
		err := b.on(ctx, cluster.Options{Lease: l.lease}, 3, 4*load, func(c *cluster.Cluster) error {
			for round := range b.runs(3) {
				for _, shards := range []int32{6, 3, 2, 3} {
					if err := measure.WaitOpenRead(ctx, c, time.Minute); err != nil {
						return err
					}
					if err := measure.Resize(ctx, c, shards); err != nil {
						return err
					}
				}
				say(fmt.Sprintf("round %d: 3, 6, 3, 2, 3", round+1))
			}
			if err := measure.WaitOpenRead(ctx, c, time.Minute); err != nil {
				return err
			}
			found, err := measure.Pauses(ctx, c)
			for _, p := range found {
				pauses = append(pauses, p.After)
			}
			return err
		})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&s, "| %s | %s |\n", l.name, pauses.Row())
	}
	return s.String(), nil
}
