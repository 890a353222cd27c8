package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/settings"
)

const healthTimeout = 3 * time.Second

func (p Program) healthcheck(ctx context.Context) int {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		return p.fail(ExitUsage, err)
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return p.fail(ExitUsage, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return p.fail(ExitFailed, err)
	}
	client := http.Client{Transport: &http.Transport{}} // without a proxy, whatever there is for AWS
	resp, err := client.Do(req)
	if err != nil {
		return p.fail(ExitFailed, fmt.Errorf("ask for health: %w", err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1024))
		return p.fail(ExitFailed, fmt.Errorf("not healthy: %s", body))
	}
	return ExitOK
}

func (p Program) version(args []string) int {
	if asJSON(args) {
		return p.printJSON(map[string]string{"binary": "consumer", "version": p.Version, "go": runtime.Version()})
	}
	_, _ = fmt.Fprintln(p.Stdout, "consumer", p.Version)
	return ExitOK
}

func (p Program) settings(args []string) int {
	if asJSON(args) {
		list, err := config.List()
		if err != nil {
			return p.fail(ExitFailed, err)
		}
		return p.printJSON(list)
	}
	if err := settings.WriteTable(p.Stdout, config.Prefix, new(config.Settings)); err != nil {
		return p.fail(ExitFailed, err)
	}
	return ExitOK
}

func asJSON(args []string) bool { return len(args) == 1 && args[0] == "--json" }

func (p Program) printJSON(v any) int {
	e := json.NewEncoder(p.Stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return p.fail(ExitFailed, err)
	}
	return ExitOK
}
