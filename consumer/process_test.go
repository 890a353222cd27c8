package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keepertest"
)

var localaws, binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "consumer-test")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if localaws, err = awstest.Build(dir, "localaws"); err == nil {
		binary, err = awstest.Build(dir, "consumer")
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return m.Run()
}

// log is what a process has written.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// process is a consumer process.
type process struct {
	*exec.Cmd
	log  *log
	exit chan int
}

func start(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(binary), log: &log{}, exit: make(chan int, 1)}
	p.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "CONSUMER_LISTEN=127.0.0.1:0"}, env...)
	p.Stderr = p.log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Wait()
		p.exit <- p.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill()
		if t.Failed() {
			t.Logf("consumer's log:\n%s", p.log)
		}
	})
	return p
}

// address waits for the address of the process's HTTP server.
func (p *process) address(t *testing.T) string {
	t.Helper()
	var address string
	awstest.Eventually(t, "the consumer listens", func() bool {
		for line := range strings.Lines(p.log.String()) {
			var l struct{ Message, Address string }
			if json.Unmarshal([]byte(line), &l) == nil && l.Message == "listening" {
				address = l.Address
				return true
			}
		}
		return false
	})
	return address
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case code := <-p.exit:
		return code
	case <-time.After(time.Minute):
		t.Fatal("the consumer does not end")
		return -1
	}
}

func grant(shard string, generation int64) contract.Grant {
	return contract.Grant{Stream: "test", Shard: shard, Generation: generation, Start: contract.Start{Type: contract.TrimHorizon}}
}

func entries(from, to int) []types.PutRecordsRequestEntry {
	var list []types.PutRecordsRequestEntry
	for i := from; i < to; i++ {
		list = append(list, awstest.Entry(fmt.Sprintf("key-%d", i), fmt.Sprintf(`{"foo":"bar","record":%d}`, i)))
	}
	return list
}

// TestConsumer is the main job: every message of the granted shards is stored
// once, the checkpoint follows, a withdrawn shard is drained, and SIGTERM ends
// it all with a report.
func TestConsumer(t *testing.T) {
	aws := awstest.Start(t, localaws)
	aws.Stream("test", 2)
	aws.Table("messages")
	aws.Table("dead_letters")
	aws.Put("test", entries(0, 3000)...)
	shards := aws.Shards("test")

	keeper := keepertest.New("w/1", 5*time.Second)
	keeper.Grant(grant(shards[0], 1), grant(shards[1], 2))
	server := httptest.NewServer(keeper)
	defer server.Close()
	p := start(t, append(aws.Environ("consumer"), "CONSUMER_LEASEKEEPER_URL="+server.URL)...)

	awstest.Eventually(t, "3000 items", func() bool { return aws.Count("messages") == 3000 })
	awstest.Eventually(t, "checkpoints", func() bool {
		return keeper.Report(1).Checkpoint != nil && keeper.Report(2).Checkpoint != nil && keeper.Report(1).LagMS == 0
	})
	resp, err := http.Get("http://" + p.address(t) + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("readyz: %v %v", resp, err)
	}
	_ = resp.Body.Close()

	keeper.Grant(grant(shards[1], 2)) // shard 0 is withdrawn
	awstest.Eventually(t, "drained", func() bool { return keeper.Report(1).State == contract.Drained })
	last := keeper.Report(1).Checkpoint

	aws.Put("test", entries(3000, 4000)...)
	again := grant(shards[0], 3)
	again.Start = contract.Start{Type: contract.AtSequenceNumber, Sequence: last.Sequence, Sub: last.Sub}
	keeper.Grant(again, grant(shards[1], 2))
	awstest.Eventually(t, "4000 items", func() bool { return aws.Count("messages") == 4000 })
	if puts := aws.Counters().Tables["messages"]; puts.Overwrites != 0 {
		t.Errorf("got %d items written twice, want 0: the new grant must resume after the old one's checkpoint", puts.Overwrites)
	}

	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 0 {
		t.Errorf("got exit code %d, want 0", code)
	}
	if !keeper.Draining() || keeper.Report(2).State != contract.Drained || keeper.Report(3).State != contract.Drained {
		t.Errorf("got reports %+v and %+v, want both drained", keeper.Report(2), keeper.Report(3))
	}
}

// TestConsumer_Killed kills the consumer at once and lets another go on.
func TestConsumer_Killed(t *testing.T) {
	aws := awstest.Start(t, localaws)
	aws.Stream("test", 1)
	aws.Table("messages")
	aws.Put("test", entries(0, 2000)...)
	keeper := keepertest.New("w/1", 2*time.Second)
	keeper.Grant(grant(aws.Shards("test")[0], 1))
	server := httptest.NewServer(keeper)
	defer server.Close()
	env := append(aws.Environ("consumer"), "CONSUMER_LEASEKEEPER_URL="+server.URL)
	p := start(t, env...)
	awstest.Eventually(t, "some items", func() bool { return aws.Count("messages") > 0 })
	_ = p.Process.Kill()
	p.wait(t)
	keeper.Grant(grant(aws.Shards("test")[0], 2))
	start(t, env...)
	awstest.Eventually(t, "2000 items", func() bool { return aws.Count("messages") == 2000 })
}

// TestConsumer_Missing names what is missing, within 10 s.
func TestConsumer_Missing(t *testing.T) {
	aws := awstest.Start(t, localaws)
	for name, tc := range map[string]struct {
		env  []string
		code int
		want string
	}{
		"table":       {aws.Environ("c"), 1, `DynamoDB table \"messages\" does not exist`},
		"region":      {[]string{"AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, 1, "no AWS region: set AWS_REGION"},
		"credentials": {[]string{"AWS_REGION=eu-central-1"}, 1, "no AWS credentials"},
		"AWS": {[]string{"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_ENDPOINT_URL=http://127.0.0.1:1"}, 1,
			`"cannot reach DynamoDB at 127.0.0.1:1 (AWS_ENDPOINT_URL): connection refused; start`},
		"settings": {[]string{"CONSUMER_CONCURRENCY_LIMIT=many", "CONSUMER_DRAIN_TIMEOUT=long"}, 2, "CONSUMER_CONCURRENCY_LIMIT: want a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			p := start(t, tc.env...)
			if code := p.wait(t); code != tc.code {
				t.Errorf("got exit code %d, want %d", code, tc.code)
			}
			if got := p.log.String(); !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want it to name %q", got, tc.want)
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %s, want 10 s at most on an idle machine", took)
			}
		})
	}
}
