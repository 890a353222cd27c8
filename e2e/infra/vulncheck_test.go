package infra_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Of the vulnerabilities in the database at GOVULNDB, those in functions that a
// module calls fail the check, with the module, the function and the way there.
func TestVulncheck_DatabaseElsewhere(t *testing.T) {
	for name, tc := range map[string]struct {
		symbols []string // of encoding/hex, each with a vulnerability
		ok      bool
		want    []string // of what is said
	}{
		"none known": {nil, true, []string{"No vulnerabilities found."}},
		"not called": {[]string{"Dump"}, true, []string{"Your code is affected by 0 vulnerabilities."}},
		"one of two": {[]string{"Dump", "DecodeString"}, false, []string{"affected by 1 vulnerability", "GO-2026-9001",
			"main.go:7:30: calls.main calls hex.DecodeString", "vulncheck: govulncheck in "}},
	} {
		t.Run(name, func(t *testing.T) {
			said, ok := vulncheck(t, "file://"+vulnerable(t, "encoding/hex", tc.symbols...))
			for _, want := range tc.want {
				if ok != tc.ok || !strings.Contains(said, want) {
					t.Errorf("went well: %t, want %t and %q; got:\n%s", ok, tc.ok, want, said)
				}
			}
		})
	}
}

// A database that cannot be reached is said to be skipped; a folder that is no
// database is a mistake.
func TestVulncheck_NoDatabase(t *testing.T) {
	for database, want := range map[string]string{
		"http://127.0.0.1:1":    "SKIP govulncheck: no database can be reached at http://127.0.0.1:1",
		"file://" + t.TempDir(): "is no vulnerability database: no index/modules.json",
	} {
		said, ok := vulncheck(t, database)
		if skipped := strings.HasPrefix(database, "http"); ok != skipped || !strings.Contains(said, want) {
			t.Errorf("%s: went well: %t, want %t and %q; got:\n%s", database, ok, skipped, want, said)
		}
	}
}

// vulncheck checks a module that calls hex.DecodeString with tools/vulncheck.sh.
func vulncheck(t *testing.T, database string) (said string, ok bool) {
	t.Helper()
	module := t.TempDir()
	put(t, filepath.Join(module, "go.mod"), "module calls\n\ngo 1.26\n")
	put(t, filepath.Join(module, "main.go"),
		"package main\n\nimport \"encoding/hex\"\n\n// main decodes.\nfunc main() {\n\tout, err := hex.DecodeString(\"00\")\n\tprintln(len(out), err)\n}\n")
	cmd := exec.Command(filepath.Join(root, "tools/vulncheck.sh"), module)
	cmd.Env = append(os.Environ(), "GOVULNDB="+database)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// vulnerable returns a vulnerability database, a folder as go.dev/security/vuln/database
// describes it, with an entry for each of these functions of a standard package.
func vulnerable(t *testing.T, pkg string, symbols ...string) string {
	t.Helper()
	type object = map[string]any
	folder, modified := t.TempDir(), "2026-01-01T00:00:00Z"
	vulns := []object{}
	for i, symbol := range symbols {
		id := fmt.Sprintf("GO-2026-90%02d", i)
		vulns = append(vulns, object{"id": id, "modified": modified, "fixed": "99.0.0"})
		putJSON(t, filepath.Join(folder, "ID", id+".json"), object{
			"schema_version": "1.3.1", "id": id, "modified": modified, "published": modified, "summary": "made up",
			"database_specific": object{"url": "https://example.org"},
			"affected": []object{{
				"package":            object{"name": "stdlib", "ecosystem": "Go"},
				"ranges":             []object{{"type": "SEMVER", "events": []object{{"introduced": "0"}, {"fixed": "99.0.0"}}}},
				"ecosystem_specific": object{"imports": []object{{"path": pkg, "symbols": []string{symbol}}}},
			}},
		})
	}
	putJSON(t, filepath.Join(folder, "index/db.json"), object{"modified": modified})
	putJSON(t, filepath.Join(folder, "index/modules.json"), []object{{"path": "stdlib", "vulns": vulns}})
	return folder
}

func putJSON(t *testing.T, path string, content any) {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, string(text))
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
