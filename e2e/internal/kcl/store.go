package kcl

import (
	"path/filepath"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// Store is an application of the library that does what our consumer does: one
// item a message. The library's settings are its defaults.
type Store struct {
	Dir         string // of Build
	Name        string // of the worker, and the client it calls as
	Stream      string
	Application string // the lease table
	Table       string // for the messages
	KinesisURL  string
	Env         []string // the AWS settings
	LogDir      string
}

// Start starts a worker of it.
func (s Store) Start() (*proc.Process, error) {
	return proc.Start(proc.Spec{
		Name: s.Name, Path: "java", LogDir: s.LogDir,
		Args: []string{"-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
			"-cp", filepath.Join(s.Dir, "kcl-peer.jar") + ":" + filepath.Join(s.Dir, "lib", "*"), "KclStore"},
		Env: append(s.Env, "AWS_ENDPOINT_URL_KINESIS="+s.KinesisURL, "KCL_STREAM="+s.Stream,
			"KCL_APPLICATION="+s.Application, "KCL_WORKER="+s.Name, "KCL_TABLE="+s.Table),
	})
}
