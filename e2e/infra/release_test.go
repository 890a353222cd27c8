package infra_test

import (
	"os"
	"strings"
	"testing"
)

const changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-31\n\n### Added\n\n- A thing.\n\n## [1.1.0] - 2026-01-01\n\n- Before.\n"

// newRepository is a stage that is a git repository with one small module and
// one release.
func newRepository(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.env = append(s.env, "GOFLAGS=-mod=mod", "GOPROXY=off", "GOTOOLCHAIN=local", "GOPATH="+os.TempDir())
	s.write("consumer/go.mod", "module example.com/consumer\n\ngo 1.26.0\n")
	s.write("consumer/main.go", "package main\n\nimport \"fmt\"\n\nvar version = \"dev\"\n\nfunc main() { fmt.Println(\"consumer\", version) }\n")
	s.write("consumer/CHANGELOG.md", changelog)
	s.write(".gitignore", "bin/\n*.bak\ndocker.log\n.config/\n.cache/\n")
	s.shell(`export GIT_CONFIG_GLOBAL=/dev/null
git init -q . && git config user.name Test && git config user.email test@example.com
git add . && git commit -qm first && git tag consumer/v1.1.0`)
	return s
}

func TestRelease(t *testing.T) {
	for name, tc := range map[string]struct {
		breaks  string // shell that breaks something first
		version string
		ok      bool
		want    string
	}{
		"all well":      {"", "1.2.0", true, "dry run passed"},
		"first release": {"git tag -d consumer/v1.1.0", "1.2.0", true, "(none) -> 1.2.0"},
		"notes":         {"", "1.2.0", true, "- A thing."},
		"no version":    {"", "v1.2", false, "want three numbers"},
		"unclean":       {"echo x >> consumer/main.go", "1.2.0", false, "the tree is not clean"},
		"not above":     {"", "1.1.0-0", false, "want three numbers"},
		"below newest":  {"", "1.0.9", false, "1.0.9 is not above 1.1.0"},
		"tag elsewhere": {"git tag consumer/v1.2.0 && git commit -q --allow-empty -m second", "1.2.0", false, "releases never move"},
		"no section":    {"", "1.3.0", false, "has no line ## [1.3.0]"},
		"empty section": {"sed -i.bak '/^- A thing/d;/^### Added/d' consumer/CHANGELOG.md && git commit -qam x", "1.2.0", false, "says nothing about 1.2.0"},
		"no build":      {"echo broken >> consumer/main.go && git commit -qam x", "1.2.0", false, "main.go"},
		"other version": {"sed -i.bak 's/version = /number = /;s/, version/, number/' consumer/main.go && git commit -qam x", "1.2.0", false, "does not say it is 1.2.0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRepository(t)
			if tc.breaks != "" {
				s.shell(tc.breaks)
			}
			out, ok := s.run(nil, "release.sh", "consumer", tc.version, "--dry")
			if ok != tc.ok || !strings.Contains(out, tc.want) {
				t.Errorf("went well: %t, want %t; want it to say %q, got:\n%s", ok, tc.ok, tc.want, out)
			}
		})
	}
}

// What is unreleased becomes the version's, once, and a release takes it then.
func TestRelease_ChangelogIsGivenTheVersion(t *testing.T) {
	s := newRepository(t)
	s.shell(`sed -i.bak 's/^## .Unreleased.$/&\n\n- Since then./' consumer/CHANGELOG.md`)
	for range 2 {
		if out, ok := s.run(nil, "changelog.sh", "consumer", "1.3.0"); !ok {
			t.Fatal(out)
		}
	}
	changed := s.read("consumer/CHANGELOG.md")
	if strings.Count(changed, "## [1.3.0] - ") != 1 || !strings.Contains(changed, "## [Unreleased]\n\n## [1.3.0] - ") {
		t.Errorf("want one section 1.3.0 below an empty Unreleased, got\n%s", changed)
	}
	s.shell(`git commit -qam notes`)
	if out, ok := s.run(nil, "release.sh", "consumer", "1.3.0", "--dry"); !ok || !strings.Contains(out, "- Since then.") || strings.Contains(out, "- A thing.") {
		t.Errorf("went well: %t, want the notes of 1.3.0 alone, got\n%s", ok, out)
	}
}

// A release tags, builds both architectures from the tag and pushes; run again
// it goes on where it stopped, and an image that is there is never pushed over.
func TestRelease_PublishesOnce(t *testing.T) {
	s := newRepository(t)
	s.write("consumer/Dockerfile", "FROM scratch\n")
	s.write("bin/docker", `#!/bin/sh
case "$1 $2" in
"login "*) cat >/dev/null ;;
"buildx inspect") printf 'Name: default\nDriver: docker\n' ;;
"info "*) echo '[["driver-type","io.containerd.snapshotter.v1"]]' ;;
esac
echo "docker $*" >>"$HOME/docker.log"
`)
	s.shell(`export GIT_CONFIG_GLOBAL=/dev/null
git add . && git commit -qm image && git init -q --bare ../origin.git && git remote add origin ../origin.git`)
	out, ok := s.run([]string{"FAKE_NO_IMAGE=1"}, "release.sh", "consumer", "1.2.0")
	if !ok || !strings.Contains(out, "released consumer 1.2.0") {
		t.Fatalf("got %s", out)
	}
	log := s.read("docker.log")
	reference := "111122223333.dkr.ecr.eu-west-1.amazonaws.com/terraform-ecs-kinesis/consumer:1.2.0"
	if !strings.Contains(log, "buildx build --push --platform linux/amd64,linux/arm64") || !strings.Contains(log, "--tag "+reference) {
		t.Errorf("want both architectures pushed as %s, got %s", reference, log)
	}
	s.shell(`git --git-dir=../origin.git rev-parse -q --verify refs/tags/consumer/v1.2.0 && rm docker.log`)
	out, ok = s.run(nil, "release.sh", "consumer", "1.2.0")
	if !ok || !strings.Contains(out, "tag consumer/v1.2.0 is there already") || !strings.Contains(out, "consumer:1.2.0 is in the registry and stays as it is") {
		t.Errorf("want the second run to change nothing, got %s", out)
	}
	if log := s.read("docker.log"); strings.Contains(log, "--push") {
		t.Errorf("a released image was pushed over: %s", log)
	}
}

// What a release lacks it says before it tags: a tag never moves, so one without
// an image would cost the version.
func TestRelease_WantsItsToolsBeforeTheTag(t *testing.T) {
	for name, tc := range map[string]struct{ docker, want string }{
		"no engine": {"exit 1", "no Docker engine answers"},
		"no buildx": {"[ \"$1\" != buildx ]", "need docker buildx"},
		"no builder": {"[ \"$1 $2\" != 'buildx inspect' ] || { echo no such builder; exit 1; }",
			"no builder to use: no such builder; docker buildx create --use"},
		"one platform": {"[ \"$1 $2\" != 'buildx inspect' ] || printf 'Name:          mine\\nDriver:        docker\\n\\nNodes:\\nName:     node\\n'",
			"builder mine, of the driver docker, builds for one platform only; docker buildx create --use"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRepository(t)
			s.write("bin/docker", "#!/bin/sh\n"+tc.docker+"\n")
			out, ok := s.run([]string{"FAKE_NO_IMAGE=1"}, "release.sh", "consumer", "1.2.0")
			if ok || !strings.Contains(out, tc.want) {
				t.Errorf("went well: %t; want it to say %q, got:\n%s", ok, tc.want, out)
			}
			s.shell(`! git rev-parse -q --verify refs/tags/consumer/v1.2.0`)
		})
	}
}
