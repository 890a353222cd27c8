// Command figures takes the measurements published in docs/RELIABILITY-figures.md
// and writes each into its own section of that file.
//
//	go run ./cmd/figures failover            # 50 kills at default settings, 50 with a lease of 2 s
//	go run ./cmd/figures handoff deploy      # several at once
//	go run ./cmd/figures -scale 0.1 all      # a tenth of the runs
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
)

func main() { os.Exit(run()) }

func run() int {
	scale := flag.Float64("scale", 1, "share of the runs to make")
	output := flag.String("output", "", "Markdown file to write (default docs/RELIABILITY-figures.md)")
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: figures [-scale 1] [-output file] failover|crashes|handoff|deploy|balance|reshard|cost|kcl|all ...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 || *scale <= 0 {
		flag.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := take(ctx, flag.Args(), *scale, *output); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func take(ctx context.Context, names []string, scale float64, output string) error {
	root, err := build.Root()
	if err != nil {
		return err
	}
	if output == "" {
		output = filepath.Join(root, "docs", "RELIABILITY-figures.md")
	}
	binaries, err := build.All(ctx, build.Options{Root: root, Dir: filepath.Join(root, "bin", "figures")})
	if err != nil {
		return err
	}
	if len(names) == 1 && names[0] == "all" {
		names = all
	}
	for _, name := range names {
		figure, ok := figures[name]
		if !ok {
			return fmt.Errorf("no figure %q", name)
		}
		fmt.Println("taking", name)
		text, err := figure(ctx, bench{binaries: binaries, scale: scale})
		if err != nil {
			return fmt.Errorf("take %s: %w", name, err)
		}
		if err := write(output, name, text); err != nil {
			return err
		}
		fmt.Println(text)
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
	}
	return nil
}
