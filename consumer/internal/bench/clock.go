package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// clock puts messages, and stands between the consumer and DynamoDB to see
// when each is stored: when the answer to its write is there.
type clock struct {
	url    string
	number *regexp.Regexp

	mu     sync.Mutex
	put    []time.Time // before the call
	stored []time.Time
	left   int
	done   chan struct{} // closed when none is left
}

func newClock(url string, messages int) *clock {
	return &clock{
		url: url, number: regexp.MustCompile(`\\"record\\":(\d+)`),
		put: make([]time.Time, messages), stored: make([]time.Time, messages), left: messages, done: make(chan struct{}),
	}
}

// ServeHTTP passes a request on.
func (c *clock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	out, err := http.NewRequestWithContext(r.Context(), r.Method, c.url, bytes.NewReader(body))
	if err != nil {
		return
	}
	out.Header = r.Header.Clone()
	resp, err := http.DefaultClient.Do(out) //nolint:gosec // the server this program has started
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if resp.StatusCode == http.StatusOK {
		c.note(body, time.Now())
	}
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// note notes the messages of a write, which localaws takes wholly.
func (c *clock) note(body []byte, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.number.FindAllSubmatch(body, -1) {
		n, err := strconv.Atoi(string(m[1]))
		if err != nil || n >= len(c.stored) || !c.stored[n].IsZero() {
			continue
		}
		c.stored[n] = now
		c.left--
		if c.left == 0 {
			close(c.done)
		}
	}
}

// produce puts a fiftieth of a second's messages fifty times a second.
func (c *clock) produce(ctx context.Context, k *kinesis.Client) error {
	const ticks = 50
	tick := time.NewTicker(time.Second / ticks)
	defer tick.Stop()
	for n := 0; n < len(c.put); {
		var entries []types.PutRecordsRequestEntry
		c.mu.Lock()
		for range min(endPerSecond/ticks, len(c.put)-n) {
			entries = append(entries, types.PutRecordsRequestEntry{PartitionKey: aws.String(uuidLike(n)), Data: payload(n, 100)})
			c.put[n] = time.Now()
			n++
		}
		c.mu.Unlock()
		out, err := k.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String("bench"), Records: entries})
		if err != nil {
			return fmt.Errorf("put records: %w", err)
		}
		if aws.ToInt32(out.FailedRecordCount) > 0 {
			return errors.New("put records: some failed")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("put records: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// wait waits until everything is stored.
func (c *clock) wait(ctx context.Context) error {
	late := time.NewTimer(endWait)
	defer late.Stop()
	select {
	case <-c.done:
		return nil
	case <-late.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Errorf("%d of %d messages are not stored", c.left, len(c.stored))
}

func (c *clock) print(mode string, p *os.ProcessState) {
	took := make([]time.Duration, len(c.put))
	for i := range took {
		took[i] = c.stored[i].Sub(c.put[i])
	}
	slices.Sort(took)
	at := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(time.Millisecond)
	}
	peak := 0.0
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		peak = float64(u.Maxrss) / 1000
	}
	each := (p.UserTime() + p.SystemTime()) / time.Duration(len(took))
	fmt.Printf("| %s | %d | %s | %s | %s | %s | %.0f MB |\n", mode, len(took), at(0.5), at(0.99), at(1), each.Round(time.Microsecond), peak)
}
