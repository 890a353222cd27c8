// Package settings fills a struct from environment variables and reports every
// violation at once, before anything else happens.
//
// The binaries of this repository are separate modules that import nothing of
// each other, so this package stands in each of them, identical to the letter;
// `task lint` compares the copies.
package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// Validator is implemented by a settings struct with rules beyond the types of
// its fields. Each error names the variable and what it should hold.
type Validator interface {
	Validate() []error
}

// Load fills spec, a pointer to a flat struct with envconfig tags (`default`,
// `desc`, `split_words`), from the variables that begin with prefix and an
// underscore. A variable that is set but empty counts as unset. The error joins
// every violation: unknown variables, values that do not parse, and what
// Validate reports. Values are never repeated in errors. Call it once, before
// other goroutines read the environment.
func Load(prefix string, spec any) error {
	known := keys(prefix, spec)
	problems := unknown(prefix, known, os.Environ())
	for _, key := range known {
		if value, set := os.LookupEnv(key); set && value == "" {
			if err := os.Unsetenv(key); err != nil {
				return fmt.Errorf("unset empty %s: %w", key, err)
			}
		}
	}
	target := reflect.ValueOf(spec).Elem()
	for i := range target.NumField() {
		if err := loadField(prefix, target.Type().Field(i), target.Field(i)); err != nil {
			problems = append(problems, err)
		}
	}
	if v, ok := spec.(Validator); ok && len(problems) == 0 {
		problems = v.Validate()
	}
	return errors.Join(problems...)
}

// loadField lets envconfig parse one field on its own, in a struct made for it,
// because envconfig stops at the first error of a struct.
func loadField(prefix string, field reflect.StructField, into reflect.Value) error {
	single := reflect.New(reflect.StructOf([]reflect.StructField{field}))
	err := envconfig.Process(prefix, single.Interface())
	var parse *envconfig.ParseError
	switch {
	case errors.As(err, &parse):
		return fmt.Errorf("%s: want %s", parse.KeyName, kind(field.Type))
	case err != nil:
		return fmt.Errorf("read setting %s: %w", field.Name, err)
	}
	into.Set(single.Elem().Field(0))
	return nil
}

func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 500ms, 20s or 1m30s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		return "a whole number"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		return "a whole number of 0 or more"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a number"
	}
	return "a " + t.String()
}

func unknown(prefix string, known, environ []string) []error {
	var problems []error
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix+"_") || contains(known, name) {
			continue
		}
		problems = append(problems, fmt.Errorf("%s: no such setting%s", name, hint(name, known)))
	}
	sort.Slice(problems, func(i, j int) bool { return problems[i].Error() < problems[j].Error() })
	return problems
}

func hint(name string, known []string) string {
	best, distance := "", len(name)/3+1
	for _, k := range known {
		if d := editDistance(name, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "; the verb settings lists them all"
	}
	return "; did you mean " + best + "?"
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// WriteTable writes the Markdown table of all settings that stands in the
// module's README.
func WriteTable(w io.Writer, prefix string, spec any) error {
	const format = "| variable | default | meaning |\n|---|---|---|\n" +
		"{{range .}}| `{{usage_key .}}` | {{with usage_default .}}`{{.}}`{{end}} | {{usage_description .}} |\n{{end}}"
	if err := envconfig.Usagef(prefix, spec, w, format); err != nil {
		return fmt.Errorf("write settings table: %w", err)
	}
	return nil
}

func keys(prefix string, spec any) []string {
	var b strings.Builder
	if err := envconfig.Usagef(prefix, spec, &b, "{{range .}}{{usage_key .}}\n{{end}}"); err != nil {
		panic("settings: " + err.Error()) // the struct, not the environment, is wrong
	}
	return strings.Fields(b.String())
}
