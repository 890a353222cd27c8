package config_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/settings"
)

var update = flag.Bool("update", false, "rewrite the settings table in README.md")

const (
	readme = "../../README.md"
	begin  = "<!-- settings:begin -->\n"
	end    = "<!-- settings:end -->"
)

// TestReadme_SettingsTable compares the table in the README with the code; run
// with -update to rewrite it.
func TestReadme_SettingsTable(t *testing.T) {
	raw, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(raw), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no settings marks", readme)
	}
	var want bytes.Buffer
	if err := settings.WriteTable(&want, config.Prefix, &config.Settings{}); err != nil {
		t.Fatal(err)
	}
	if got == want.String() {
		return
	}
	if !*update {
		t.Fatalf("the settings table of %s is not that of the code: run go test ./internal/config -update", readme)
	}
	if err := os.WriteFile(readme, []byte(head+begin+want.String()+end+tail), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSettings_Defaults(t *testing.T) {
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:4566" || s.SubscriptionDuration != 5*time.Minute || s.EnforceLimits {
		t.Errorf("unexpected defaults %+v", s)
	}
}

func TestSettings_EveryViolationAtOnce(t *testing.T) {
	for name, value := range map[string]string{
		"LOCALAWS_LISTEN": "nowhere", "LOCALAWS_SUBSCRIPTION_DURATION": "-1s", "LOCALAWS_STALE_READS": "-1s", "LOCALAWS_LOG_LEVEL": "loud", "LOCALAWS_LOG_FORMAT": "xml",
	} {
		t.Setenv(name, value)
	}
	var s config.Settings
	err := settings.Load(config.Prefix, &s)
	if err == nil {
		t.Fatal("got no error")
	}
	for _, name := range []string{"LISTEN", "STALE_READS", "SUBSCRIPTION_DURATION", "LOG_LEVEL", "LOG_FORMAT"} {
		if !strings.Contains(err.Error(), "LOCALAWS_"+name) {
			t.Errorf("the error does not name LOCALAWS_%s: %v", name, err)
		}
	}
}
