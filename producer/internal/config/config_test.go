package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/settings"
)

var update = flag.Bool("update", false, "rewrite the settings table of the README")

const (
	readme = "../../README.md"
	begin  = "<!-- settings:begin -->\n"
	end    = "<!-- settings:end -->"
)

func TestReadme_SettingsTable(t *testing.T) {
	raw, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("README.md lacks %q or %q", begin, end)
	}
	var want strings.Builder
	if err := settings.WriteTable(&want, config.Prefix, new(config.Settings)); err != nil {
		t.Fatal(err)
	}
	if got == want.String() {
		return
	}
	if !*update {
		t.Fatalf("the settings table in README.md is old: run go test ./internal/config -update")
	}
	if err := os.WriteFile(readme, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSettings_Validate(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want []string
	}{
		"defaults":   {},
		"everything": {env: map[string]string{"PRODUCER_SOURCE": "stdin", "PRODUCER_KEY": "/user/id", "PRODUCER_RATE": "0.5", "PRODUCER_LISTEN": "127.0.0.1:0", "PRODUCER_COUNT": "0"}},
		"all violations at once": {
			env: map[string]string{
				"PRODUCER_SOURCE": "file", "PRODUCER_COUNT": "-1", "PRODUCER_RATE": "NaN", "PRODUCER_SIZE": "-1", "PRODUCER_FORMAT": "xml",
				"PRODUCER_KEY": "0", "PRODUCER_AGGREGATE_BYTES": "10", "PRODUCER_LINGER": "2m", "PRODUCER_CONCURRENCY": "0", "PRODUCER_MAX_BUFFERED_BYTES": "1",
				"PRODUCER_MAX_MESSAGE_BYTES": "10485761", "PRODUCER_ATTEMPT_TIMEOUT": "1ms", "PRODUCER_RETRY_TIMEOUT": "-1s", "PRODUCER_DRAIN_TIMEOUT": "-1s",
				"PRODUCER_PROGRESS": "loud", "PRODUCER_LISTEN": "here", "PRODUCER_LOG_LEVEL": "chatty", "PRODUCER_LOG_FORMAT": "xml",
			},
			want: []string{
				"PRODUCER_SOURCE", "PRODUCER_COUNT", "PRODUCER_RATE", "PRODUCER_SIZE", "PRODUCER_FORMAT", "PRODUCER_KEY", "PRODUCER_AGGREGATE_BYTES",
				"PRODUCER_LINGER", "PRODUCER_CONCURRENCY", "PRODUCER_MAX_BUFFERED_BYTES", "PRODUCER_MAX_MESSAGE_BYTES", "PRODUCER_ATTEMPT_TIMEOUT",
				"PRODUCER_RETRY_TIMEOUT", "PRODUCER_DRAIN_TIMEOUT", "PRODUCER_PROGRESS", "PRODUCER_LISTEN", "PRODUCER_LOG_LEVEL", "PRODUCER_LOG_FORMAT",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			var s config.Settings
			err := settings.Load(config.Prefix, &s)
			if len(tc.want) == 0 {
				if err != nil {
					t.Fatalf("got %v, want no error", err)
				}
				return
			}
			if err == nil {
				t.Fatal("got no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("got %d lines %q, want %d", len(lines), lines, len(tc.want))
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want+": want ") {
					t.Errorf("line %d: got %q, want it to begin with %q", i, lines[i], want)
				}
			}
		})
	}
}

func TestSettings_Resolve(t *testing.T) {
	for name, tc := range map[string]struct {
		source string
		mode   os.FileMode
		set    string
		want   string
	}{
		"a pipe":           {config.Auto, os.ModeNamedPipe, "", config.Stdin},
		"a file":           {config.Auto, 0o644, "", config.Stdin},
		"a folder":         {config.Auto, os.ModeDir | 0o755, "", config.Stdin},
		"a terminal":       {config.Auto, os.ModeDevice | os.ModeCharDevice, "", config.Generate},
		"a socket":         {config.Auto, os.ModeSocket, "", config.Generate},
		"a count and pipe": {config.Auto, os.ModeNamedPipe, "PRODUCER_COUNT", config.Generate},
		"a size and pipe":  {config.Auto, os.ModeNamedPipe, "PRODUCER_SIZE", config.Generate},
		"a rate and pipe":  {config.Auto, os.ModeNamedPipe, "PRODUCER_RATE", config.Stdin},
		"generate":         {config.Generate, os.ModeNamedPipe, "", config.Generate},
		"stdin":            {config.Stdin, os.ModeCharDevice, "PRODUCER_COUNT", config.Stdin},
	} {
		t.Run(name, func(t *testing.T) {
			s := config.Settings{Source: tc.source}
			s.Resolve(tc.mode, func(variable string) bool { return variable == tc.set })
			if s.Source != tc.want {
				t.Errorf("got %s, want %s", s.Source, tc.want)
			}
		})
	}
}

func TestList(t *testing.T) {
	list, err := config.List()
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0]; got.Variable != "PRODUCER_STREAM" || got.Default != "test" || got.Meaning == "" {
		t.Errorf("got %+v, want PRODUCER_STREAM first, with default and meaning", got)
	}
}
