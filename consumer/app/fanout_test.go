package app_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// overHTTP2 is the SDK's configuration as a consumer has it, for a server that
// speaks HTTP/2 as Kinesis does for subscriptions.
func overHTTP2(dial func(ctx context.Context, network, address string) (net.Conn, error)) aws.Config {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.Protocols, t.DialContext = unencryptedHTTP2(), dial
	})
	return app.Tuned(awstest.Config("http://kinesis.test", "reader", awsclient.Detached{Client: client}))
}

func unencryptedHTTP2() *http.Protocols {
	p := &http.Protocols{}
	p.SetUnencryptedHTTP2(true)
	return p
}

// events writes events of a subscription.
type events struct {
	to   http.ResponseWriter
	sent atomic.Int64 // bytes
}

func (e *events) write(kind, payload string) error {
	var b bytes.Buffer
	header := func(name, value string) eventstream.Header {
		return eventstream.Header{Name: ":" + name, Value: eventstream.StringValue(value)}
	}
	m := eventstream.Message{Payload: []byte(payload), Headers: eventstream.Headers{
		header("message-type", "event"), header("event-type", kind), header("content-type", "application/json"),
	}}
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		return err
	}
	n, err := e.to.Write(b.Bytes())
	e.sent.Add(int64(n))
	if err != nil {
		return err
	}
	return http.NewResponseController(e.to).Flush()
}

func (e *events) begin() error {
	e.to.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	return e.write("initial-response", "{}")
}

func (e *events) record(n int, data string) error {
	return e.write("SubscribeToShardEvent", `{"Records":[{"SequenceNumber":"`+strconv.Itoa(n)+`","PartitionKey":"k","Data":"`+data+
		`","ApproximateArrivalTimestamp":1}],"ContinuationSequenceNumber":"`+strconv.Itoa(n)+`","MillisBehindLatest":0}`)
}

// wires are connections in memory. It is a net.Listener of their other ends.
type wires struct {
	accept chan net.Conn
	closed chan struct{}

	mu    sync.Mutex
	conns []*wire
}

// wire is a connection that can go dead: what is sent gets lost, nothing comes,
// and nobody tells.
type wire struct {
	net.Conn
	dead atomic.Bool
}

func (w *wire) Write(b []byte) (int, error) {
	if w.dead.Load() {
		return len(b), nil
	}
	return w.Conn.Write(b)
}

func newWires() *wires { return &wires{accept: make(chan net.Conn), closed: make(chan struct{})} }

// serve answers over the wires until the returned function is called.
func (w *wires) serve(h http.HandlerFunc) (stop func()) {
	server := &http.Server{Protocols: unencryptedHTTP2(), Handler: h}
	go func() { _ = server.Serve(w) }()
	return func() { _ = server.Close() }
}

func (w *wires) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	c := &wire{Conn: client}
	w.mu.Lock()
	w.conns = append(w.conns, c)
	w.mu.Unlock()
	w.accept <- server
	return c, nil
}

func (w *wires) Accept() (net.Conn, error) {
	select {
	case c := <-w.accept:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wires) Addr() net.Addr { return &net.TCPAddr{} }

func (w *wires) Close() error {
	close(w.closed)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	return nil
}

func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.dead.Store(true)
	}
}

var granted = contract.Grant{Stream: "s", Shard: "shardId-000000000000", Start: contract.Start{Type: contract.TrimHorizon}}

func subscriber(w *wires) *kinesis.Subscriber {
	return kinesis.NewSubscriber(overHTTP2(w.dial), "arn:aws:kinesis:eu-central-1:1:stream/s/consumer/c:1", "", zerolog.Nop())
}

// arrivals is a reader.Sink that tells when records come.
type arrivals chan string

func (a arrivals) Accept(_ context.Context, b *reader.Batch, release func()) error {
	for _, r := range b.Records {
		a <- r.Sequence
	}
	release()
	return nil
}

// TestFanout_DeadConnection has the connection of a subscription go dead without
// a word, as when something on the way forgets it. All subscriptions, and further
// ones too, share that connection, until it is found to be dead.
func TestFanout_DeadConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newWires()
		var calls atomic.Int64
		stopServer := net.serve(func(w http.ResponseWriter, r *http.Request) {
			e, n := &events{to: w}, int(calls.Add(1))
			if e.begin() != nil || e.record(n, "") != nil {
				return
			}
			if n == 1 {
				net.cut()
			}
			<-r.Context().Done()
		})
		defer stopServer()

		polling := &reader.Polling{Budget: budget.New(16 << 20), Observer: metrics.New(), Log: zerolog.Nop()}
		f := reader.NewFanout(subscriber(net), polling)
		f.GiveUp = 1000 // polling is not what is looked at
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		got := make(arrivals, 10)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = f.Run(ctx, granted, got)
		}()
		for want := 1; want <= 2; want++ {
			select {
			case s := <-got:
				if s != strconv.Itoa(want) {
					t.Fatalf("got record %s, want %d", s, want)
				}
			case <-time.After(time.Minute):
				t.Fatalf("record %d has not come within a minute", want)
			}
		}
		stop()
		<-ended
	})
}

// TestFanout_Ahead counts what a subscription takes in while nobody asks for its
// events: that is beside the memory budget, for each shard.
func TestFanout_Ahead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newWires()
		var e events
		stop := net.serve(func(w http.ResponseWriter, _ *http.Request) {
			e.to = w
			data := strings.Repeat("AAAA", 8<<10)
			for err := e.begin(); err == nil; {
				err = e.record(1, data)
			}
		})
		defer stop()
		s, err := subscriber(net).Subscribe(t.Context(), granted, reader.Start{Start: granted.Start})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		synctest.Wait()
		if sent := e.sent.Load(); sent < 64<<10 || sent > 1<<20 {
			t.Errorf("got %d bytes ahead, want some, but less than a MiB", sent)
		}
	})
}
