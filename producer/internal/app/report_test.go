package app

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/progress"
)

// TestReport: progress is shown where the settings and the terminal say, and
// control characters stand on a terminal only.
func TestReport(t *testing.T) {
	for name, tc := range map[string]struct {
		setting          string
		terminal         bool
		plain, log, line bool // what is written in six seconds
	}{
		"no terminal":       {setting: config.ProgressAuto, plain: true},
		"a terminal":        {setting: config.ProgressAuto, terminal: true, line: true},
		"log":               {setting: config.ProgressLog, log: true},
		"log on a terminal": {setting: config.ProgressLog, terminal: true, log: true},
		"off":               {setting: config.ProgressOff},
		"off on a terminal": {setting: config.ProgressOff, terminal: true},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr, logged bytes.Buffer
			streams := IO{Stderr: &stderr}
			if tc.terminal {
				streams.Terminal = progress.NewTerminal(&stderr)
			}
			s := config.Settings{Progress: tc.setting, Source: config.Generate, Count: 10}
			synctest.Test(t, func(*testing.T) {
				end := report(s, account.New(), zerolog.New(&logged), streams)
				time.Sleep(6 * time.Second)
				end()
			})
			out := stderr.String()
			if got := strings.Contains(out, "0/10 acknowledged"); got != (tc.plain || tc.line) {
				t.Errorf("got %q on standard error", out)
			}
			if got := strings.ContainsAny(out, "\r\x1b"); got != tc.line {
				t.Errorf("got %q on standard error, want control characters: %v", out, tc.line)
			}
			if got := strings.Contains(logged.String(), `"message":"progress"`); got != tc.log {
				t.Errorf("got log %q", logged.String())
			}
		})
	}
}
