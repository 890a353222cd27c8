package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/operate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/settings"
)

// fleet runs the verbs that ask something of the fleet; done: verb was one.
func fleet(verb string, args []string, stdout, stderr io.Writer) (code int, done bool) {
	switch {
	case verb == "rewind":
		return rewind(args[1:], stdout, stderr), true
	case verb == "release" && len(args) == 1:
		_, _ = fmt.Fprintln(stderr, "leasekeeper: release: want a worker, as leasekeeper workers shows them: leasekeeper release WORKER")
		return 2, true
	}
	if worker, yes := request(args); yes {
		return ask(verb, worker, stdout, stderr), true
	}
	return 0, false
}

// request tells whether args ask something of the fleet, and of which worker.
func request(args []string) (worker string, yes bool) {
	switch {
	case len(args) == 1:
		return "", args[0] == "pause" || args[0] == "resume"
	case len(args) == 2 && !strings.HasPrefix(args[1], "-"):
		return args[1], args[0] == "release" || args[0] == "resume"
	}
	return "", false
}

// ask asks something of the fleet; not in time is an exit code of 1.
func ask(verb, worker string, stdout, stderr io.Writer) int {
	return operating(stderr, func(ctx context.Context, s *config.Settings) error {
		return app.Operate(ctx, s, verb, worker, stdout)
	})
}

// rewind has leases read again; without --yes it only shows what that would be.
func rewind(args []string, stdout, stderr io.Writer) int {
	flags, said := flag.NewFlagSet("leasekeeper rewind", flag.ContinueOnError), &strings.Builder{}
	flags.SetOutput(said)
	to := flags.String("to", "", "TRIM_HORIZON, LATEST, an RFC 3339 time, or a sequence number\nafter which reading goes on")
	named := flags.String("shards", "", "shard ids, separated by commas, with what is below the finished\nones; all if empty")
	yes := flags.Bool("yes", false, "do it, instead of showing it")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, said.String())
		return 0
	case err != nil:
		_, _ = io.WriteString(stderr, said.String())
		return 2
	case flags.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "leasekeeper: rewind: %q is no flag: see leasekeeper rewind --help; shards are named by --shards a,b\n", flags.Arg(0))
		return 2
	}
	target, err := operate.ParseTarget(*to)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "leasekeeper: rewind --to:", operate.ErrTarget)
		return 2
	}
	var shards []string
	if *named != "" {
		shards = strings.Split(*named, ",")
	}
	return operating(stderr, func(ctx context.Context, s *config.Settings) error {
		return app.Rewind(ctx, s, target, shards, *yes, stdout)
	})
}

// operating runs what needs the settings, until it ends or a signal comes.
func operating(stderr io.Writer, do func(context.Context, *config.Settings) error) int {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := do(ctx, &s); err != nil {
		_, _ = fmt.Fprintln(stderr, "leasekeeper:", err)
		return 1
	}
	return 0
}
