// Package infra checks what Terraform would make against what the binaries are:
// their settings, the AWS calls in their source, their time-outs. It reads the
// plans that `task infra:test` makes of every unit; nothing here reaches AWS.
package infra

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Resource is one resource a plan would make.
type Resource struct {
	Address string         `json:"address"`
	Type    string         `json:"type"`
	Name    string         `json:"name"`
	Values  map[string]any `json:"values"`
}

// Plan is the planned state of one unit. What is known only after apply is
// missing from the resources' values.
type Plan struct {
	Unit      string // environment-unit, as in staging-ecs
	Resources []Resource
}

// ReadPlan reads the output of `terraform show -json` of a saved plan.
func ReadPlan(path string) (Plan, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, fmt.Errorf("read plan: %w", err)
	}
	var document struct {
		Errored bool `json:"errored"`
		Planned struct {
			Root struct {
				Resources []Resource `json:"resources"`
			} `json:"root_module"`
		} `json:"planned_values"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		return Plan{}, fmt.Errorf("read plan %s: %w", path, err)
	}
	if document.Errored || len(document.Planned.Root.Resources) == 0 {
		return Plan{}, fmt.Errorf("read plan %s: it failed or makes nothing", path)
	}
	unit := strings.TrimSuffix(filepath.Base(path), ".json")
	return Plan{Unit: unit, Resources: document.Planned.Root.Resources}, nil
}

// OfType returns the resources of one type.
func (p Plan) OfType(kind string) []Resource {
	var found []Resource
	for _, r := range p.Resources {
		if r.Type == kind {
			found = append(found, r)
		}
	}
	return found
}

// Text returns a string value, empty when it is unknown or absent.
func (r Resource) Text(key string) string {
	s, _ := r.Values[key].(string)
	return s
}

// Blocks returns a nested block's instances.
func (r Resource) Blocks(key string) []map[string]any {
	list, _ := r.Values[key].([]any)
	var blocks []map[string]any
	for _, item := range list {
		if block, ok := item.(map[string]any); ok {
			blocks = append(blocks, block)
		}
	}
	return blocks
}
