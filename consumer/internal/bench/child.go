package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
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
	if who == ours && profile != "" {
		args = append(args, "-cpuprofile", profile)
	}
	cmd := exec.Command(os.Args[0], args...) //nolint:gosec // this program itself
	cmd.Env = append(env, "AWS_ENDPOINT_URL="+strings.TrimSpace(url), "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
		"CONSUMER_LEASEKEEPER_URL="+strings.TrimSpace(url), "CONSUMER_LISTEN=127.0.0.1:0", "CONSUMER_LOG_LEVEL=warn",
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
	if who == ours {
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

// peak returns the most memory the process has had, in MB: not by getrusage,
// which counts what its parent had when it started it. 0 where there is no /proc.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kB float64
	_, _ = fmt.Sscan(rest, &kB) // not there: 0
	return kB / 1000
}
