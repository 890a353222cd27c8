// Command producer puts messages on a Kinesis stream and accounts for each of
// them. Its settings are environment variables; its arguments are verbs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/logging"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/progress"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/settings"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = "dev"

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // not everything that was accepted was acknowledged, or nothing could be done
	exitUsage    = 2 // bad settings or arguments
	exitRejected = 3 // messages that cannot be sent were left out; all others were acknowledged
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) > 0 {
		return verb(args, os.Stdout, os.Stderr)
	}
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	}
	if stdin, err := os.Stdin.Stat(); err == nil {
		s.Resolve(stdin.Mode(), func(variable string) bool { return os.Getenv(variable) != "" })
	} else {
		s.Resolve(os.ModeIrregular, nil)
	}
	streams := app.IO{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	terminal := term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb"
	logOut := streams.Stderr
	if terminal {
		streams.Terminal = progress.NewTerminal(os.Stderr)
		logOut = streams.Terminal
	}
	color := terminal && os.Getenv("NO_COLOR") == ""
	log := logging.New(logOut, s.LogLevel, s.LogFormat, color, "producer", version)
	// A reader of logs that went away must not end the delivery: writes fail instead.
	signal.Ignore(syscall.SIGPIPE)
	stop, abandon := signals()
	err := app.Run(stop, abandon, s, log, streams)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, app.ErrRejected):
		return exitRejected
	case errors.Is(err, app.ErrUnacknowledged):
		return exitFailed // the account was logged
	}
	log.Error().Msg(err.Error())
	return exitFailed
}

// accountTime is what the account has to be written after the second signal.
const accountTime = 5 * time.Second

// signals returns contexts that end with the first and with the second SIGINT,
// SIGTERM or SIGHUP, unless nohup has the latter ignored. accountTime after the
// second a further one ends the process as it stands: what it logs to may be stuck.
func signals() (first, second context.Context) {
	first, stop := context.WithCancel(context.Background())
	second, abandon := context.WithCancel(context.Background())
	received, which := make(chan os.Signal, 2), []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		which = append(which, syscall.SIGHUP)
	}
	signal.Notify(received, which...)
	go func() {
		<-received
		stop()
		<-received
		abandon()
		time.Sleep(accountTime)
		signal.Reset(which...)
	}()
	return first, second
}
