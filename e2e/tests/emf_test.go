package e2e_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// CloudWatch's units, and the bounds of its embedded metric format.
var (
	units = strings.Fields("Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits " +
		"Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second " +
		"Megabits/Second Gigabits/Second Terabits/Second Count/Second None")
	namespaces = map[string]string{"consumer": "KinesisConsumer", "leasekeeper": "KinesisLeasekeeper"}
)

const (
	emfMetrics    = 100
	emfDimensions = 30
)

type emfLine struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
}

// TestEMF_IsWhatCloudWatchTakes reads what the binaries write in the embedded
// metric format. CloudWatch says nothing about a line it does not take.
func TestEMF_IsWhatCloudWatchTakes(t *testing.T) {
	t.Parallel()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	explained := metricNames(read(t, filepath.Join(root, "docs", "OPERATIONS.md")))
	s := start(t, cluster.Options{Lease: shortLease, Env: []string{"CONSUMER_METRICS=emf", "CONSUMER_STREAM=" + awslocal.Stream, "LEASEKEEPER_METRICS=emf"}})
	task := s.startTasks(1)[0]
	s.finished(s.produce(200, 0))
	if err := task.StopInOrder(stopTimeout); err != nil {
		t.Fatal(err)
	}
	for binary, out := range map[string]string{"consumer": task.Consumer().Stdout(), "leasekeeper": task.Leasekeeper().Stdout()} {
		lines := 0
		for line := range strings.Lines(out) {
			if !strings.Contains(line, `"_aws"`) {
				continue
			}
			lines++
			for _, problem := range refused(t, binary, line, explained) {
				t.Errorf("%s: %s", binary, problem)
			}
		}
		if lines == 0 {
			t.Errorf("%s wrote no line, want one at the end at least:\n%s", binary, out)
		}
	}
}

// refused returns what CloudWatch would not take of a line, or nobody could read.
func refused(t *testing.T, binary, line string, explained map[string]bool) []string {
	t.Helper()
	var e emfLine
	var members map[string]any
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(line), &members); err != nil {
		t.Fatal(err)
	}
	var problems []string
	if age := time.Since(time.UnixMilli(e.AWS.Timestamp)); age < -time.Minute || age > time.Hour {
		problems = append(problems, "the timestamp is off by "+age.String())
	}
	if len(e.AWS.CloudWatchMetrics) != 1 || e.AWS.CloudWatchMetrics[0].Namespace != namespaces[binary] {
		return append(problems, "want one directive of namespace "+namespaces[binary])
	}
	directive := e.AWS.CloudWatchMetrics[0]
	if n := len(directive.Metrics); n < 10 || n > emfMetrics {
		problems = append(problems, "want 10 to 100 metrics")
	}
	if len(directive.Dimensions) != 1 || !slices.Equal(directive.Dimensions[0], []string{"Stream"}) || members["Stream"] != awslocal.Stream {
		problems = append(problems, "want one dimension, the stream: two fleets of an account would be one series")
	}
	for _, set := range directive.Dimensions {
		for _, name := range set {
			if _, text := members[name].(string); !text || len(set) > emfDimensions {
				problems = append(problems, "dimension "+name+" has no value")
			}
		}
	}
	for _, m := range directive.Metrics {
		if _, number := members[m.Name].(float64); !number {
			problems = append(problems, m.Name+" has no number")
		}
		if !slices.Contains(units, m.Unit) {
			problems = append(problems, m.Name+" has no unit of CloudWatch's: "+m.Unit)
		}
		if !explained[m.Name] {
			problems = append(problems, "docs/OPERATIONS.md does not explain "+m.Name)
		}
	}
	return problems
}
