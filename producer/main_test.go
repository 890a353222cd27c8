package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	ossignal "os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/local"
)

func TestProducer_Defaults(t *testing.T) {
	s := server(t)
	code, sum := producer(t, s.URL).run(t)
	if code != 0 || sum.Accepted != 10000 || sum.Acknowledged != 10000 || sum.Failed != 0 || sum.Retried != 0 || sum.Stopped != "end" {
		t.Fatalf("got exit code %d, %+v", code, sum)
	}
	keys, shards, bytes := map[string]bool{}, map[string]int{}, int64(0)
	err := local.Read(t.Context(), s.Client("reader"), "test", func(m local.Stored) {
		keys[m.Key] = true
		shards[m.Shard]++
		bytes += int64(len(m.Data) + len(m.Key))
	})
	if err != nil || len(keys) != 10000 || len(shards) != 3 || bytes != sum.Bytes {
		t.Errorf("got %d keys, %v by shard, %d bytes, %v, want 10000 keys on 3 shards, %d bytes", len(keys), shards, bytes, err, sum.Bytes)
	}
	copies := stored(t, s)
	for i := range 10000 {
		if n := copies[fmt.Sprintf(`{"foo":"bar","record":%d}`, i)]; n != 1 {
			t.Fatalf("got message %d %d times, want once", i, n)
		}
	}
}

func TestProducer_Rate(t *testing.T) {
	s := server(t)
	_, sum := producer(t, s.URL, "PRODUCER_COUNT=300", "PRODUCER_RATE=200").run(t)
	if sum.Acknowledged != 300 || sum.Seconds < 1.3 {
		t.Errorf("got %d messages in %v s at 200 a second, want 300 in 1.5 or more", sum.Acknowledged, sum.Seconds)
	}
}

// TestProducer_KeyOfGenerated: generated messages have the keys that were asked for.
func TestProducer_KeyOfGenerated(t *testing.T) {
	s := server(t)
	if code, sum := producer(t, s.URL, "PRODUCER_COUNT=3", "PRODUCER_KEY=/foo").run(t); code != 0 || sum.Acknowledged != 3 {
		t.Errorf("got exit code %d, %+v, want 0 with 3 messages", code, sum)
	}
	err := local.Read(t.Context(), s.Client("reader"), "test", func(m local.Stored) {
		if m.Key != "bar" {
			t.Errorf("got key %q of %s, want bar", m.Key, m.Data)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestProducer_KeyOfNoGenerated: generated messages that cannot have the key are no
// reason to make more of them, without end and as fast as can be.
func TestProducer_KeyOfNoGenerated(t *testing.T) {
	code, sum := producer(t, server(t).URL, "PRODUCER_COUNT=0", "PRODUCER_KEY=/user/id").run(t)
	if code != 1 || sum.Rejected != 0 {
		t.Errorf("got exit code %d, %+v, want 1 at the first message", code, sum)
	}
}

// TestProducer_PublishedLimits: shards as the service has them refuse little, from
// the first request on.
func TestProducer_PublishedLimits(t *testing.T) {
	s := server(t)
	if err := s.Admin(t.Context(), "PUT", "limits", map[string]any{"enforce": true}, nil); err != nil {
		t.Fatal(err)
	}
	code, sum := producer(t, s.URL, "PRODUCER_COUNT=6000").run(t)
	if code != 0 || sum.Acknowledged != 6000 || sum.Throttled > 1500 {
		t.Errorf("got exit code %d, %d acknowledged, %d entries refused, want 0, 6000, and far fewer refused than sent", code, sum.Acknowledged, sum.Throttled)
	}
}

// TestProducer_Soak is a small share of what internal/cmd/soak does.
func TestProducer_Soak(t *testing.T) {
	t.Parallel()
	producer, localaws := binaries(t)
	base := local.Soak{Producer: producer, Localaws: localaws, Messages: 40_000, Keys: 3_000, Partial: 0.05, Throttle: 0.02, LoseResponse: 0.05, Buffered: 4 << 20}
	for name, change := range map[string]func(*local.Soak){
		"plain":                  func(*local.Soak) {},
		"ordered":                func(s *local.Soak) { s.Ordered, s.Reshard = true, true },
		"aggregated":             func(s *local.Soak) { s.Aggregate, s.Reshard = true, true },
		"ordered and aggregated": func(s *local.Soak) { s.Ordered, s.Aggregate, s.Reshard = true, true, true },
	} {
		t.Run(name, func(t *testing.T) {
			s := base
			change(&s)
			result, err := s.Run(t.Context())
			if err == nil {
				err = s.Check(result)
			}
			if err != nil {
				t.Errorf("%v: %+v", err, result)
			}
		})
	}
}

func TestProducer_Stdin(t *testing.T) {
	s := server(t)
	p := producer(t, s.URL, "PRODUCER_SOURCE=stdin", "PRODUCER_KEY=/k", "PRODUCER_MAX_MESSAGE_BYTES=100")
	p.Stdin = strings.NewReader(`{"k":"a","n":1}` + "\n" + `{"n":2}` + "\n" + `{"k":"b","n":"` + strings.Repeat("x", 100) + `"}` + "\n" + `{"k":"b","n":4}`)
	code, sum := p.run(t)
	if code != 3 || sum.Accepted != 2 || sum.Acknowledged != 2 || strings.Join(sum.RejectedPositions, " ") != "2-3" {
		t.Errorf("got exit code %d, %+v, want 3 with lines 2 and 3 rejected", code, sum)
	}
	if log := p.errOut.String(); !strings.Contains(log, `"position":3`) || !strings.Contains(log, "at most 100") {
		t.Errorf("got log %s, want the line number and the limit", log)
	}
	if copies := stored(t, s); copies[`{"k":"a","n":1}`] != 1 || copies[`{"k":"b","n":4}`] != 1 || len(copies) != 2 {
		t.Errorf("got %v on the stream", copies)
	}
}

func TestProducer_LargeMessage(t *testing.T) {
	s := server(t)
	code, sum := producer(t, s.URL, "PRODUCER_COUNT=12", "PRODUCER_SIZE=1000000").run(t)
	if code != 0 || sum.Acknowledged != 12 || sum.Requests < 3 {
		t.Errorf("got exit code %d, %+v, want 12 messages in requests of at most 5 MiB", code, sum)
	}
	code, sum = producer(t, s.URL, "PRODUCER_COUNT=2", "PRODUCER_SIZE=1048577").run(t)
	if code != 3 || sum.Rejected != 2 {
		t.Errorf("got exit code %d, %+v, want 3: the stream takes 1 MiB", code, sum)
	}
}

func TestProducer_Backpressure(t *testing.T) {
	s := server(t)
	fault(t, s, map[string]any{"kind": "stall"})
	p := producer(t, s.URL, "PRODUCER_SOURCE=stdin", "PRODUCER_MAX_BUFFERED_BYTES=1048576", "PRODUCER_DRAIN_TIMEOUT=100ms", "PRODUCER_ATTEMPT_TIMEOUT=1m")
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	line := []byte(strings.Repeat("x", 999) + "\n")
	var written int
	var mu sync.Mutex
	go func() {
		for {
			if _, err := stdin.Write(line); err != nil {
				return
			}
			mu.Lock()
			written += len(line)
			mu.Unlock()
		}
	}()
	steady, before := 0, -1
	eventually(t, "the pipe is held up", func() bool {
		mu.Lock()
		defer mu.Unlock()
		if steady++; written != before || written == 0 {
			steady = 0
		}
		before = written
		return steady >= 50
	})
	if before > 2<<20 {
		t.Errorf("got %d bytes through the pipe, want about the buffer's 1 MiB", before)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	code, sum := p.end(t)
	if code != 1 || sum.Acknowledged != 0 || sum.Failed != sum.Accepted || sum.Accepted == 0 || sum.Stopped != "signal" {
		t.Errorf("got exit code %d, %+v, want 1 and everything failed", code, sum)
	}
	if len(sum.FailedPositions) != 1 || sum.FailedPositions[0] != fmt.Sprintf("1-%d", sum.Accepted) {
		t.Errorf("got failed positions %v of %d", sum.FailedPositions, sum.Accepted)
	}
}

func TestProducer_Signal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			if ossignal.Ignored(signal) {
				t.Skip("skipped: the tests run below nohup, or the like")
			}
			s := server(t)
			fault(t, s, map[string]any{"kind": "partial", "rate": 0.2})
			p := producer(t, s.URL, "PRODUCER_COUNT=0", "PRODUCER_RATE=5000", "PRODUCER_LISTEN=127.0.0.1:0")
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "messages are on the stream", func() bool { return len(stored(t, s)) > 500 })
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			code, sum := p.end(t)
			if code != 0 || sum.Accepted != sum.Acknowledged || sum.Stopped != "signal" || sum.LastPosition != sum.Accepted-1 {
				t.Errorf("got exit code %d, %+v, want all that was accepted acknowledged", code, sum)
			}
			if got := len(stored(t, s)); int64(got) != sum.Acknowledged {
				t.Errorf("got %d messages on the stream, want the account's %d", got, sum.Acknowledged)
			}
		})
	}
}

func TestProducer_NothingCanBeDone(t *testing.T) {
	s := server(t)
	for name, tc := range map[string]struct {
		env  []string
		code int
		want string
	}{
		"no stream":      {[]string{"PRODUCER_STREAM=absent"}, 1, `no such stream: \"absent\": create it, or set PRODUCER_STREAM`},
		"no credentials": {[]string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}, 1, "no AWS credentials: give the task a role"},
		"no region":      {[]string{"AWS_REGION="}, 1, "no AWS region: set AWS_REGION"},
		"nobody there":   {[]string{"AWS_ENDPOINT_URL=http://127.0.0.1:1"}, 1, `"cannot reach Kinesis at 127.0.0.1:1 (AWS_ENDPOINT_URL): connection refused; start`},
		"bad settings":   {[]string{"PRODUCER_COUNT=many", "PRODUCER_RATEE=1"}, 2, "PRODUCER_RATEE: no such setting; did you mean PRODUCER_RATE?\nPRODUCER_COUNT: want a whole number"},
		"port taken":     {[]string{"PRODUCER_LISTEN=" + strings.TrimPrefix(s.URL, "http://")}, 1, "listen on PRODUCER_LISTEN"},
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			p := producer(t, s.URL, tc.env...)
			code, _ := p.run(t)
			if got := p.errOut.String(); code != tc.code || !strings.Contains(got, tc.want) || tc.code == 1 && strings.Count(got, "\n") != 1 {
				t.Errorf("got exit code %d and %q, want %d and one line with %q", code, got, tc.code, tc.want)
			}
			if p.out.Len() > 0 {
				t.Errorf("got %q on standard output, want nothing", p.out.String())
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("took %s, want at most 10 s", took)
			}
		})
	}
}

func TestProducer_StreamGoes(t *testing.T) {
	s := server(t)
	p := producer(t, s.URL, "PRODUCER_COUNT=0", "PRODUCER_RATE=1000")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "messages are on the stream", func() bool { return len(stored(t, s)) > 100 })
	if err := s.DeleteStream(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	code, sum := p.end(t)
	if code != 1 || sum.Stopped != "error" || sum.Accepted != sum.Acknowledged+sum.Failed || sum.Failed == 0 {
		t.Errorf("got exit code %d, %+v, want 1 with the rest failed", code, sum)
	}
}

func TestProducer_HealthAndMetrics(t *testing.T) {
	s := server(t)
	p := producer(t, s.URL, "PRODUCER_COUNT=0", "PRODUCER_RATE=1000", "PRODUCER_LISTEN=127.0.0.1:0")
	p.Stderr = nil
	log, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	var line struct{ Message, Address string }
	for decoder := json.NewDecoder(log); line.Message != "listening"; {
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }()
	get := func(path string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+line.Address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		return response.Status + " " + string(body)
	}
	if got := get("/healthz"); !strings.HasPrefix(got, "200 OK") {
		t.Errorf("got %q from /healthz", got)
	}
	eventually(t, "metrics count messages", func() bool {
		return strings.Contains(get("/metrics"), "producer_messages_acknowledged_total ") && !strings.Contains(get("/metrics"), "producer_messages_acknowledged_total 0\n")
	})
	check := producer(t, s.URL, "PRODUCER_LISTEN="+line.Address)
	check.Args = append(check.Args, "healthcheck")
	if code, _ := check.run(t); code != 0 {
		t.Errorf("got exit code %d from healthcheck: %s", code, check.errOut.String())
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	check = producer(t, s.URL, "PRODUCER_LISTEN="+line.Address)
	check.Args = append(check.Args, "healthcheck")
	if code, _ := check.run(t); code != 1 {
		t.Errorf("got exit code %d from healthcheck of nobody, want 1", code)
	}
}

func TestProducer_Verbs(t *testing.T) {
	for args, want := range map[string]struct {
		code int
		out  string
	}{
		"version": {0, "producer dev"}, "version --json": {0, `"version":"dev"`}, "settings": {0, "| `PRODUCER_STREAM` | `test` |"},
		"settings --json": {0, `"variable": "PRODUCER_STREAM"`}, "help": {0, "exit codes"}, "-h": {0, "exit codes"}, "--help": {0, "exit codes"},
		"healthcheck": {1, ""}, "fly": {2, ""}, "version --loud": {2, ""},
	} {
		t.Run(args, func(t *testing.T) {
			binary, _ := binaries(t)
			var out, errOut bytes.Buffer
			run := exec.CommandContext(t.Context(), binary, strings.Fields(args)...)
			run.Stdout, run.Stderr = &out, &errOut
			_ = run.Run() // the exit code is checked
			if code := run.ProcessState.ExitCode(); code != want.code || !strings.Contains(out.String(), want.out) || (want.code != 0) != (errOut.Len() > 0) {
				t.Errorf("got exit code %d, output %q, errors %q, want %d, %q", code, out.String(), errOut.String(), want.code, want.out)
			}
		})
	}
}
