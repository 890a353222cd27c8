package config

import (
	"fmt"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Setting describes one variable.
type Setting struct {
	Variable string `json:"variable"`
	Default  string `json:"default"`
	Meaning  string `json:"meaning"`
}

// List describes every variable, in the order of the struct.
func List() ([]Setting, error) {
	var text strings.Builder
	const format = "{{range .}}{{usage_key .}}\x00{{usage_default .}}\x00{{usage_description .}}\n{{end}}"
	if err := envconfig.Usagef(Prefix, new(Settings), &text, format); err != nil {
		return nil, fmt.Errorf("list settings: %w", err)
	}
	var list []Setting
	for line := range strings.Lines(text.String()) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\x00", 3)
		list = append(list, Setting{parts[0], parts[1], parts[2]})
	}
	return list, nil
}
