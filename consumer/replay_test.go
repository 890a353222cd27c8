package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/replay"
)

// replayed runs the verb to its end, and returns its exit code, its standard
// output and its standard error.
func replayed(t *testing.T, env []string, args ...string) (int, string, string) {
	t.Helper()
	cmd := replayCommand(t, env, args...)
	var out, problems log
	cmd.Stdout, cmd.Stderr = &out, &problems
	_ = cmd.Run() // the exit code tells
	return cmd.ProcessState.ExitCode(), out.String(), problems.String()
}

func replayCommand(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"replay"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "CONSUMER_STREAM=test"}, env...)
	return cmd
}

func summary(t *testing.T, text string) replay.Summary {
	t.Helper()
	s, err := replay.ParseSummary([]byte(text[strings.Index(text, "{"):]))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return s
}

// TestReplay handles the window's messages, and no others, without leasekeeper.
func TestReplay(t *testing.T) {
	aws, _, env := arrange(t, 2, time.Minute)
	aws.Put("test", entries(0, 500)...)
	from := aws.Mark("test")
	aws.Put("test", entries(500, 1500)...)
	until := aws.Mark("test")
	aws.Put("test", entries(1500, 1600)...)
	code, out, problems := replayed(t, env, "--from", from.Format(time.RFC3339Nano), "--until", until.Format(time.RFC3339Nano), "--json")
	s := summary(t, out)
	if code != 0 || !s.Complete || s.Shards != 2 || s.ShardsDone != 2 || s.Handled != 1001 || s.Records != 1001 || s.DeadLettered != 0 || s.Bytes == 0 {
		t.Errorf("got exit code %d, %s\n%s", code, out, problems)
	}
	for _, at := range s.Positions {
		if at.State != replay.Done || at.Sequence == "" {
			t.Errorf("got position %+v, want one that is done", at)
		}
	}
	if got := aws.Count("messages"); got != 1001 {
		t.Errorf("got %d items, want the window's 1000 and the one that marks its beginning", got)
	}
	again, out, _ := replayed(t, env, "--from", "TRIM_HORIZON")
	if puts := aws.Counters().Tables["messages"]; again != 0 || aws.Count("messages") != 1602 || puts.Overwrites != 1001 || !strings.Contains(out, "2 of 2 shards done: 1602 records") {
		t.Errorf("got exit code %d, %d items, %d of them written again, %q; want all and those of before again", again, aws.Count("messages"), puts.Overwrites, out)
	}
}

// TestReplay_Refuses what it cannot do, before it has read anything.
func TestReplay_Refuses(t *testing.T) {
	aws, _, env := arrange(t, 1, time.Minute)
	aws.Put("test", entries(0, 1)...)
	for name, tc := range map[string]struct {
		args string
		set  string
		code int
		want string
	}{
		"nothing":        {"", "", 2, "--from is needed"},
		"no time":        {"--from yesterday", "", 2, `--from "yesterday": want TRIM_HORIZON`},
		"after until":    {"--from 1h --until 2h", "", 2, "--from 1h is not before --until 2h"},
		"too old":        {"--from 2020-01-01T00:00:00Z", "", 2, "the oldest that is there is of 20"},
		"to come":        {"--from 1h --until 2100-01-01T00:00:00Z", "", 2, "is yet to come"},
		"shard":          {"--from 1h --shard shardId-000000000007", "", 2, "no such shard: shardId-000000000007; it has shardId-000000000000"},
		"pace":           {"--from 1h --calls-per-second 0", "", 2, "want a number above 0"},
		"resume and all": {"--from 1h --resume x", "", 2, "they are in the summary"},
		"resume":         {"--resume {}", "AWS_REGION=", 2, "want the JSON that a replay has printed"},
		"no stream":      {"--from 1h", "CONSUMER_STREAM= AWS_REGION=", 2, "CONSUMER_STREAM: want the name"},
		"stream":         {"--from 1h", "CONSUMER_STREAM=other", 1, `stream "other" in region eu-central-1: stream does not exist`},
		"AWS":            {"--from 1h", "AWS_ENDPOINT_URL=http://127.0.0.1:1", 1, "replay: cannot reach Kinesis at 127.0.0.1:1 (AWS_ENDPOINT_URL): connection refused; start"},
		"table":          {"--from 1h", "CONSUMER_MESSAGES_TABLE=other", 1, `table "other" does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, problems := replayed(t, append(env, strings.Fields(tc.set)...), strings.Fields(tc.args)...)
			if code != tc.code || !strings.Contains(problems, tc.want) {
				t.Errorf("got exit code %d, want %d, and %q to say %q", code, tc.code, problems, tc.want)
			}
		})
	}
	aws.Fault(`{"service":"kinesis","client":"consumer","operation":"GetRecords","kind":"error","status":400,"code":"AccessDeniedException"}`)
	if code, _, problems := replayed(t, env, "--from", "1h"); code != 1 || !strings.Contains(problems, "AccessDenied") {
		t.Errorf("without permission: got exit code %d, %q", code, problems)
	}
	if got := aws.Count("messages"); got != 0 {
		t.Errorf("got %d items, want none", got)
	}
}

// begun is a replay of 240 messages that has handled some of them.
type begun struct {
	aws           *awstest.Server
	env           []string
	cmd           *exec.Cmd
	out, problems log
}

func begin(t *testing.T) *begun {
	t.Helper()
	r := &begun{}
	r.aws, _, r.env = arrange(t, 2, time.Minute)
	for i := range 6 { // each a call of its own: localaws answers with 10 MiB at most
		payload := `"` + strings.Repeat("x", 100<<10) + `"`
		var list = entries(0, 0)
		for j := range 40 {
			list = append(list, awstest.Entry(fmt.Sprint(i, "-", j), payload))
		}
		r.aws.Put("test", list...)
	}
	r.cmd = replayCommand(t, r.env, "--from", "TRIM_HORIZON", "--json")
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.problems
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awstest.Eventually(t, "some items", func() bool { return r.aws.Counters().Tables["messages"].Puts > 20 })
	return r
}

// end waits for the replay, which is to exit with code before it is done.
func (r *begun) end(t *testing.T, code int) replay.Summary {
	t.Helper()
	defer time.AfterFunc(time.Minute, func() { _ = r.cmd.Process.Kill() }).Stop()
	_ = r.cmd.Wait()
	s := summary(t, r.out.String())
	if got := r.cmd.ProcessState.ExitCode(); got != code || s.Complete || s.ShardsDone == 2 || !strings.Contains(r.problems.String(), "consumer replay --resume") {
		t.Fatalf("got exit code %d, want %d, and how to go on; %s\n%s", got, code, r.out.String(), r.problems.String())
	}
	return s
}

// goOn does the rest, which is to write nothing twice.
func (r *begun) goOn(t *testing.T, s replay.Summary) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "summary.json")
	if err := os.WriteFile(file, []byte(r.out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, text, more := replayed(t, r.env, "--resume", file, "--json", "--bytes-per-second", "40000000")
	rest := summary(t, text)
	if puts := r.aws.Counters().Tables["messages"]; code != 0 || !rest.Complete || puts.Puts != 240 || puts.Overwrites != 0 {
		t.Errorf("got exit code %d, %s, %+v\n%s; want 240 items, each written once", code, text, puts, more)
	}
	if s.Handled+rest.Handled != 240 || !s.Until.Equal(rest.Until) {
		t.Errorf("got %d and %d messages handled, want 240 together: %s", s.Handled, rest.Handled, text)
	}
	var any map[string]any
	if err := json.Unmarshal([]byte(text), &any); err != nil {
		t.Errorf("got %q, want JSON and nothing else", text)
	}
}

// TestReplay_Stopped goes on where it was stopped, and writes nothing twice.
func TestReplay_Stopped(t *testing.T) {
	r := begin(t)
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	r.goOn(t, r.end(t, app.ExitUnfinished))
}

// TestReplay_Refused ends by itself when it may not read any more, says why in
// one line, and goes on where it was when it may again.
func TestReplay_Refused(t *testing.T) {
	t.Parallel()
	r := begin(t)
	r.aws.Fault(`{"service":"kinesis","client":"consumer","operation":"GetRecords","kind":"error","status":400,"code":"ExpiredTokenException","message":"of late"}`)
	s := r.end(t, app.ExitFailed)
	said := regexp.MustCompile(`(?m)^replay: read shard shardId-00000000000\d: get records: not allowed: (api error )?ExpiredTokenException: .*$`)
	if lines := strings.Count(r.problems.String(), "ExpiredTokenException"); lines != 1 || !said.MatchString(r.problems.String()) {
		t.Errorf("got\n%s\nwant one line that says why", r.problems.String())
	}
	r.aws.NoFaults()
	r.goOn(t, s)
}

// TestReplay_StreamDeleted does not take shards that are gone with their stream
// for done.
func TestReplay_StreamDeleted(t *testing.T) {
	t.Parallel()
	r := begin(t)
	if _, err := r.aws.Kinesis().DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamName: aws.String("test")}); err != nil {
		t.Fatal(err)
	}
	r.end(t, app.ExitFailed)
	if !regexp.MustCompile(`(?m)^replay: read shard .*(no such shard or stream|stream does not exist)`).MatchString(r.problems.String()) {
		t.Errorf("got\n%s\nwant it to say what is gone", r.problems.String())
	}
}

// TestReplay_Order has a handler of one's own handle everything of a stream that
// was split and merged, some of it at the second attempt, in the order of the keys.
func TestReplay_Order(t *testing.T) {
	aws, _, env := arrange(t, 1, time.Minute)
	for _, pair := range append(env, "CONSUMER_STREAM=test") {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	stream, put := "test", 0
	more := func() {
		for range 300 {
			aws.Put(stream, awstest.Entry(fmt.Sprint("key-", put%7), strconv.Itoa(put)))
			put++
		}
	}
	more()
	half := "170141183460469231731687303715884105728"
	if _, err := aws.Kinesis().SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &stream, ShardToSplit: &aws.Shards(stream)[0], NewStartingHashKey: &half}); err != nil {
		t.Fatal(err)
	}
	aws.Active(stream)
	more()
	shards := aws.Shards(stream)
	if _, err := aws.Kinesis().MergeShards(t.Context(), &kinesis.MergeShardsInput{StreamName: &stream, ShardToMerge: &shards[1], AdjacentShardToMerge: &shards[2]}); err != nil {
		t.Fatal(err)
	}
	aws.Active(stream)
	more()

	var mu sync.Mutex
	failed, handled := map[string]bool{}, map[string][]int{}
	handle := func(_ context.Context, m handler.Message) error {
		mu.Lock()
		defer mu.Unlock()
		number, _ := strconv.Atoi(string(m.Data))
		if number%50 == 0 && !failed[m.ID()] {
			failed[m.ID()] = true
			return errors.New("not yet")
		}
		handled[m.PartitionKey] = append(handled[m.PartitionKey], number)
		return nil
	}
	var out, problems log
	p := app.Program{Version: "1", Args: []string{"replay", "--from", "1h", "--json"}, Stdout: &out, Stderr: &problems,
		NewHandler: func(context.Context, app.Env) (handler.Handler, error) { return handler.Func(handle), nil }}
	if code := p.Run(t.Context()); code != 0 {
		t.Fatalf("got exit code %d\n%s", code, problems.String())
	}
	total := 0
	for key, numbers := range handled {
		total += len(numbers)
		if !slices.IsSorted(numbers) {
			t.Errorf("%s: got %v, want them in order", key, numbers)
		}
	}
	if s := summary(t, out.String()); total != put || s.Handled != int64(put) || s.Shards != 4 {
		t.Errorf("got %d messages handled, %s; want %d of 4 shards", total, out.String(), put)
	}
}
