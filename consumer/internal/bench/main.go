// Command bench measures what the consumer costs: messages and bytes for each
// second of processor time, allocations for each message, and the peak of
// memory, beside a plain loop over the vanilla SDK in the same run. Kinesis,
// DynamoDB and leasekeeper are canned, in a process of their own.
//
// Then it measures end to end: localaws, the consumer's binary, a stand-in for
// leasekeeper, and the time from put to stored.
//
//	go run ./internal/bench            # the tables of docs/PERFORMANCE-consumer.md
//	go run ./internal/bench -quick     # less of it, in less than 40 seconds
//	go run ./internal/bench -size 100 -shards 10 -cpuprofile cpu.prof
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
)

// The plain loops: with the SDK as it comes, and with the consumer's settings
// of HTTP and garbage collector.
const (
	plain = "vanilla"
	tuned = "vanilla, tuned"
)

// workload is what is read.
type workload struct {
	Size     int // bytes a message
	Shards   int
	PerShard int
}

func (w workload) total() int { return w.Shards * w.PerShard }

// result is what it cost.
type result struct {
	Who              string  `json:"who"`
	Size             int     `json:"message_bytes"`
	Shards           int     `json:"shards"`
	Messages         int     `json:"messages"`
	PerCPUSecond     float64 `json:"messages_per_cpu_second"`
	MBPerCPUSecond   float64 `json:"mb_per_cpu_second"`
	AllocsPerMessage float64 `json:"allocations_per_message"`
	Seconds          float64 `json:"seconds"`
	PeakMB           float64 `json:"peak_rss_mb"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	role := flag.String("role", "", "used by the program itself")
	size := flag.Int("size", 0, "bytes a message; 0: the whole table")
	shards := flag.Int("shards", 10, "shards")
	mb := flag.Int("mb", 200, "MB to read, but no more than 400,000 messages")
	quick := flag.Bool("quick", false, "one count of shards, fewer messages")
	only := flag.String("only", "", "throughput or latency: one of the two tables")
	profile := flag.String("cpuprofile", "", "write the consumer's CPU profile to this file")
	flag.Parse()
	if *role != "" {
		var w workload
		if err := json.Unmarshal([]byte(os.Getenv("BENCH_WORKLOAD")), &w); err != nil {
			return fmt.Errorf("read workload: %w", err)
		}
		if *role == "server" {
			return serve(w)
		}
		return measure(*role, w, *profile)
	}
	sizes, counts, seconds := []int{100, 1000, 100_000}, []int{1, 10, 100}, 20
	if *quick {
		counts, seconds, *mb = []int{10}, 3, min(*mb, 100)
	}
	if *size > 0 {
		sizes, counts, *only = []int{*size}, []int{*shards}, "throughput"
	}
	if *only != "latency" {
		if err := throughput(sizes, counts, *mb, *profile); err != nil {
			return err
		}
	}
	if *only != "throughput" {
		return endToEnd(seconds)
	}
	return nil
}

// throughput measures against canned answers.
func throughput(sizes, counts []int, mb int, profile string) error {
	fmt.Println("| message | shards | who | messages/CPU-s | MB/CPU-s | allocations/message | peak RSS | ratio |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	for _, s := range sizes {
		for _, n := range counts {
			if err := compare(newWorkload(s, n, mb), profile); err != nil {
				return err
			}
		}
	}
	return nil
}

// newWorkload bounds small messages, of which a few hundred thousand do.
func newWorkload(size, shards, mb int) workload {
	total := min(400_000, mb*1_000_000/size)
	return workload{Size: size, Shards: shards, PerShard: max(10, total/shards)}
}

func compare(w workload, profile string) error {
	base := 0.0
	for _, who := range []string{plain, tuned, "consumer"} {
		r, err := child(who, w, profile)
		if err != nil {
			return err
		}
		if who == plain {
			base = r.PerCPUSecond
		}
		fmt.Printf("| %d B | %d | %s | %.0f | %.1f | %.1f | %.0f MB | %.2f |\n",
			w.Size, w.Shards, who, r.PerCPUSecond, r.MBPerCPUSecond, r.AllocsPerMessage, r.PeakMB, r.PerCPUSecond/base)
	}
	return nil
}

// child measures in a process of its own, so that peaks do not mix.
func child(who string, w workload, profile string) (result, error) {
	var r result
	encoded, err := json.Marshal(w)
	if err != nil {
		return r, fmt.Errorf("encode workload: %w", err)
	}
	env := append(os.Environ(), "BENCH_WORKLOAD="+string(encoded))
	srv := exec.Command(os.Args[0], "-role", "server") //nolint:gosec // this program itself
	srv.Env, srv.Stderr = env, os.Stderr
	in, err := srv.StdinPipe()
	if err != nil {
		return r, fmt.Errorf("start server: %w", err)
	}
	out, err := srv.StdoutPipe()
	if err != nil {
		return r, fmt.Errorf("start server: %w", err)
	}
	if err := srv.Start(); err != nil {
		return r, fmt.Errorf("start server: %w", err)
	}
	defer func() {
		_ = in.Close()
		_ = srv.Wait()
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return r, fmt.Errorf("start server: %w", err)
	}
	args := []string{"-role", who}
	if who == "consumer" && profile != "" {
		args = append(args, "-cpuprofile", profile)
	}
	cmd := exec.Command(os.Args[0], args...) //nolint:gosec // this program itself
	cmd.Env = append(env, "AWS_ENDPOINT_URL="+strings.TrimSpace(url), "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
		"CONSUMER_LEASEKEEPER_URL="+strings.TrimSpace(url), "CONSUMER_LISTEN=127.0.0.1:0", "CONSUMER_LOG_LEVEL=error",
		"CONSUMER_READ_CALLS_PER_SECOND=0", "CONSUMER_READ_BYTES_PER_SECOND=0")
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("measure %s: %w", who, err)
	}
	return r, json.Unmarshal(data, &r)
}

func measure(who string, w workload, profile string) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("write profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, cpu := time.Now(), cpuTime()
	var err error
	if who == "consumer" {
		err = consume(w)
	} else {
		err = vanilla(context.Background(), w, who == tuned)
	}
	if err != nil {
		return err
	}
	used := (cpuTime() - cpu).Seconds()
	runtime.ReadMemStats(&after)
	n := float64(w.total())
	return json.NewEncoder(os.Stdout).Encode(result{
		Who: who, Size: w.Size, Shards: w.Shards, Messages: w.total(), PerCPUSecond: n / used,
		MBPerCPUSecond: n * float64(w.Size) / used / 1e6, AllocsPerMessage: float64(after.Mallocs-before.Mallocs) / n,
		Seconds: time.Since(begin).Seconds(), PeakMB: peak(),
	})
}

// consume runs the whole consumer until everything is stored.
func consume(w workload) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	exit := make(chan int, 1)
	go func() {
		exit <- app.Program{Version: "bench", Stdout: io.Discard, Stderr: os.Stderr}.Run(ctx)
	}()
	for {
		select {
		case code := <-exit:
			return fmt.Errorf("consumer ended with %d", code)
		case <-time.After(50 * time.Millisecond):
		}
		if n, err := stored(ctx); err != nil || n >= w.total() {
			return err
		}
	}
}

var errItems = errors.New("ask how much is stored")

func stored(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("AWS_ENDPOINT_URL")+"/items", http.NoBody) //nolint:gosec // the server this program has started
	if err != nil {
		return 0, errItems
	}
	resp, err := http.DefaultClient.Do(req) //nolint:gosec // the server this program has started
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errItems, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errItems, err)
	}
	return strconv.Atoi(string(data))
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak returns the most memory the process has had, in MB.
func peak() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Maxrss) / 1000
}
