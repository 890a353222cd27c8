// Localaws serves the parts of Amazon Kinesis Data Streams and DynamoDB that this
// repository uses, in memory, for laptops and for tests. README.md has the list.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/logging"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/settings"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// version is set by -ldflags "-X main.version=…".
var version = "dev"

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// stopTimeout bounds how long calls under way may take after a signal.
const stopTimeout = 3 * time.Second

func main() { os.Exit(dispatch(os.Args[1:], os.Stdout, os.Stderr)) }

// dispatch runs a verb and returns the exit code.
func dispatch(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		return serve(stdout, stderr)
	}
	asJSON := len(args) == 2 && args[1] == "--json"
	switch args[0] {
	case "healthcheck":
		return healthcheck(stderr)
	case "version":
		return printVersion(stdout, asJSON)
	case "settings":
		return printSettings(stdout, stderr, asJSON)
	case "help", "-h", "--help":
		say(stdout, "%s", usage)
		return exitOK
	}
	say(stderr, "localaws: unknown verb %q\n\n%s", args[0], usage)
	return exitUsage
}

// say prints to a standard stream; nothing can be done about one that is closed.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func serve(stdout, stderr io.Writer) int {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		say(stderr, "localaws: settings:\n%v\n", err)
		return exitUsage
	}
	log := logging.New(stderr, s.LogLevel, s.LogFormat, isTerminal(os.Stderr), "localaws", version)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, s, log, stdout); err != nil {
		log.Error().Err(err).Msg("stopped")
		return exitFailure
	}
	return exitOK
}

// run serves until ctx ends, then stops gracefully.
func run(ctx context.Context, s config.Settings, log zerolog.Logger, stdout io.Writer) error {
	srv := server.New(server.Options{
		Version: version, Logger: log,
		SubscriptionDuration: s.SubscriptionDuration, EnforceLimits: s.EnforceLimits, Secret: s.Secret, StaleReads: s.StaleReads,
	})
	url, err := srv.Start(s.Listen)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(map[string]string{"listening": url}); err != nil {
		return errors.Join(fmt.Errorf("print address: %w", err), srv.Close())
	}
	log.Info().Str("address", url).Msg("listening")
	select {
	case err := <-srv.Done():
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	log.Info().Msg("stopped")
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// healthURL is the health endpoint of the server the settings describe.
func healthURL(listen string) string { return "http://" + listen + "/_localaws/health" }

func healthcheck(stderr io.Writer) int {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		say(stderr, "localaws: settings:\n%v\n", err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, healthURL(s.Listen), nil)
	if err != nil {
		say(stderr, "localaws: %v\n", err)
		return exitFailure
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		say(stderr, "localaws: %v\n", err)
		return exitFailure
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		say(stderr, "localaws: health: %s\n", resp.Status)
		return exitFailure
	}
	return exitOK
}
