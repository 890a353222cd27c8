// Command demo runs the whole system on this machine for some seconds, kills a
// task on the way, and checks that every message arrived. Its last line is one
// JSON object; the exit code is 0 only if all is well.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/demo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	verdict := demo.Verdict{Demo: "failed"}
	logs, err := os.MkdirTemp("", "kinesis-demo-")
	if err == nil {
		verdict, err = play(ctx, logs)
	}
	if err != nil {
		verdict.Error = err.Error()
	}
	return conclude(os.Stdout, verdict, logs)
}

// conclude writes the verdict and returns the exit code. The logs of a run that
// needs no looking into are deleted.
func conclude(out io.Writer, verdict demo.Verdict, logs string) int {
	if err := json.NewEncoder(out).Encode(verdict); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if verdict.Demo != "ok" {
		return 1
	}
	_ = os.RemoveAll(logs) // a leftover in the temporary folder does no harm
	return 0
}

func play(ctx context.Context, logs string) (demo.Verdict, error) {
	fmt.Println("compiling ...")
	began := time.Now()
	binaries, err := build.All(ctx, build.Options{})
	if ctx.Err() != nil {
		err = demo.ErrInterrupted
	}
	if err != nil {
		return demo.Verdict{Demo: "failed"}, err
	}
	fmt.Printf("compiled in %.1f s; logs, kept unless all is well, in %s\n\n", time.Since(began).Seconds(), logs)
	screen := view.New(os.Stdout)
	verdict := demo.Run(ctx, demo.Options{Binaries: binaries, LogDir: logs}, screen)
	fmt.Println()
	return verdict, nil
}
