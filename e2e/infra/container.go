package infra

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// Container is one container of a task definition.
type Container struct {
	Name        string
	Image       string
	Environment []struct{ Name, Value string }
	StopTimeout int
	User        string
	ReadOnly    bool `json:"readonlyRootFilesystem"`
	DependsOn   []struct{ ContainerName, Condition string }
	HealthCheck struct{ Command []string }
}

// Containers returns the containers of every task definition of a plan, by name.
func (p Plan) Containers() (map[string]Container, error) {
	containers := map[string]Container{}
	for _, r := range p.OfType("aws_ecs_task_definition") {
		var list []Container
		if err := json.Unmarshal([]byte(r.Text("container_definitions")), &list); err != nil {
			return nil, fmt.Errorf("read containers of %s: %w", r.Address, err)
		}
		for _, c := range list {
			containers[c.Name] = c
		}
	}
	return containers, nil
}

// Binary returns the name of the binary in the container's image.
func (c Container) Binary() string {
	name, _, _ := strings.Cut(path.Base(c.Image), ":")
	return name
}

// Variables returns the container's environment.
func (c Container) Variables() map[string]string {
	variables := map[string]string{}
	for _, v := range c.Environment {
		variables[v.Name] = v.Value
	}
	return variables
}
