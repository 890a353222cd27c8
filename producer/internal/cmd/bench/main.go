// Command bench compares the producer with a plain loop around the SDK's
// PutRecords: messages and megabytes per second of processor time, against a
// localaws process, so that only the caller's time counts.
//
//	go run ./internal/cmd/bench
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sort"
	"syscall"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/local"
)

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	rounds := flag.Int("rounds", 5, "measurements of each cell; the median is shown")
	megabytes := flag.Int("megabytes", 150, "megabytes of messages in each measurement, at most")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the producer's share to this file")
	only := flag.String("only", "", "only the way with this name")
	flag.Parse()
	if err := run(ctx, *rounds, *megabytes, *profile, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		cancel()
		os.Exit(1) //nolint:gocritic // cancel has run
	}
}

func run(ctx context.Context, rounds, megabytes int, profile, only string) error {
	folder, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary, err := local.Build(ctx, folder)
	if err != nil {
		return err
	}
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf("%s, %d processors, median of %d; per second of the caller's processor time\n\n", runtime.Version(), runtime.NumCPU(), rounds)
	fmt.Println("| message | way | messages | MB | against the plain loop | requests | payload units | wall-clock s | errors |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, size := range []int{100, 1 << 10, 100 << 10} {
		count := min(1_000_000, megabytes<<20/size)
		if err := compare(ctx, binary, size, count, rounds, only); err != nil {
			return err
		}
	}
	return nil
}

// compare measures every way in turn, round by round, so that a disturbance of
// the machine hits all of them.
func compare(ctx context.Context, binary string, size, count, rounds int, only string) error {
	results := make([][]result, len(ways()))
	for range rounds {
		for i, w := range ways() {
			if only != "" && w.name != only {
				continue
			}
			r, err := measure(ctx, binary, w, size, count)
			if err != nil {
				return fmt.Errorf("%s, %d bytes: %w", w.name, size, err)
			}
			results[i] = append(results[i], r)
		}
	}
	base := 0.0
	for i, w := range ways() {
		if len(results[i]) == 0 {
			continue
		}
		sort.Slice(results[i], func(a, b int) bool { return results[i][a].cpu < results[i][b].cpu })
		r := results[i][len(results[i])/2]
		rate := float64(count) / r.cpu.Seconds()
		if i == 0 {
			base = rate
		}
		fmt.Printf("| %s | %s | %.0f | %.1f | %.2f× | %d | %d | %.2f | %d |\n", name(size), w.name, rate,
			rate*float64(size)/1e6, rate/max(base, 1), r.requests, r.units, r.wall.Seconds(), r.errors)
	}
	return nil
}

func name(size int) string {
	if size < 1<<10 {
		return fmt.Sprintf("%d B", size)
	}
	return fmt.Sprintf("%d KiB", size>>10)
}

// result of one measurement.
type result struct {
	cpu, wall       time.Duration
	requests, units int64
	errors          int // calls of the plain loop that the SDK's retries did not save
}

// measure runs one way against a fresh server.
func measure(ctx context.Context, binary string, w way, size, count int) (result, error) {
	server, err := local.Start(binary)
	if err != nil {
		return result{}, err
	}
	defer server.Close()
	if _, err := server.CreateStream(ctx, "bench", 3); err != nil {
		return result{}, err
	}
	runtime.GC()
	started, before := time.Now(), processorTime()
	r, err := w.run(ctx, server, size, count)
	r.cpu, r.wall = processorTime()-before, time.Since(started)
	return r, err
}

// processorTime is what this process has used, user and system.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
