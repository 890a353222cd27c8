package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
)

// TestPlaces: every table is named, every address printed answers, the exports
// can be pasted, and all of it fits a terminal.
func TestPlaces(t *testing.T) {
	const url = "http://127.0.0.1:65535"
	p := places{
		took: 2 * time.Second, server: awslocal.Connect(url, url), rate: 50, logs: "/tmp/kinesis-e2e-1234567890",
		tasks: []task{{"task1", url, url}, {"task2", url, url}},
	}
	text := p.String()
	for _, want := range []string{
		"messages, leases, workers, dead_letters", "  task2         " + url + " ", url + "/metrics", "50 messages a second", p.logs,
		"\n  export AWS_REGION=eu-west-1 AWS_ENDPOINT_URL=" + url + "\n  export AWS_ACCESS_KEY_ID=you AWS_SECRET_ACCESS_KEY=secret\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in:\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if got := utf8.RuneCountInString(strings.TrimRight(line, "\n")); got > 80 {
			t.Errorf("got a line of %d columns: %s", got, line)
		}
	}
	if p.rate = 0; !strings.Contains(p.String(), "as fast as") {
		t.Errorf("got no word of a rate without a limit in:\n%s", p)
	}
}

func TestProducerRate(t *testing.T) {
	for text, want := range map[string]int{"": 50, "0": 0, "500": 500} {
		if got, err := producerRate(text); got != want || err != nil {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "many", "1.5"} {
		if _, err := producerRate(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}
