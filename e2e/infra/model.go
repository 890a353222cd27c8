package infra

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Model is AWS's own description of one service's API, as botocore and the AWS
// CLI carry it: operations, members, enums, patterns, lengths and bounds.
type Model struct {
	Shapes     map[string]Shape
	Operations map[string]struct {
		Input struct{ Shape string }
	}
}

// Shape describes one type. Min and Max are lengths of strings and lists, and
// bounds of numbers.
type Shape struct {
	Type     string
	Members  map[string]struct{ Shape string }
	Member   struct{ Shape string }
	Value    struct{ Shape string }
	Required []string
	Enum     []string
	Pattern  string
	Min, Max *float64
}

// ErrNoModels is returned by OpenModels where there are none on this machine.
var ErrNoModels = errors.New("no models of the AWS API: BOTOCORE_DATA names no botocore/data folder")

// Models reads models of services from botocore's data folder, each once.
type Models struct {
	dir  string
	read map[string]Model
}

// OpenModels opens the folder that BOTOCORE_DATA names.
func OpenModels() (*Models, error) {
	dir := os.Getenv("BOTOCORE_DATA")
	if found, err := filepath.Glob(filepath.Join(dir, "ecs", "*")); dir == "" || err != nil || len(found) == 0 {
		return nil, ErrNoModels
	}
	return &Models{dir: dir, read: map[string]Model{}}, nil
}

// Of returns the newest model of a service, as in application-autoscaling.
func (m *Models) Of(service string) (Model, error) {
	if model, ok := m.read[service]; ok {
		return model, nil
	}
	files, err := filepath.Glob(filepath.Join(m.dir, service, "*", "service-2.json*"))
	if err != nil || len(files) == 0 {
		return Model{}, fmt.Errorf("find model of %s in %s: none", service, m.dir)
	}
	model, err := readModel(files[len(files)-1])
	if err != nil {
		return Model{}, fmt.Errorf("read model of %s: %w", service, err)
	}
	m.read[service] = model
	return model, nil
}

func readModel(path string) (Model, error) {
	file, err := os.Open(path)
	if err != nil {
		return Model{}, err
	}
	defer func() { _ = file.Close() }()
	var reader io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if reader, err = gzip.NewReader(file); err != nil {
			return Model{}, err
		}
	}
	var model Model
	return model, json.NewDecoder(reader).Decode(&model)
}
