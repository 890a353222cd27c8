package settings_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/settings"
)

type example struct {
	Stream  string        `split_words:"true" default:"test" desc:"stream"`
	Limit   int           `split_words:"true" default:"500" desc:"limit"`
	Timeout time.Duration `split_words:"true" default:"20s" desc:"timeout"`
}

func (e *example) Validate() []error {
	if e.Limit < 1 {
		return []error{errors.New("EXAMPLE_LIMIT: want 1 or more")}
	}
	return nil
}

func TestLoad(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want []string // parts of the error, each on a line of its own; none: no error
	}{
		"defaults":       {},
		"empty is unset": {env: map[string]string{"EXAMPLE_LIMIT": "", "EXAMPLE_TIMEOUT": ""}},
		"all violations": {
			env:  map[string]string{"EXAMPLE_LIMIT": "secret", "EXAMPLE_TIMEOUT": "secret", "EXAMPLE_STREEM": "secret"},
			want: []string{"EXAMPLE_STREEM: no such setting; did you mean EXAMPLE_STREAM?", "EXAMPLE_LIMIT: want a whole number", "EXAMPLE_TIMEOUT: want a duration"},
		},
		"validate beside others": {
			env:  map[string]string{"EXAMPLE_LIMIT": "0", "EXAMPLE_TIMEOUT": "soon", "EXAMPLE_X": "1"},
			want: []string{"EXAMPLE_X: no such setting; the verb", "EXAMPLE_TIMEOUT: want a duration", "EXAMPLE_LIMIT: want 1 or more"},
		},
		"hints": {
			env: map[string]string{"EXAMPLE_foo": "1", "EXAMPLE_": "1", "EXAMPLE_limit": "1", "EXAMPLE_TIEMOUT": "1", "EXAMPLE_LIMITED_MORE": "1"},
			want: []string{
				"EXAMPLE_: no such setting; the verb", "EXAMPLE_LIMITED_MORE: no such setting; the verb",
				"EXAMPLE_TIEMOUT: no such setting; did you mean EXAMPLE_TIMEOUT?",
				"EXAMPLE_foo: no such setting; the verb", "EXAMPLE_limit: no such setting; did you mean EXAMPLE_LIMIT?",
			},
		},
		"validate": {env: map[string]string{"EXAMPLE_LIMIT": "0"}, want: []string{"EXAMPLE_LIMIT: want 1 or more"}},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			var got example
			err := settings.Load("EXAMPLE", &got)
			if len(tc.want) == 0 {
				if err != nil || got != (example{"test", 500, 20 * time.Second}) {
					t.Fatalf("got %+v, %v, want the defaults", got, err)
				}
				return
			}
			if err == nil {
				t.Fatalf("got no error, want %q", tc.want)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("got %d lines %q, want %d", len(lines), lines, len(tc.want))
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("line %d: got %q, want it to begin with %q", i, lines[i], want)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error repeats a value: %v", err)
			}
		})
	}
}

func TestWriteTable(t *testing.T) {
	var b strings.Builder
	if err := settings.WriteTable(&b, "EXAMPLE", new(example)); err != nil {
		t.Fatal(err)
	}
	if want := "| `EXAMPLE_TIMEOUT` | `20s` | timeout |\n"; !strings.Contains(b.String(), want) {
		t.Errorf("got\n%s\nwant a line %q", b.String(), want)
	}
}

// Names are made here by reflection, values are read by envconfig: both must
// mean the same variable.
func TestList_NamesAreEnvconfigs(t *testing.T) {
	type odd struct {
		Listen            string
		LeaseTable        string `split_words:"true"`
		OnPoison          string `split_words:"true"`
		ItemTTL           string `split_words:"true"`
		TTLOfItem         string `split_words:"true"`
		LeasekeeperURL    string `envconfig:"LEASEKEEPER_URL"`
		AggregateBytes    int    `split_words:"true" default:"51200" desc:"largest"`
		MaxBufferedBytes2 int    `split_words:"true"`
	}
	var want strings.Builder
	if err := envconfig.Usagef("EXAMPLE", new(odd), &want, "{{range .}}{{usage_key .}} {{usage_default .}} {{usage_description .}}\n{{end}}"); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, s := range settings.List("EXAMPLE", new(odd)) {
		got.WriteString(s.Variable + " " + s.Default + " " + s.Meaning + "\n")
	}
	if got.String() != want.String() {
		t.Errorf("got\n%swant\n%s", got.String(), want.String())
	}
}
