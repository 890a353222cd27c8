package main_test

import (
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestProducer_Pipe: what is piped in is sent, without any setting.
func TestProducer_Pipe(t *testing.T) {
	s := server(t)
	p := producer(t, s.URL)
	p.Stdin = strings.NewReader("a\nb\nhalf a li") // a pipe; its writer ends early
	code, sum := p.run(t)
	if code != 0 || sum.Accepted != 3 || sum.Acknowledged != 3 {
		t.Errorf("got exit code %d, %+v, want 0 with 3 messages", code, sum)
	}
	if copies := stored(t, s); len(copies) != 3 || copies["half a li"] != 1 {
		t.Errorf("got %v on the stream, want the three lines", copies)
	}
}

// TestProducer_Folder: `producer <events/` is a slip, and nothing is sent in its place.
func TestProducer_Folder(t *testing.T) {
	s := server(t)
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	p := producer(t, s.URL)
	p.Stdin = folder
	if code, sum := p.run(t); code != 1 || sum.Accepted != 0 || !strings.Contains(sum.Error, "is a directory") {
		t.Errorf("got exit code %d, %+v, want 1 and nothing sent", code, sum)
	}
}

func TestProducer_Base64(t *testing.T) {
	s := server(t)
	binary := []byte("\x00\n\xff\r\n")
	p := producer(t, s.URL, "PRODUCER_FORMAT=base64")
	p.Stdin = strings.NewReader(base64.StdEncoding.EncodeToString(binary) + "\r\nnot base64\n")
	if code, sum := p.run(t); code != 3 || sum.Acknowledged != 1 || strings.Join(sum.RejectedPositions, " ") != "2" {
		t.Errorf("got exit code %d, %+v, want 3 with line 2 rejected", code, sum)
	}
	if copies := stored(t, s); len(copies) != 1 || copies[string(binary)] != 1 {
		t.Errorf("got %v on the stream, want the bytes", copies)
	}
}

// TestProducer_SecondSignal: the first signal drains, the second one ends at once,
// and there is an account all the same.
func TestProducer_SecondSignal(t *testing.T) {
	s := server(t)
	fault(t, s, map[string]any{"kind": "stall"})
	p := producer(t, s.URL, "PRODUCER_COUNT=10", "PRODUCER_DRAIN_TIMEOUT=10m", "PRODUCER_ATTEMPT_TIMEOUT=10m")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	struck(t, s)
	go func() { // more than two, because signals that wait are one
		for t.Context().Err() == nil {
			_ = p.Process.Signal(syscall.SIGINT)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	code, sum := p.end(t)
	if code != 1 || sum.Stopped != "signal" || sum.Accepted != 10 || sum.Failed != 10 || sum.FailedUnsure != 10 {
		t.Errorf("got exit code %d, %+v, want 1 with 10 failed, perhaps stored", code, sum)
	}
}

// TestProducer_Nohup: a hangup that is ignored where the producer is started stays so.
func TestProducer_Nohup(t *testing.T) {
	s := server(t)
	p := producer(t, s.URL, "PRODUCER_SOURCE=stdin")
	p.Args = []string{"nohup", p.Path}
	nohup, err := exec.LookPath("nohup")
	if err != nil {
		t.Skip("skipped: ", err)
	}
	p.Path = nohup
	stdin, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	lines := func(n int) bool { return len(stored(t, s)) == n }
	_, _ = io.WriteString(stdin, "before\n")
	eventually(t, "the first line is on the stream", func() bool { return lines(1) })
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(stdin, "after\n")
	eventually(t, "the second line is on the stream", func() bool { return lines(2) })
	_ = stdin.Close()
	if code, sum := p.end(t); code != 0 || sum.Stopped != "end" {
		t.Errorf("got exit code %d, %+v, want 0 at the end of the lines", code, sum)
	}
}

// TestProducer_StoppedAtStart: a signal before the first message is no trouble with the network.
func TestProducer_StoppedAtStart(t *testing.T) {
	s := server(t)
	if err := s.Admin(t.Context(), "POST", "faults", map[string]any{"operation": "DescribeStreamSummary", "kind": "stall"}, nil); err != nil {
		t.Fatal(err)
	}
	p := producer(t, s.URL)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	struck(t, s)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	code, _ := p.end(t)
	if log := p.errOut.String(); code != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, "stopped before the first message") {
		t.Errorf("got exit code %d and %q, want 1 and one line that says it was stopped", code, log)
	}
}

// TestProducer_LogReaderGone: `producer 2>&1 | head` must not end the delivery.
func TestProducer_LogReaderGone(t *testing.T) {
	s := server(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	p := producer(t, s.URL, "PRODUCER_COUNT=3", "PRODUCER_SIZE=2000000") // each is rejected, with a log line
	p.Stderr = writer
	code, sum := p.run(t)
	_ = writer.Close()
	if code != 3 || sum.Rejected != 3 || sum.Stopped != "end" {
		t.Errorf("got exit code %d, %+v, want 3 and the account", code, sum)
	}
}

// TestProducer_LogReaderStuck: a log that nobody reads any more holds the process
// up, but a signal after the second ends it all the same.
func TestProducer_LogReaderStuck(t *testing.T) {
	t.Parallel()
	s := server(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	_ = writer.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // it is full long before
	_, _ = writer.Write(make([]byte, 4<<20))
	p := producer(t, s.URL, "PRODUCER_COUNT=10")
	p.Stderr = writer
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	eventually(t, "messages are on the stream", func() bool { return len(stored(t, s)) == 10 })
	go func() {
		for t.Context().Err() == nil {
			_ = p.Process.Signal(syscall.SIGTERM)
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if code, _ := p.end(t); code != -1 {
		t.Errorf("got exit code %d, want none: it was ended by a signal", code)
	}
}

// TestProducer_AccountNotWritten: the run is not clean, and the log has the account.
func TestProducer_AccountNotWritten(t *testing.T) {
	s := server(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	p := producer(t, s.URL, "PRODUCER_COUNT=3")
	p.Stdout = writer
	code, _ := p.run(t)
	_ = writer.Close()
	if log := p.errOut.String(); code != 1 || !strings.Contains(log, `"acknowledged":3`) || !strings.Contains(log, "write account: ") {
		t.Errorf("got exit code %d and %s, want 1 with the counts in the log", code, log)
	}
}
