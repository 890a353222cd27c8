package config

import "github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/settings"

// Setting describes one variable.
type Setting = settings.Setting

// List describes every variable, in the order of the struct.
func List() ([]Setting, error) { return settings.List(Prefix, new(Settings)), nil }
