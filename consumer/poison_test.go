package main_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keepertest"
)

// arrange starts localaws with a stream, and a leasekeeper that grants its
// first shard as generation 1.
func arrange(t *testing.T, shards int32, ttl time.Duration) (*awstest.Server, *keepertest.Keeper, []string) {
	aws := awstest.Start(t, localaws)
	aws.Stream("test", shards)
	aws.Table("messages")
	aws.Table("dead_letters")
	keeper := keepertest.New("w/1", ttl)
	keeper.Grant(grant(aws.Shards("test")[0], 1))
	server := httptest.NewServer(keeper)
	t.Cleanup(server.CloseClientConnections)
	return aws, keeper, append(aws.Environ("consumer"), "CONSUMER_LEASEKEEPER_URL="+server.URL)
}

func text(v ddb.AttributeValue) string {
	if s, ok := v.(*ddb.AttributeValueMemberS); ok {
		return s.Value
	}
	return fmt.Sprint(v)
}

// sequenceOf returns the sequence number of the stored message with a key.
func sequenceOf(aws *awstest.Server, key string) string {
	for _, it := range aws.Items("messages") {
		if text(it["partitionKey"]) == key {
			return text(it["sequenceNumber"])
		}
	}
	return ""
}

// TestConsumer_Poison dead-letters what DynamoDB never takes, goes on with the
// shard, and stores it after all once it can be.
func TestConsumer_Poison(t *testing.T) {
	aws, keeper, env := arrange(t, 1, 5*time.Second)
	large := `{"large":"` + strings.Repeat("x", 500<<10) + `"}`
	aws.Put("test", append(append(entries(0, 50), awstest.Entry("poison", large)), entries(50, 100)...)...)
	p := start(t, env...)
	awstest.Eventually(t, "100 items", func() bool { return aws.Count("messages") == 100 })
	awstest.Eventually(t, "a dead letter", func() bool { return aws.Count("dead_letters") == 1 })
	it := aws.Items("dead_letters")[0]
	if text(it["partitionKey"]) != "poison" || text(it["stream"]) != "test" || !strings.Contains(text(it["reason"]), "larger than DynamoDB's") || it["meta"] != nil || it["payloadBytes"].(*ddb.AttributeValueMemberN).Value != strconv.Itoa(len(large)) {
		t.Errorf("got dead letter %v", it)
	}
	last := text(it["sequenceNumber"])
	awstest.Eventually(t, "a checkpoint beyond it", func() bool {
		c := keeper.Report(1).Checkpoint
		return c != nil && c.Sequence > last
	})
	for _, want := range []string{"records_read_total 101", "messages_done_total 101", "dead_letters_total 1", "messages_in_process 0", "shards 1"} {
		awstest.Eventually(t, "the metric "+want, func() bool {
			_, body := get(t, p, "/metrics")
			return strings.Contains(body, "\nconsumer_"+want+"\n")
		})
	}
	if log := p.log.String(); strings.Count(log, "message dead-lettered") != 1 || strings.Contains(log, "xxxxxxxxxx") {
		t.Error("want one log line on it, and no payload in the log")
	}
}

func get(t *testing.T, p *process, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + p.address(t) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestConsumer_Redrive handles a dead letter again.
func TestConsumer_Redrive(t *testing.T) {
	aws, _, env := arrange(t, 1, 5*time.Second)
	aws.Fault(`{"id":"refuse","service":"dynamodb","client":"consumer","operation":"BatchWriteItem","kind":"error","status":400,"code":"ValidationException"}`)
	aws.Put("test", entries(0, 3)...)
	p := start(t, env...)
	awstest.Eventually(t, "3 dead letters", func() bool { return aws.Count("dead_letters") == 3 })
	_ = p.Process.Signal(syscall.SIGTERM)
	p.wait(t)
	aws.NoFaults()
	redrive := func(code int, args ...string) string {
		cmd := exec.Command(binary, append([]string{"redrive"}, args...)...)
		cmd.Env = append(env, "PATH="+os.Getenv("PATH"))
		out, err := cmd.Output()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("redrive: exit code %d, want %d (%v)\n%s", got, code, err, out)
		}
		return string(out)
	}
	if out := redrive(0, "--dry-run"); strings.Count(out, "\n") != 4 || aws.Count("messages") != 0 {
		t.Errorf("got %q, want three lines and the account, and nothing written", out)
	}
	aws.Fault(`{"service":"dynamodb","client":"consumer","operation":"BatchWriteItem","kind":"error","status":400,"code":"ValidationException","count":1}`)
	if out := redrive(1); !strings.HasSuffix(out, `{"done":2,"found":3,"kept":1,"without_payload":0}`+"\n") || aws.Count("dead_letters") != 1 {
		t.Errorf("got %q, %d letters left, want the one that is still refused kept", out, aws.Count("dead_letters"))
	}
	if out := redrive(0); out != `{"done":1,"found":1,"kept":0,"without_payload":0}`+"\n" {
		t.Errorf("got %q", out)
	}
	if aws.Count("messages") != 3 || aws.Count("dead_letters") != 0 {
		t.Errorf("got %d items, %d letters, want 3 and 0", aws.Count("messages"), aws.Count("dead_letters"))
	}
}

// TestConsumer_Aggregates unpacks an aggregate that others made, and resumes
// within it.
func TestConsumer_Aggregates(t *testing.T) {
	aws, keeper, env := arrange(t, 1, 5*time.Second)
	var vectors []struct {
		Name, Aggregate string
		Records         []struct{ Key, Data string }
	}
	data, err := os.ReadFile("internal/kpl/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	v := vectors[6] // 300 records
	aggregate, err := base64.StdEncoding.DecodeString(v.Aggregate)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte{}, aggregate...)
	damaged[50] ^= 1
	key := "outer"
	aws.Put("test", types.PutRecordsRequestEntry{PartitionKey: &key, Data: aggregate}, types.PutRecordsRequestEntry{PartitionKey: &key, Data: damaged})
	p := start(t, env...)
	awstest.Eventually(t, "301 items", func() bool { return aws.Count("messages") == 301 })
	awstest.Eventually(t, "the checkpoint", func() bool { c := keeper.Report(1).Checkpoint; return c != nil && c.Sub == 0 })
	_ = p.Process.Signal(syscall.SIGTERM)
	p.wait(t)
	if !strings.Contains(p.log.String(), "damaged aggregate") {
		t.Error("the damaged aggregate is not reported")
	}
	sequence := sequenceOf(aws, "key-299")
	// Another table, from the middle of the aggregate on.
	aws.Table("rest")
	g := grant(aws.Shards("test")[0], 2)
	g.Start = contract.Start{Type: contract.AtSequenceNumber, Sequence: sequence, Sub: 99}
	keeper.Grant(g)
	start(t, append(env, "CONSUMER_MESSAGES_TABLE=rest")...)
	awstest.Eventually(t, "the rest", func() bool { return aws.Count("rest") >= 201 })
	for _, it := range aws.Items("rest") {
		sub, _ := strconv.Atoi(text(it["id"])[strings.LastIndex(text(it["id"]), "/")+1:])
		if text(it["sequenceNumber"]) == sequence && sub <= 99 {
			t.Errorf("%s was done before", text(it["id"]))
		}
	}
}

// TestConsumer_DrainsWithTableDown ends in time though nothing can be written.
func TestConsumer_DrainsWithTableDown(t *testing.T) {
	aws, keeper, env := arrange(t, 1, 4*time.Second)
	aws.Fault(`{"service":"dynamodb","client":"consumer","operation":"BatchWriteItem","kind":"stall"}`)
	aws.Put("test", entries(0, 100)...)
	p := start(t, append(env, "CONSUMER_DRAIN_TIMEOUT=8s")...)
	awstest.Eventually(t, "the start", func() bool { return keeper.Report(1).State == contract.Reading })
	_ = p.Process.Signal(syscall.SIGTERM)
	begin := time.Now()
	code := p.wait(t)
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	if code != 0 || keeper.Report(1).State != contract.Drained || keeper.Report(1).Checkpoint != nil {
		t.Errorf("got exit code %d, report %+v, want drained with nothing done", code, keeper.Report(1))
	}
}

// TestConsumer_Memory holds 300 full shards with a table that takes nothing.
func TestConsumer_Memory(t *testing.T) {
	const shards = 300
	aws, keeper, env := arrange(t, shards, 20*time.Second)
	var grants []contract.Grant
	for i, s := range aws.Shards("test") {
		grants = append(grants, grant(s, int64(i+1)))
	}
	payload := `"` + strings.Repeat("x", 200<<10) + `"`
	for i := range 20 {
		var list []types.PutRecordsRequestEntry
		for j := range 20 {
			list = append(list, awstest.Entry(fmt.Sprint(i, "-", j), payload))
		}
		aws.Put("test", list...)
	}
	aws.Put("test", entries(0, 20_000)...)
	aws.Fault(`{"service":"dynamodb","client":"consumer","operation":"BatchWriteItem","kind":"throttle"}`)
	keeper.Grant(grants...)
	p := start(t, append(env, "CONSUMER_MEMORY_BUDGET=64MiB")...)
	awstest.Eventually(t, "all shards", func() bool { return keeper.Report(shards).State == contract.Reading })
	deadline := time.Now().Add(5 * time.Second)
	awstest.Eventually(t, "5 s of a stalled table", func() bool { return time.Now().After(deadline) })
	aws.NoFaults()
	awstest.Eventually(t, "everything stored", func() bool { return aws.Counters().Tables["messages"].Puts >= 20_400 })
	mb := peakRSS(t, p.Process.Pid) >> 20
	_ = p.Process.Signal(syscall.SIGTERM)
	p.wait(t)
	t.Logf("peak RSS %d MiB with a budget of 64 MiB", mb)
	if mb > 320 {
		t.Errorf("got a peak of %d MiB, want no more than 2 × 64 MiB for messages and some to live", mb)
	}
}

// peakRSS returns the most memory, in bytes, that a running process had
// resident. Not by getrusage after its end: Linux counts there what its parent,
// this test, had resident when it started it.
func peakRSS(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no /proc on this system")
	}
	_, rest, found := strings.Cut(string(status), "\nVmHWM:")
	var kB int64
	if _, scanErr := fmt.Sscan(rest, &kB); err != nil || !found || scanErr != nil {
		t.Fatalf("peak of memory in %q: %v, %v", status, err, scanErr)
	}
	return kB << 10
}

// TestConsumer_NotReadyWhenStuck calls itself not ready while a shard has work
// and nothing of it is done, and lives on; and is ready again.
func TestConsumer_NotReadyWhenStuck(t *testing.T) {
	aws, _, env := arrange(t, 1, 5*time.Second)
	aws.Fault(`{"service":"dynamodb","client":"consumer","operation":"BatchWriteItem","kind":"throttle"}`)
	aws.Put("test", entries(0, 10)...)
	p := start(t, append(env, "CONSUMER_STALL_TIMEOUT=2s", "CONSUMER_SHARD_METRICS=true")...)
	awstest.Eventually(t, "not ready", func() bool {
		code, body := get(t, p, "/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "shards stand still")
	})
	if code, _ := get(t, p, "/healthz"); code != http.StatusOK {
		t.Errorf("healthz: got %d while only the table is down", code)
	}
	if _, body := get(t, p, "/metrics"); !strings.Contains(body, "consumer_stalled_shards 1") || !strings.Contains(body, `consumer_shard_unfinished_messages{shard="`) {
		t.Errorf("got metrics\n%s", body)
	}
	aws.NoFaults()
	awstest.Eventually(t, "ready", func() bool {
		code, _ := get(t, p, "/readyz")
		return code == http.StatusOK && aws.Count("messages") == 10
	})
}

// TestConsumer_Block waits at a message that cannot be handled, if that is
// wanted; the second SIGTERM ends it at once.
func TestConsumer_Block(t *testing.T) {
	aws, keeper, env := arrange(t, 1, 30*time.Second)
	large := `"` + strings.Repeat("x", 500<<10) + `"`
	aws.Put("test", append(append(entries(0, 5), awstest.Entry("key", large), awstest.Entry("key", "behind it")), entries(5, 10)...)...)
	p := start(t, append(env, "CONSUMER_ON_POISON=block", "CONSUMER_MAX_ATTEMPTS=2", "CONSUMER_MAX_RETRY_AGE=1s", "CONSUMER_DRAIN_TIMEOUT=1h")...)
	awstest.Eventually(t, "what is not behind it", func() bool { return aws.Count("messages") == 10 })
	last := sequenceOf(aws, "key-4")
	awstest.Eventually(t, "the checkpoint right before it", func() bool {
		c := keeper.Report(1).Checkpoint
		return c != nil && c.Sequence == last
	})
	awstest.Eventually(t, "some attempts, or the last one", func() bool {
		return strings.Contains(p.log.String(), "message failed, trying again") || aws.Count("dead_letters") > 0
	})
	before := keeper.Report(1).Checkpoint
	deadline := time.Now().Add(3 * time.Second)
	awstest.Eventually(t, "three seconds", func() bool { return time.Now().After(deadline) })
	if after := keeper.Report(1).Checkpoint; *after != *before || aws.Count("dead_letters") != 0 || aws.Count("messages") != 10 {
		t.Errorf("got %d letters, %d messages, checkpoint %v after %v, want the shard to wait", aws.Count("dead_letters"), aws.Count("messages"), after, before)
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	awstest.Eventually(t, "draining", keeper.Draining)
	begin := time.Now()
	_ = p.Process.Signal(syscall.SIGTERM)
	if code := p.wait(t); code == 0 || time.Since(begin) > 10*time.Second {
		t.Errorf("got exit code %d %s after the second SIGTERM, want it to end at once", code, time.Since(begin))
	}
}

// TestConsumer_MemoryBehind has a message that can never be stored wait while
// those of other keys flow: what is done behind it does not stay in memory.
func TestConsumer_MemoryBehind(t *testing.T) {
	aws, keeper, env := arrange(t, 1, 20*time.Second)
	aws.Put("test", awstest.Entry("key", `"`+strings.Repeat("x", 500<<10)+`"`))
	p := start(t, append(env, "CONSUMER_MEMORY_BUDGET=16MiB", "CONSUMER_ON_POISON=block", "CONSUMER_READ_BYTES_PER_SECOND=0", "CONSUMER_READ_CALLS_PER_SECOND=0")...)
	payload := `"` + strings.Repeat("x", 200<<10) + `"`
	const messages = 1000 // 200 MB
	for i := range messages / 20 {
		var list []types.PutRecordsRequestEntry
		for j := range 20 {
			list = append(list, awstest.Entry(fmt.Sprint(i, "-", j), payload))
		}
		aws.Put("test", list...)
	}
	awstest.Eventually(t, "all others stored", func() bool { return aws.Counters().Tables["messages"].Puts >= messages })
	mb := peakRSS(t, p.Process.Pid) >> 20
	_ = p.Process.Kill()
	p.wait(t)
	t.Logf("peak RSS %d MiB with a budget of 16 MiB", mb)
	if c := keeper.Report(1).Checkpoint; c != nil {
		t.Errorf("got checkpoint %v, want none before the first message", c)
	}
	if mb > 176 {
		t.Errorf("got a peak of %d MiB, want no more than 2 × 16 MiB for messages and some to live", mb)
	}
}
