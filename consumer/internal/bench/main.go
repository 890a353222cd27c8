// Command bench measures what the consumer costs: messages and bytes for each
// second of processor time, allocations for each message, and the peak of
// memory, beside a plain loop over the vanilla SDK in the same run. Kinesis,
// DynamoDB and leasekeeper are canned, in a process of their own.
//
// Then it measures end to end: localaws, the consumer's binary, a stand-in for
// leasekeeper, and the time from put to stored.
//
//	go run ./internal/bench            # the tables of docs/PERFORMANCE-consumer.md
//	go run ./internal/bench -quick     # less of it, in some 20 seconds; fails when the ratio is too small
//	go run ./internal/bench -size 100 -shards 10 -cpuprofile cpu.prof
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

// The programs: a plain loop with the SDK as it comes, one with the consumer's
// settings of HTTP and garbage collector, and the consumer.
const (
	plain = "vanilla"
	tuned = "vanilla, tuned"
	ours  = "consumer"
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
	mb := flag.Int("mb", 100, "MB to read, but no more than 200,000 messages")
	rounds := flag.Int("rounds", 3, "how often each program is measured, in turn; the tables have medians")
	least := flag.Float64("least", 0, "fail if the consumer's ratio is below this anywhere")
	quick := flag.Bool("quick", false, "one count of shards, fewer messages, 3 rounds, and -least 2.5")
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
	t := throughput{programs: []string{plain, tuned, ours}, rounds: *rounds, mb: *mb, least: *least, profile: *profile}
	if *quick {
		counts, seconds = []int{10}, 3
		t = throughput{programs: []string{plain, ours}, rounds: 3, mb: min(*mb, 50), least: 2.5}
	}
	if *size > 0 {
		sizes, counts, *only = []int{*size}, []int{*shards}, "throughput"
	}
	if *only != "latency" {
		if err := t.run(sizes, counts); err != nil {
			return err
		}
	}
	if *only != "throughput" {
		return endToEnd(seconds)
	}
	return nil
}
