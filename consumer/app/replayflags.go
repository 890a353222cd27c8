package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/replay"
)

const replayHelp = `consumer replay handles every message that arrived at the stream CONSUMER_STREAM
within a span of time once more, with the settings of the environment, and ends
by itself. It holds no lease and writes no checkpoint, so it may run beside
consumers; items are written under the same ids. Messages come in the order of
their partition keys, and with generation 0.

  consumer replay --from TIME [--until TIME] [--shard ID]... [--json]
  consumer replay --resume SUMMARY [--json]

  --from TIME    RFC 3339 (2026-11-23T12:00:00Z), how long ago (2h30m), or
                 TRIM_HORIZON; messages that arrived then or later
  --until TIME   likewise, or now, the default; messages that arrived before
  --shard ID     only this shard, without those that come of it; repeatable
  --resume       go on where another replay was stopped: a file with the
                 summary that it printed, - for standard input, or the summary
                 itself
  --json         print the summary as JSON
  --calls-per-second N  GetRecords calls a second and shard (default 1)
  --bytes-per-second N  bytes a second and shard (default 1048576)

Kinesis allows all readers of a shard 5 calls and 2 MiB a second together; the
defaults leave room for the live ones. SIGTERM and SIGINT stop it gently.
Exit codes: 0 every message is handled or dead-lettered, 1 failed, 2 bad
settings or usage, 3 stopped before the end: it has said how to go on.
`

// replayFlags are the arguments of the verb.
type replayFlags struct {
	from, until string
	shards      names
	resume      string
	json        bool
	calls       float64
	bytes       float64
}

// names is a flag that may be given several times.
type names []string

func (n *names) String() string { return strings.Join(*n, ",") }

// Set implements flag.Value.
func (n *names) Set(s string) error {
	*n = append(*n, s)
	return nil
}

// parseReplay reads the arguments; flag.ErrHelp is its error for -h.
func parseReplay(args []string) (*replayFlags, error) {
	f := &replayFlags{}
	set := flag.NewFlagSet("replay", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.from, "from", "", "")
	set.StringVar(&f.until, "until", "now", "")
	set.Var(&f.shards, "shard", "")
	set.StringVar(&f.resume, "resume", "", "")
	set.BoolVar(&f.json, "json", false, "")
	set.Float64Var(&f.calls, "calls-per-second", 1, "")
	set.Float64Var(&f.bytes, "bytes-per-second", 1<<20, "")
	if err := set.Parse(args); err != nil {
		return nil, err //nolint:wrapcheck // it names the flag
	}
	span := false
	set.Visit(func(g *flag.Flag) { span = span || g.Name == "from" || g.Name == "until" || g.Name == "shard" })
	switch {
	case set.NArg() > 0:
		return nil, fmt.Errorf("unknown argument %q", set.Arg(0))
	case f.resume != "" && span:
		return nil, errors.New("--resume goes without --from, --until and --shard: they are in the summary")
	case f.resume == "" && f.from == "":
		return nil, errors.New("--from is needed, or --resume")
	case !positive(f.calls) || !positive(f.bytes):
		return nil, errors.New("--calls-per-second and --bytes-per-second: want a number above 0")
	}
	return f, nil
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// summary reads what --resume names; zero without one.
func (f *replayFlags) summary() (replay.Summary, error) {
	var text []byte
	var err error
	switch {
	case f.resume == "":
		return replay.Summary{}, nil
	case strings.HasPrefix(strings.TrimSpace(f.resume), "{"):
		text = []byte(f.resume)
	case f.resume == "-":
		text, err = io.ReadAll(os.Stdin)
	default:
		text, err = os.ReadFile(f.resume)
	}
	if err != nil {
		return replay.Summary{}, fmt.Errorf("--resume: %w", err)
	}
	s, err := replay.ParseSummary(text)
	if err != nil {
		return s, fmt.Errorf("--resume: %w", err)
	}
	return s, nil
}
