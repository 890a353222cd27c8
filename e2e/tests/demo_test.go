package e2e_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/demo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

// trigger is a writer that does something once a text has been written to it.
type trigger struct {
	bytes.Buffer
	text string
	do   func()
}

func (t *trigger) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(t.text)) {
		t.do()
	}
	return t.Buffer.Write(p)
}

// TestDemo_Interrupted interrupts the demo at one stage after another: it waits
// for nothing more, and claims nothing that it has not seen.
func TestDemo_Interrupted(t *testing.T) {
	t.Parallel()
	b := binaries(t)
	stages := []string{"localaws at", "3 tasks up", "read again by", "producer done", "looked for every message"}
	for i, stage := range stages[:len(stages)-1] {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			out := &trigger{text: stage, do: interrupt}
			got := demo.Run(ctx, demo.Options{Binaries: b, LogDir: t.TempDir(), Messages: 1_500, Rate: 300}, view.NewOn(out, 0, 0))
			if got.Demo != "failed" || got.Error != demo.ErrInterrupted.Error() || got.Counts != nil {
				t.Errorf("got %+v, want a demo that was interrupted, without counts", got)
			}
			if text := out.String(); !strings.Contains(text, stage) || strings.Contains(text, stages[i+1]) {
				t.Errorf("got an end elsewhere than at %q:\n%s", stage, text)
			}
		})
	}
}
