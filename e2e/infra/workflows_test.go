package infra_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	uses      = regexp.MustCompile(`(?m)uses: (.*)$`)
	pinned    = regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	readsOnly = regexp.MustCompile(`(?m)^permissions: \{contents: read\}$`)
)

// What a workflow runs is pinned, may only read unless a job says more, holds
// no key, and is the task a person would run.
func TestWorkflows_PinnedLeastAndTheSameTasks(t *testing.T) {
	for name, runs := range map[string]string{"test": ".ci/run", "release": "./task release", "deploy": "./task deploy"} {
		text, err := os.ReadFile(filepath.Join(root, ".github/workflows", name+".yml"))
		if err != nil {
			t.Fatal(err)
		}
		workflow := string(text)
		actions := uses.FindAllStringSubmatch(workflow, -1)
		if len(actions) < 3 {
			t.Errorf("%s: found %d actions, want three or more", name, len(actions))
		}
		for _, action := range actions {
			if !pinned.MatchString(action[1]) {
				t.Errorf("%s: %s is not pinned to a commit, with its version as a comment", name, action[1])
			}
		}
		if !readsOnly.MatchString(workflow) {
			t.Errorf("%s: permissions of the workflow are not read only", name)
		}
		if strings.Contains(workflow, "secrets.") || strings.Contains(workflow, "aws-access-key-id") {
			t.Errorf("%s: holds a secret; roles are assumed by OIDC", name)
		}
		if assumes := strings.Contains(workflow, "role-to-assume"); assumes != strings.Contains(workflow, "id-token: write") {
			t.Errorf("%s: assumes a role: %t, and may ask for a token: %t", name, assumes, !assumes)
		}
		if !strings.Contains(workflow, "run: "+runs) {
			t.Errorf("%s: does not run %s", name, runs)
		}
	}
}
