package put_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
)

// TestDial_DeadConnection: a connection that something on the way has forgotten,
// without a word, costs the request that is on it and not those after it.
func TestDial_DeadConnection(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"Records":[{"SequenceNumber":"1","ShardId":"s"}]}`)
	}))
	server.EnableHTTP2 = true // as the service has it
	server.StartTLS()
	defer server.Close()
	between := newForgetful(t, server.Listener.Addr().String())
	cfg := newEcho(t).config()
	cfg.BaseEndpoint = aws.String("https://" + between.Addr().String())
	cfg.HTTPClient = awsclient.Detached{Client: awshttp.NewBuildableClient().WithTransportOptions(func(to *http.Transport) {
		to.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	})}
	client := put.New(put.Dial(cfg, 1), "test")
	within := func(limit time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, err := client.Put(ctx, records(1, 10))
		return err
	}
	if err := within(patience); err != nil {
		t.Fatal(err)
	}
	between.forget()
	_ = within(100 * time.Millisecond) // on the dead connection
	if err := within(patience); err != nil {
		t.Errorf("got %v, want an answer on a new connection", err)
	}
}

// forgetful passes bytes on between its clients and a server, and can forget the
// connections it has: they stay open, and nothing comes through.
type forgetful struct {
	net.Listener
	to         string
	generation atomic.Int32
}

func newForgetful(t *testing.T, to string) *forgetful {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &forgetful{Listener: listener, to: to}
	t.Cleanup(func() { _ = f.Close() })
	go f.serve(t.Context())
	return f
}

func (f *forgetful) forget() { f.generation.Add(1) }

func (f *forgetful) serve(ctx context.Context) {
	for {
		client, err := f.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(ctx, "tcp", f.to)
		if err != nil {
			_ = client.Close()
			return
		}
		generation := f.generation.Load()
		go f.pass(client, server, generation)
		go f.pass(server, client, generation)
	}
}

// pass copies until from ends; what comes after its generation is dropped.
func (f *forgetful) pass(to, from net.Conn, generation int32) {
	defer func() { _ = to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if f.generation.Load() == generation {
			_, _ = to.Write(buffer[:n])
		}
	}
}
