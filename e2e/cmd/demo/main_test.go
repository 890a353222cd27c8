package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/demo"
)

// TestConclude: the last line is JSON, and only the logs of a run that went wrong stay.
func TestConclude(t *testing.T) {
	tests := map[string]struct {
		verdict demo.Verdict
		code    int
		line    string
		logs    bool
	}{
		"ok": {
			verdict: demo.Verdict{Demo: "ok", Counts: &demo.Counts{Produced: 3, Stored: 3}, FailoverMS: 2_000, Seconds: 1},
			line:    `{"demo":"ok","produced":3,"stored":3,"missing":0,"duplicated":0,"out_of_order":0,"failover_ms":2000,"seconds":1}`,
		},
		"interrupted": {
			verdict: demo.Verdict{Demo: "failed", Seconds: 1, Error: "interrupted"}, code: 1, logs: true,
			line: `{"demo":"failed","seconds":1,"error":"interrupted"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			logs := filepath.Join(t.TempDir(), "logs")
			if err := os.Mkdir(logs, 0o750); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if got := conclude(&out, tt.verdict, logs); got != tt.code || out.String() != tt.line+"\n" {
				t.Errorf("got %d and %q, want %d and %q", got, out.String(), tt.code, tt.line)
			}
			if _, err := os.Stat(logs); (err == nil) != tt.logs {
				t.Errorf("got %v for the logs, want them kept: %t", err, tt.logs)
			}
		})
	}
}
