package infra

import (
	"encoding/json"
	"fmt"
	"slices"
)

// returned holds container definitions against the form in which ECS returns
// them, as far as it is known. The provider compares what is written with what
// is returned, clears few differences, and replaces the definition for the rest:
// every plan would show a change, and every deploy roll the fleet.
func returned(r Resource) []string {
	var containers []map[string]any
	if err := json.Unmarshal([]byte(r.Text("container_definitions")), &containers); err != nil {
		return []string{err.Error()}
	}
	always := []string{"cpu", "environment", "essential", "mountPoints", "portMappings", "systemControls", "volumesFrom"} // given or not
	var problems []string
	for _, c := range containers {
		name, _ := c["name"].(string)
		for _, key := range always {
			if c[key] == nil {
				problems = append(problems, fmt.Sprintf("%s: ECS returns %s, which is not given", name, key))
			}
		}
		for _, key := range []string{"add", "drop"} {
			if capabilities := mapOf(mapOf(c["linuxParameters"])["capabilities"]); len(capabilities) > 0 && capabilities[key] == nil {
				problems = append(problems, fmt.Sprintf("%s: ECS returns capabilities.%s, which is not given", name, key))
			}
		}
		problems = append(problems, dropped(name, c)...)
	}
	return problems
}

// dropped lists what ECS does not return: nulls, and objects with nothing in them.
func dropped(path string, v any) []string {
	object, isObject := v.(map[string]any)
	if v == nil || (isObject && len(object) == 0) {
		return []string{path + ": ECS returns no member without a value"}
	}
	var problems []string
	for key, value := range object {
		problems = append(problems, dropped(path+"."+key, value)...)
	}
	slices.Sort(problems)
	return problems
}
