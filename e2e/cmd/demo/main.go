// Command demo runs the whole system on this machine for some seconds, kills a
// task on the way, and checks that every message arrived. Its last line is one
// JSON object; the exit code is 0 only if all is well.
package main

import (
	"context"
	"encoding/json"
	"fmt"
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
	line, err := json.Marshal(verdict)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(string(line))
	if verdict.Demo != "ok" {
		return 1
	}
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
	fmt.Printf("compiled in %.1f s; logs of the processes in %s\n\n", time.Since(began).Seconds(), logs)
	screen := view.New(os.Stdout)
	verdict := demo.Run(ctx, demo.Options{Binaries: binaries, LogDir: logs}, screen)
	fmt.Println()
	return verdict, nil
}
