package infra_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

var modules = []string{"producer", "consumer", "leasekeeper"}

// binaries are built once for all tests of the package, or are those of INFRA_BIN.
var binaries = sync.OnceValues(func() (map[string]infra.Binary, error) {
	built := map[string]infra.Binary{}
	if dir := os.Getenv("INFRA_BIN"); dir != "" {
		for _, module := range modules {
			built[module] = infra.Binary{Path: filepath.Join(dir, module)}
		}
		return built, nil
	}
	dir, err := os.MkdirTemp("", "infra")
	if err != nil {
		return nil, err
	}
	for _, module := range modules {
		if built[module], err = infra.Build(contextOfTests(), root, module, dir); err != nil {
			return nil, err
		}
	}
	return built, nil
})

// eachContainer calls check for every container of every environment.
func eachContainer(t *testing.T, check func(t *testing.T, c infra.Container, b infra.Binary)) {
	t.Helper()
	for unit, plan := range tasks(t) {
		containers, err := plan.Containers()
		if err != nil {
			t.Fatal(err)
		}
		if containers["consumer"].Name == "" || containers["leasekeeper"].Name == "" {
			t.Fatalf("%s: want containers consumer and leasekeeper, got %v", unit, containers)
		}
		built, err := binaries()
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range containers {
			t.Run(unit+"/"+name, func(t *testing.T) { check(t, c, built[c.Binary()]) })
		}
	}
}

// What names a resource or a bound of the task must come from Terraform: a
// default would be another environment's, or nobody's.
var fromTerraform = regexp.MustCompile(`_(STREAM|TABLE|DRAIN_TIMEOUT|LISTEN)$`)

func TestContainers_EnvironmentIsTheBinarysSettings(t *testing.T) {
	eachContainer(t, func(t *testing.T, c infra.Container, b infra.Binary) {
		known, err := b.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		variables := c.Variables()
		for key := range variables {
			if !known[key] && key != "AWS_REGION" {
				t.Errorf("%s is no setting of %s", key, c.Name)
			}
		}
		for key := range known {
			if _, set := variables[key]; !set && fromTerraform.MatchString(key) {
				t.Errorf("%s is not set", key)
			}
		}
		if variables["AWS_REGION"] == "" {
			t.Error("AWS_REGION is not set")
		}
	})
}

func TestContainers_BinaryTakesItsEnvironment(t *testing.T) {
	eachContainer(t, func(t *testing.T, c infra.Container, b infra.Binary) {
		variables := c.Variables()
		if refusal := b.Refusal(t.Context(), variables); refusal != "" {
			t.Errorf("%s refuses its settings: %s", c.Name, refusal)
		}
		key := strings.ToUpper(c.Binary()) + "_LOG_LEVEL"
		variables[key] = "loud"
		if b.Refusal(t.Context(), variables) == "" {
			t.Errorf("%s took %s=loud: this test could not fail", c.Name, key)
		}
	})
}

func TestContainers_StopAfterTheDrain(t *testing.T) {
	eachContainer(t, func(t *testing.T, c infra.Container, _ infra.Binary) {
		drain, err := time.ParseDuration(c.Variables()[strings.ToUpper(c.Binary())+"_DRAIN_TIMEOUT"])
		if err != nil {
			t.Fatal(err)
		}
		stop := time.Duration(c.StopTimeout) * time.Second
		if stop < drain+5*time.Second || stop > 120*time.Second {
			t.Errorf("stopTimeout %s for a drain of %s: want at least 5 s more, at most Fargate's 120 s", stop, drain)
		}
	})
}

func TestContainers_HardenedAndPinned(t *testing.T) {
	version := regexp.MustCompile(`:[0-9]+\.[0-9]+\.[0-9]+$`)
	eachContainer(t, func(t *testing.T, c infra.Container, _ infra.Binary) {
		if c.User != "65532:65532" || !c.ReadOnly {
			t.Errorf("user %q, read-only %t: want 65532:65532 and true", c.User, c.ReadOnly)
		}
		if !version.MatchString(c.Image) {
			t.Errorf("image %s is not of a released version", c.Image)
		}
		want := "CMD /" + c.Name + " healthcheck"
		if c.Name != c.Binary() { // a verb, which serves nothing
			want = ""
		}
		if got := strings.Join(c.HealthCheck.Command, " "); got != want {
			t.Errorf("health check %q, want %q", got, want)
		}
	})
}
