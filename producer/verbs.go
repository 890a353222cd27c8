package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/settings"
)

const help = `producer puts messages on a Kinesis stream and accounts for each of them.

usage: producer                    run, set up by PRODUCER_... variables
       producer healthcheck        ask this container's producer for its health
       producer version [--json]   print the version
       producer settings [--json]  print every setting with default and meaning
       producer help               print this

exit codes: 0 every message was acknowledged
            1 some were not, or nothing could be done
            2 bad settings or arguments
            3 messages that cannot be sent were left out, all others went
`

const healthTimeout = 3 * time.Second

// verb runs what the arguments ask for.
func verb(args []string, out, errOut io.Writer) int {
	asJSON := len(args) == 2 && args[1] == "--json"
	if len(args) > 1 && !asJSON {
		_, _ = io.WriteString(errOut, help)
		return exitUsage
	}
	var err error
	switch args[0] {
	case "help", "-h", "--help":
		_, err = io.WriteString(out, help)
	case "version", "--version":
		err = printVersion(out, asJSON)
	case "settings":
		err = printSettings(out, asJSON)
	case "healthcheck":
		err = healthcheck()
	default:
		_, _ = fmt.Fprintf(errOut, "unknown verb %q\n\n%s", args[0], help)
		return exitUsage
	}
	if err != nil {
		_, _ = fmt.Fprintln(errOut, err)
		return exitFailed
	}
	return exitOK
}

func printVersion(out io.Writer, asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintln(out, "producer", version)
		return err
	}
	return json.NewEncoder(out).Encode(map[string]string{"binary": "producer", "version": version, "go": runtime.Version()})
}

func printSettings(out io.Writer, asJSON bool) error {
	if !asJSON {
		return settings.WriteTable(out, config.Prefix, new(config.Settings))
	}
	list, err := config.List()
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(list)
}

// healthcheck asks the producer that was started with the same settings.
func healthcheck() error {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		return err
	}
	if s.Listen == "" {
		return fmt.Errorf("PRODUCER_LISTEN is not set: there is no health to ask for")
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("read PRODUCER_LISTEN: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", http.NoBody)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	client := http.Client{Transport: &http.Transport{}} // without a proxy, whatever there is for AWS
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for health: got status %d", response.StatusCode)
	}
	return nil
}
