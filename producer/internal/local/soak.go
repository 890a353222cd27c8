package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
)

// Soak is one run of the producer binary against a server that fails on
// purpose, and what is checked afterwards: every message is on the stream, the
// account is the truth, keys are in order, memory is bounded.
type Soak struct {
	Producer, Localaws string // binaries
	Messages, Keys     int
	Ordered, Aggregate bool
	Reshard            bool // split every shard on the way
	Partial            float64
	Throttle           float64
	LoseResponse       float64
	Buffered           int64
}

// SoakResult is what a run brought.
type SoakResult struct {
	Account    account.Summary `json:"account"`
	OnStream   int             `json:"on_stream"` // copies, doubled ones included
	Missing    int             `json:"missing"`
	Doubled    int             `json:"doubled"`
	OutOfOrder int             `json:"out_of_order"`
	PeakMB     int64           `json:"peak_mb"` // resident memory of the producer
}

// Run runs the producer with lines "key-7 42" on its standard input.
func (s Soak) Run(ctx context.Context) (*SoakResult, error) {
	server, err := Start(s.Localaws, Signed)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	client, err := server.CreateStream(ctx, "test", 3)
	if err != nil {
		return nil, err
	}
	for kind, rate := range map[string]float64{"partial": s.Partial, "throttle": s.Throttle, "lose_response": s.LoseResponse} {
		rule := map[string]any{"service": "kinesis", "operation": "PutRecords", "kind": kind, "rate": rate}
		if rate > 0 {
			if err := server.Admin(ctx, "POST", "faults", rule, nil); err != nil {
				return nil, err
			}
		}
	}
	result := &SoakResult{}
	if err := s.produce(ctx, server, client, result); err != nil {
		return nil, err
	}
	if err := server.Admin(ctx, "DELETE", "faults", nil, nil); err != nil {
		return nil, err
	}
	return result, s.inspect(ctx, client, result)
}

func (s Soak) produce(ctx context.Context, server *Server, client *kinesis.Client, result *SoakResult) error {
	run := exec.CommandContext(ctx, s.Producer)
	run.Env = append(os.Environ(), "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=producer", "AWS_SECRET_ACCESS_KEY="+Secret,
		"AWS_ENDPOINT_URL="+server.URL, "PRODUCER_SOURCE=stdin", "PRODUCER_KEY=1", "PRODUCER_LOG_LEVEL=error", "PRODUCER_PROGRESS=off",
		"PRODUCER_ORDERED="+strconv.FormatBool(s.Ordered), "PRODUCER_AGGREGATE="+strconv.FormatBool(s.Aggregate),
		"PRODUCER_MAX_BUFFERED_BYTES="+strconv.FormatInt(s.Buffered, 10))
	stdin, err := run.StdinPipe()
	if err != nil {
		return fmt.Errorf("run producer: %w", err)
	}
	var out, errOut bytes.Buffer
	run.Stdout, run.Stderr = &out, &errOut
	if err := run.Start(); err != nil {
		return fmt.Errorf("run producer: %w", err)
	}
	writeErr := s.write(ctx, stdin, client)
	err = run.Wait()
	if decodeErr := json.Unmarshal(out.Bytes(), &result.Account); decodeErr != nil || err != nil {
		return fmt.Errorf("run producer: %w: %s %s", errors.Join(err, decodeErr, writeErr), out.String(), errOut.String())
	}
	if usage, ok := run.ProcessState.SysUsage().(*syscall.Rusage); ok {
		result.PeakMB = usage.Maxrss >> 10
	}
	return writeErr
}

func (s Soak) write(ctx context.Context, stdin io.WriteCloser, client *kinesis.Client) error {
	buffered := bufio.NewWriter(stdin)
	for i := range s.Messages {
		if s.Reshard && i == s.Messages/3 {
			if err := split(ctx, client); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintf(buffered, "key-%d %d\n", i%s.Keys, i); err != nil {
			return fmt.Errorf("write message: %w", err)
		}
	}
	return errors.Join(buffered.Flush(), stdin.Close())
}

// split doubles the shards of the stream.
func split(ctx context.Context, client *kinesis.Client) error {
	_, err := client.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{StreamName: aws.String("test"), TargetShardCount: aws.Int32(6), ScalingType: "UNIFORM_SCALING"})
	if err != nil {
		return fmt.Errorf("split shards: %w", err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		out, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("test")})
		if err != nil {
			return fmt.Errorf("split shards: %w", err)
		}
		if out.StreamDescriptionSummary.StreamStatus == "ACTIVE" && aws.ToInt32(out.StreamDescriptionSummary.OpenShardCount) == 6 {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("split shards: still not done after 20 s")
}

// inspect reads the stream and compares. Order is judged by first copies.
func (s Soak) inspect(ctx context.Context, client *kinesis.Client, result *SoakResult) error {
	copies := make([]uint16, s.Messages)
	last := map[string]int{}
	err := Read(ctx, client, "test", func(m Stored) {
		result.OnStream++
		key, number, _ := strings.Cut(string(m.Data), " ")
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= s.Messages || key != m.Key {
			result.OutOfOrder++ // not one of ours
			return
		}
		if copies[i]++; copies[i] > 1 {
			return
		}
		if before, known := last[key]; known && before > i {
			result.OutOfOrder++
		}
		last[key] = i
	})
	for _, n := range copies {
		if n == 0 {
			result.Missing++
		} else {
			result.Doubled += int(n) - 1
		}
	}
	return err
}

// Check returns what is wrong with the result, all at once.
func (s Soak) Check(r *SoakResult) error {
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	n, a := int64(s.Messages), r.Account
	check(r.Missing == 0, "%d messages are missing", r.Missing)
	check(a.Accepted == n && a.Acknowledged == n && a.Failed == 0 && a.Rejected == 0,
		"accepted %d, acknowledged %d, failed %d, rejected %d of %d", a.Accepted, a.Acknowledged, a.Failed, a.Rejected, n)
	check(int64(r.Doubled) <= a.MaybeDoubled, "%d copies too many, the account says at most %d", r.Doubled, a.MaybeDoubled)
	check(!s.Ordered || r.OutOfOrder == 0, "%d messages out of order", r.OutOfOrder)
	check(a.BufferedHighest <= s.Buffered, "%d bytes buffered, at most %d allowed", a.BufferedHighest, s.Buffered)
	return errors.Join(problems...)
}
