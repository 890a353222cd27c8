// Command soak runs the producer binary against a localaws that fails on
// purpose, and compares its account with what is on the stream: unordered,
// ordered and aggregated, the last two while the stream is resharded.
//
//	go run ./internal/cmd/soak -messages 1000000
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/local"
)

func main() {
	messages := flag.Int("messages", 1_000_000, "messages in each run")
	keys := flag.Int("keys", 20_000, "different partition keys")
	partial := flag.Float64("partial", 0.05, "share of entries that fail")
	throttle := flag.Float64("throttle", 0.02, "share of requests that are throttled")
	lose := flag.Float64("lose", 0.01, "share of requests that are executed and not answered")
	flag.Parse()
	base := local.Soak{Messages: *messages, Keys: *keys, Partial: *partial, Throttle: *throttle, LoseResponse: *lose, Buffered: 64 << 20}
	if err := run(context.Background(), base); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, base local.Soak) error {
	folder, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if base.Localaws, err = local.Build(ctx, folder); err != nil {
		return err
	}
	base.Producer = filepath.Join(folder, "producer")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", base.Producer, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("build producer (run this in its folder): %w\n%s", err, out)
	}
	var problems []error
	for _, mode := range []struct {
		name                        string
		ordered, aggregate, reshard bool
	}{
		{name: "plain"},
		{name: "ordered, resharded", ordered: true, reshard: true},
		{name: "aggregated, resharded", aggregate: true, reshard: true},
		{name: "ordered and aggregated, resharded", ordered: true, aggregate: true, reshard: true},
	} {
		s := base
		s.Ordered, s.Aggregate, s.Reshard = mode.ordered, mode.aggregate, mode.reshard
		result, err := s.Run(ctx)
		if err == nil {
			err = s.Check(result)
		}
		verdict := "ok"
		if err != nil {
			verdict = err.Error()
			problems = append(problems, fmt.Errorf("%s: %w", mode.name, err))
		}
		text, _ := json.Marshal(map[string]any{"mode": mode.name, "verdict": verdict, "result": result})
		fmt.Println(string(text))
	}
	return errors.Join(problems...)
}
