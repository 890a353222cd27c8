// Package app runs a consumer with a handler: the whole program but for main.
package app

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
)

// Exit codes of a consumer.
const (
	ExitOK         = 0
	ExitFailed     = 1
	ExitUsage      = 2 // bad settings or arguments
	ExitUnfinished = 3 // drained, but the deadline cut off messages in process; replay: stopped before its end
)

// Env is what a handler may be made of.
type Env struct {
	AWS aws.Config
	Log zerolog.Logger
}

// Program is a consumer.
type Program struct {
	// Version is what the verb version prints.
	Version string
	// NewHandler makes the handler. If it is nil, messages are written to the
	// table CONSUMER_MESSAGES_TABLE.
	NewHandler func(ctx context.Context, env Env) (handler.Handler, error)

	Args           []string // without the program's name
	Stdout, Stderr io.Writer
}

// Main runs a Program as a process does, and returns its exit code. The first
// SIGTERM or SIGINT drains, the second ends at once.
func Main(p Program) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // the next signal has its default effect
	if p.Args == nil {
		p.Args = os.Args[1:]
	}
	if p.Stdout == nil {
		p.Stdout = os.Stdout
	}
	if p.Stderr == nil {
		p.Stderr = os.Stderr
	}
	return p.Run(ctx)
}

const help = `consumer reads the shards that the leasekeeper beside it grants, and handles
their messages.

  consumer               run, until SIGTERM
  consumer healthcheck   ask the running consumer's /healthz; exit 0 or 1
  consumer redrive       handle the dead letters again: redrive -h tells more
  consumer replay        handle a span of the stream again: replay -h tells more
  consumer settings      print the settings as a Markdown table (or --json)
  consumer version       print the version (or --json)
  consumer help          print this

Settings are environment variables. Exit codes: 0 done, 1 failed, 2 bad
settings or usage, 3 stopped with messages in process: they are handled again;
replay: stopped before its end.
`

// Run runs a Program until ctx ends, and returns its exit code.
func (p Program) Run(ctx context.Context) int {
	if len(p.Args) == 0 {
		return p.consume(ctx)
	}
	verb, rest := p.Args[0], p.Args[1:]
	switch verb {
	case "healthcheck":
		return p.healthcheck(ctx)
	case "redrive":
		return p.redrive(ctx, rest)
	case "replay":
		return p.replay(ctx, rest)
	case "settings":
		return p.settings(rest)
	case "version":
		return p.version(rest)
	case "help", "-h", "--help":
		_, _ = io.WriteString(p.Stdout, help)
		return ExitOK
	}
	_, _ = fmt.Fprintf(p.Stderr, "unknown verb %q\n\n%s", verb, help)
	return ExitUsage
}

func (p Program) fail(code int, err error) int {
	_, _ = fmt.Fprintf(p.Stderr, "%v\n", err)
	return code
}
