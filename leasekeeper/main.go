// Leasekeeper decides with its peers, through DynamoDB alone, which task reads
// which shard of a Kinesis stream, grants shards to the consumer beside it and
// keeps its checkpoints.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/logging"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/settings"
)

// version is set by -ldflags "-X main.version=…".
var version = "dev"

const help = `leasekeeper: shares the shards of a Kinesis stream out among tasks.

usage: leasekeeper              run, until SIGTERM or SIGINT
       leasekeeper leases       every shard: owner, checkpoint, lag, problems
       leasekeeper workers      every worker likewise
       leasekeeper pause        every worker keeps its leases and reads nothing
       leasekeeper resume       the fleet reads again
       leasekeeper release WORKER
                                that worker hands over everything, takes nothing
       leasekeeper resume WORKER
                                and takes part again
       leasekeeper rewind --to TIME|SEQUENCE|TRIM_HORIZON|LATEST
                          [--shards a,b] [--yes]
                                shows what would be read again; --yes: reads it
       leasekeeper healthcheck  ask the running leasekeeper's /healthz
       leasekeeper settings     the table of settings (Markdown)
       leasekeeper version      the version
       leasekeeper help         this text

leases, workers, settings and version take --json. Settings come from the
environment: LEASEKEEPER_…, and the AWS SDK's own.
leases and workers only read. They watch for half the fleet's lease duration D,
for D/4 and a checkpoint interval where that is longer: 4 s at D = 8 s.
pause, resume, release and rewind write a request which the workers carry out,
and wait until they have.
Exit codes: 0 done, 1 failed (leases, workers: or something is wrong;
requests: or not in time), 2 bad settings or usage.
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if asksHelp(args) {
		args = []string{"help"}
	}
	verb := ""
	if len(args) > 0 {
		verb = args[0]
	}
	if code, done := fleet(verb, args, stdout, stderr); done {
		return code
	}
	asJSON := len(args) == 2 && args[1] == "--json"
	var err error
	switch {
	case len(args) > 1 && !asJSON:
		return unknown(stderr, args)
	case verb == "":
		return serve(stdout, stderr)
	case verb == "leases" || verb == "workers":
		return inspect(verb, asJSON, stdout, stderr)
	case verb == "healthcheck" && !asJSON:
		return healthcheck(stderr)
	case verb == "version":
		err = printVersion(stdout, asJSON)
	case verb == "settings":
		err = table(stdout, asJSON)
	case verb == "help":
		_, err = io.WriteString(stdout, help)
	default:
		return unknown(stderr, args)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "leasekeeper:", err)
		return 1
	}
	return 0
}

// asksHelp tells whether args are --help, alone or after a verb of the usage.
// rewind answers it by itself: it has flags.
func asksHelp(args []string) bool {
	switch {
	case len(args) == 0 || args[0] == "rewind":
		return false
	case len(args) == 1:
		return isHelp(args[0])
	}
	return strings.Contains(help, "leasekeeper "+args[0]+" ") && slices.ContainsFunc(args[1:], isHelp)
}

func isHelp(arg string) bool { return arg == "-h" || arg == "--help" }

func printVersion(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]string{"name": "leasekeeper", "version": version})
	}
	_, err := fmt.Fprintln(w, version)
	return err
}

func unknown(stderr io.Writer, args []string) int {
	_, _ = fmt.Fprintf(stderr, "leasekeeper: unknown verb %q\n\n%s", strings.Join(args, " "), help)
	return 2
}

func serve(stdout, stderr io.Writer) int {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	log := logging.New(stderr, s.LogLevel, s.LogFormat, isTerminal(stderr), "leasekeeper", version)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := app.Run(ctx, &s, version, stdout, log); err != nil {
		log.Error().Msg(err.Error())
		return 1
	}
	return 0
}

// inspect reports on the tables; what is wrong with them is an exit code of 1.
func inspect(verb string, asJSON bool, stdout, stderr io.Writer) int {
	return operating(stderr, func(ctx context.Context, s *config.Settings) error {
		return app.Inspect(ctx, s, verb, asJSON, stdout)
	})
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// healthcheck is for images without a shell: it asks /healthz of this setting's address.
func healthcheck(stderr io.Writer) int {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	if err := askHealthz(s.Listen); err != nil {
		_, _ = fmt.Fprintln(stderr, "leasekeeper:", err)
		return 1
	}
	return 0
}

func askHealthz(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("read address: %w", err)
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("ask healthz: %w", err)
	}
	client := http.Client{Transport: &http.Transport{}} // without a proxy, whatever there is for AWS
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask healthz: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz answers %s", response.Status)
	}
	return nil
}

func table(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(settings.List(config.Prefix, &config.Settings{}))
	}
	return settings.WriteTable(w, config.Prefix, &config.Settings{})
}
