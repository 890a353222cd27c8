package infra

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// definition is what is checked of one container of a task definition.
type definition struct {
	Name        string
	CPU         int
	Privileged  bool
	StopTimeout int
	DependsOn   []struct{ ContainerName, Condition string }
	HealthCheck *struct {
		Command                                 []string
		Interval, Timeout, Retries, StartPeriod int
	}
	LogConfiguration struct {
		LogDriver string
		Options   map[string]string
	}
}

// fargate holds a task definition against what the ECS Developer Guide says of
// Fargate: sizes, time-outs, health checks, the containers' shares.
func fargate(r Resource) []string {
	var containers []definition
	if err := json.Unmarshal([]byte(r.Text("container_definitions")), &containers); err != nil {
		return []string{err.Error()}
	}
	problems := size(r)
	checked, cpu := map[string]bool{}, 0
	for _, c := range containers {
		checked[c.Name] = c.HealthCheck != nil
		cpu += c.CPU
		problems = append(problems, c.problems()...)
	}
	for _, c := range containers {
		for _, d := range c.DependsOn {
			if has, there := checked[d.ContainerName]; !there || (d.Condition == "HEALTHY" && !has) {
				problems = append(problems, fmt.Sprintf("%s depends on %s being %s, which it never is", c.Name, d.ContainerName, d.Condition))
			}
		}
	}
	if total := numeral(r.Values["cpu"]); total < cpu {
		problems = append(problems, fmt.Sprintf("the containers want %d of %d CPU units", cpu, total))
	}
	return problems
}

func (c definition) problems() []string {
	var problems []string
	if h := c.HealthCheck; h != nil {
		// CMD-SHELL needs a shell, which the images have not.
		runs := len(h.Command) > 1 && h.Command[0] == "CMD"
		if !runs || !within(h.Interval, 5, 300) || !within(h.Timeout, 2, 60) || !within(h.Retries, 1, 10) || !within(h.StartPeriod, 0, 300) {
			problems = append(problems, fmt.Sprintf("%s: health check %+v", c.Name, *h))
		}
	}
	if c.StopTimeout > 120 || c.Privileged {
		problems = append(problems, fmt.Sprintf("%s: Fargate gives no container %d s to stop, nor privileges", c.Name, c.StopTimeout))
	}
	for _, option := range []string{"awslogs-group", "awslogs-region", "awslogs-stream-prefix"} {
		if c.LogConfiguration.LogDriver != "awslogs" || c.LogConfiguration.Options[option] == "" {
			problems = append(problems, fmt.Sprintf("%s: logs need %s on Fargate", c.Name, option))
		}
	}
	return problems
}

func within(n, low, high int) bool { return n >= low && n <= high }

// numeral reads a number that the provider keeps as a string; 0 if it is none.
func numeral(v any) int {
	s, _ := v.(string)
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// size knows Fargate's sizes: memory in MiB from, to and in steps of, by CPU units.
func size(r Resource) []string {
	cpu, memory := numeral(r.Values["cpu"]), numeral(r.Values["memory"])
	s, there := map[int][3]int{
		256: {512, 2048, 512}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024},
		4096: {8192, 30720, 1024}, 8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
	}[cpu]
	if !there || !within(memory, s[0], s[1]) || (memory-s[0])%s[2] != 0 || (cpu == 256 && memory == 1536) {
		return []string{fmt.Sprintf("Fargate has no task of %d CPU units and %d MiB", cpu, memory)}
	}
	return nil
}
