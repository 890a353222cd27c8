package e2e_test

import (
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// TestDocs_Metrics holds docs/OPERATIONS.md and the Grafana dashboard against
// the metrics the binaries really have.
func TestDocs_Metrics(t *testing.T) {
	t.Parallel()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, cluster.Options{Lease: shortLease})
	leasekeeper, consumer := s.startTasks(1)[0].URLs()
	served := map[string]bool{}
	for _, url := range []string{leasekeeper, consumer} {
		for name := range metricNames(fetch(t, url+"/metrics")) {
			served[name] = true
		}
	}
	operations := metricNames(read(t, filepath.Join(root, "docs", "OPERATIONS.md")))
	dashboard := metricNames(read(t, filepath.Join(root, "docs", "grafana.json")))
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		if !served[name] {
			t.Errorf("docs/OPERATIONS.md explains %s, which no binary has", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dashboard)) {
		if !served[name] {
			t.Errorf("docs/grafana.json shows %s, which no binary has", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(served)) {
		if !operations[name] && !strings.HasSuffix(name, "_build_info") {
			t.Errorf("docs/OPERATIONS.md does not explain %s", name)
		}
	}
}

// metricNames finds the names of our metrics in a text, without the suffixes of
// a histogram's series.
func metricNames(text string) map[string]bool {
	names := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(consumer|leasekeeper)_[a-z_]+[a-z]`).FindAllString(text, -1) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		names[name] = true
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
