package infra_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Each tool that is not there is named, with where it comes from.
func TestScripts_NameTheMissingTool(t *testing.T) {
	s := newStage(t)
	few := filepath.Join(s.dir, "few")
	if err := os.Mkdir(few, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range strings.Fields("awk bash cat cp date dirname env find git grep mkdir mktemp rm sed sh sort tail tar") {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(few, tool)); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(s.env, "PATH="+s.dir+"/bin:"+few)
	for name, tc := range map[string]struct{ missing, script, args, want string }{
		"deploy/terraform":  {"terraform", "deploy.sh", "staging", "terraform is not on the PATH; version 1.11 or later"},
		"deploy/terragrunt": {"terragrunt", "deploy.sh", "staging", "terragrunt is not on the PATH; version 1.0 or later"},
		"deploy/aws":        {"aws", "deploy.sh", "staging", "aws is not on the PATH; the AWS CLI, version 2"},
		"plan/terragrunt":   {"terragrunt", "plan.sh", "staging", "terragrunt is not on the PATH"},
		"destroy/terraform": {"terraform", "destroy.sh", "staging", "terraform is not on the PATH"},
		"status/aws":        {"aws", "status.sh", "staging", "aws is not on the PATH"},
		"logs/aws":          {"aws", "logs.sh", "staging", "aws is not on the PATH"},
		"scale/aws":         {"aws", "scale.sh", "staging 2", "aws is not on the PATH"},
		"produce/aws":       {"aws", "produce.sh", "staging", "aws is not on the PATH"},
		"verify/aws":        {"aws", "verify.sh", "staging", "aws is not on the PATH"},
		"verify/terragrunt": {"terragrunt", "verify.sh", "staging", "terragrunt is not on the PATH"},
		"images/docker":     {"docker", "images.sh", "build", "docker is not on the PATH"},
		"plan/which":        {"none", "plan.sh", "", "ENV: want staging or production, as in: task plan ENV=staging"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(s.dir, "bin", tc.missing)
			kept, err := os.ReadFile(path)
			if err == nil {
				defer s.write("bin/"+tc.missing, string(kept))
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			if out, ok := s.run(nil, tc.script, strings.Fields(tc.args)...); ok || !strings.Contains(out, tc.want) {
				t.Errorf("went well: %t; want it to say %q, got:\n%s", ok, tc.want, out)
			}
		})
	}
}
