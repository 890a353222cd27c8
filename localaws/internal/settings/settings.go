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
	"unicode"

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
// Validate reports. Values are never repeated in errors. It unsets what it does
// not take; call it once, before other goroutines read the environment.
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
	if v, ok := spec.(Validator); ok {
		problems = append(problems, v.Validate()...)
	}
	return errors.Join(problems...)
}

// loadField lets envconfig parse one field on its own, in a struct made for it,
// because envconfig stops at the first error of a struct. A field that does not
// parse gets its default, so that the others can be validated all the same.
func loadField(prefix string, field reflect.StructField, into reflect.Value) error {
	single := reflect.New(reflect.StructOf([]reflect.StructField{field}))
	err := envconfig.Process(prefix, single.Interface())
	var parse *envconfig.ParseError
	if errors.As(err, &parse) {
		if unset := os.Unsetenv(parse.KeyName); unset != nil {
			return fmt.Errorf("unset %s: %w", parse.KeyName, unset)
		}
		if defaulted := loadField(prefix, field, into); defaulted != nil {
			return defaulted
		}
		return fmt.Errorf("%s: want %s", parse.KeyName, kind(field.Type))
	}
	if err != nil {
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
		problems = append(problems, fmt.Errorf("%s: no such setting%s", name, hint(prefix, name, known)))
	}
	sort.Slice(problems, func(i, j int) bool { return problems[i].Error() < problems[j].Error() })
	return problems
}

// hint names the setting that was meant. The prefix is common to all and says
// nothing: of what follows, at most a third of the letters may differ, rounded up.
func hint(prefix, name string, known []string) string {
	name = strings.ToUpper(name)
	best, distance := "", (len(name)-len(prefix)-1+2)/3+1
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

// Setting is one variable, as the verb settings and the README show it.
type Setting struct {
	Variable string `json:"variable"`
	Default  string `json:"default"`
	Meaning  string `json:"meaning"`
}

// List describes every setting of spec, a pointer to a flat struct, in the
// order of its fields. It works by reflection alone: envconfig's own usage goes
// through text/template, which keeps every method of the AWS SDK in the binary,
// some 5 MB.
func List(prefix string, spec any) []Setting {
	fields := reflect.TypeOf(spec).Elem()
	list := make([]Setting, 0, fields.NumField())
	for i := range fields.NumField() {
		field := fields.Field(i)
		list = append(list, Setting{variable(prefix, field), field.Tag.Get("default"), field.Tag.Get("desc")})
	}
	return list
}

// WriteTable writes the Markdown table of all settings that stands in the
// module's README.
func WriteTable(w io.Writer, prefix string, spec any) error {
	table := "| variable | default | meaning |\n|---|---|---|\n"
	for _, s := range List(prefix, spec) {
		value := ""
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", s.Variable, value, s.Meaning)
	}
	if _, err := io.WriteString(w, table); err != nil {
		return fmt.Errorf("write settings table: %w", err)
	}
	return nil
}

func keys(prefix string, spec any) []string {
	var names []string
	for _, s := range List(prefix, spec) {
		names = append(names, s.Variable)
	}
	return names
}

// variable is the name envconfig gives a field: its tag or its own name, in
// words where asked, behind the prefix, in capitals.
func variable(prefix string, field reflect.StructField) string {
	name := field.Tag.Get("envconfig")
	switch {
	case name != "":
	case field.Tag.Get("split_words") == "true":
		name = words(field.Name)
	default:
		name = field.Name
	}
	return strings.ToUpper(prefix + "_" + name)
}

// words puts an underscore before each word of a field's name: LeaseTable is
// Lease_Table, ItemTTL is Item_TTL.
func words(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, letter := range letters {
		after := i > 0 && !unicode.IsUpper(letters[i-1])
		before := i > 0 && i+1 < len(letters) && !unicode.IsUpper(letters[i+1])
		if unicode.IsUpper(letter) && (after || before) {
			b.WriteByte('_')
		}
		b.WriteRune(letter)
	}
	return b.String()
}
