package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// host is a server that counts its connections, and a Direct to it.
type host struct {
	*httptest.Server
	connections atomic.Int64
	closed      chan struct{}
	direct      *wire.Direct
}

func newHost(t *testing.T, secure bool, h http.HandlerFunc, options ...func(*http.Transport)) *host {
	t.Helper()
	s := &host{Server: httptest.NewUnstartedServer(h), closed: make(chan struct{}, 100)}
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state { //nolint:exhaustive // the others do not matter
		case http.StateNew:
			s.connections.Add(1)
		case http.StateClosed:
			s.closed <- struct{}{}
		}
	}
	roots := x509.NewCertPool()
	if secure {
		s.StartTLS()
		roots.AddCert(s.Certificate())
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	client := awshttp.NewBuildableClient().WithTransportOptions(append(options, func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	})...)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.direct = wire.NewDirect(wire.Direct{
		HTTP: awsclient.Detached{Client: client}, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Region: "eu-central-1",
		SigningName: "dynamodb", Endpoint: *u, Target: "T.Op", ContentType: "application/x-amz-json-1.0", UserAgent: "test",
	})
	return s
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("X-Amz-Target") != "T.Op" || r.Header.Get("Authorization") == "" || r.ContentLength != int64(len(body)) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body)
}

// TestDirect_Call makes calls with bodies of all sizes, in clear and by TLS, on
// one connection.
func TestDirect_Call(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"plain": echo,
		"in pieces": func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			for piece := range slices.Chunk(body, 1+len(body)/7) {
				_, _ = flusher{w}.Write(piece)
			}
		},
		"with an early hint": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			echo(w, r)
		},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/TLS ", secure), func(t *testing.T) {
				s := newHost(t, secure, h)
				if !wire.HasConns(s.direct) {
					t.Fatal("net/http's connections are used")
				}
				for _, n := range []int{0, 1, 3000, 60_000, 70_000, 3_000_000, 5} {
					body := strings.Repeat("x", n)
					got, err := s.direct.Call(context.Background(), []byte(body))
					if err != nil || string(got) != body {
						t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
					}
				}
				if n := s.connections.Load(); n != 1 {
					t.Errorf("got %d connections, want 1", n)
				}
			})
		}
	}
}

type flusher struct{ http.ResponseWriter }

func (f flusher) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	return n, err
}

// TestDirect_ServerCloses closes connections in ways a server does.
func TestDirect_ServerCloses(t *testing.T) {
	t.Run("after each answer", func(t *testing.T) {
		s := newHost(t, false, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			echo(w, r)
		})
		for range 3 {
			if _, err := s.direct.Call(context.Background(), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.connections.Load(); n != 3 {
			t.Errorf("got %d connections, want 3", n)
		}
	})
	t.Run("while idle", func(t *testing.T) {
		s := newHost(t, false, echo)
		for range 3 {
			for range 2 {
				if _, err := s.direct.Call(context.Background(), []byte(strings.Repeat("x", 100_000))); err != nil {
					t.Fatal(err)
				}
			}
			s.CloseClientConnections()
		}
		if n := s.connections.Load(); n != 3 {
			t.Errorf("got %d connections, want 3", n)
		}
	})
	t.Run("in the middle of an answer", func(t *testing.T) {
		s := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = flusher{w}.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		})
		got, err := s.direct.Call(context.Background(), []byte("x"))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %q and %v, want an unexpected end", got, err)
		}
	})
	t.Run("without an answer", func(t *testing.T) {
		calls := atomic.Int64{}
		s := newHost(t, false, func(http.ResponseWriter, *http.Request) {
			calls.Add(1)
			panic(http.ErrAbortHandler)
		})
		if _, err := s.direct.Call(context.Background(), []byte("x")); err == nil || calls.Load() != 1 {
			t.Errorf("got %v after %d calls, want an error after 1", err, calls.Load())
		}
	})
}

// TestDirect_Ends has a call end with its context, and the next one work.
func TestDirect_Ends(t *testing.T) {
	hang, release := make(chan struct{}, 1), make(chan struct{})
	s := newHost(t, false, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "hang" {
			hang <- struct{}{}
			<-release
		}
		_, _ = w.Write(body)
	})
	defer close(release)
	for name, ctx := range map[string]func() (context.Context, context.CancelFunc){
		"deadline": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 50*time.Millisecond)
		},
		"cancel": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				<-hang
				cancel()
			}()
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := ctx()
			defer cancel()
			_, err := s.direct.Call(ctx, []byte("hang"))
			if err == nil || (name == "cancel" && !errors.Is(err, context.Canceled)) {
				t.Errorf("got %v, want the context's error", err)
			}
			if got, err := s.direct.Call(context.Background(), []byte("x")); err != nil || string(got) != "x" {
				t.Errorf("the next call: got %q and %v", got, err)
			}
		})
	}
}

// renewed is a context whose deadline has moved on since it was asked for.
type renewed struct{ context.Context }

func (renewed) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

// TestDirect_DeadlineMoves goes by a context's end, not by its deadline.
func TestDirect_DeadlineMoves(t *testing.T) {
	s := newHost(t, false, echo)
	for _, ctx := range []context.Context{context.Background(), renewed{context.Background()}} {
		if _, err := s.direct.Call(ctx, []byte("x")); err != nil {
			t.Error(err)
		}
	}
}

// TestDirect_SideBySide keeps as many connections as it may.
func TestDirect_SideBySide(t *testing.T) {
	s := newHost(t, false, echo, func(tr *http.Transport) { tr.MaxIdleConnsPerHost = 8 })
	for range 5 {
		var calls sync.WaitGroup
		for i := range 8 {
			calls.Go(func() {
				body := strings.Repeat(fmt.Sprint(i), 1000*i)
				if got, err := s.direct.Call(context.Background(), []byte(body)); err != nil || string(got) != body {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
			})
		}
		calls.Wait()
	}
	if n := s.connections.Load(); n > 8 {
		t.Errorf("got %d connections, want 8 at most", n)
	}
}

// TestDirect_DropsIdle closes what has been idle for long.
func TestDirect_DropsIdle(t *testing.T) {
	s := newHost(t, false, echo, func(tr *http.Transport) { tr.IdleConnTimeout = 20 * time.Millisecond })
	if _, err := s.direct.Call(context.Background(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection is still open")
	}
}

// TestDirect_DeadPath has something on the way forget all connections there are.
// After the first call that waits in vain the idle ones are not tried any more, one
// after the other, each for as long as a call may take.
func TestDirect_DeadPath(t *testing.T) {
	const side = 5
	var there atomic.Int64
	var dead atomic.Bool
	var old sync.Map // addresses of connections
	all := make(chan struct{})
	s := newHost(t, false, func(w http.ResponseWriter, r *http.Request) {
		switch _, is := old.LoadOrStore(r.RemoteAddr, true); {
		case !dead.Load():
			if there.Add(1) == side {
				close(all)
			}
			<-all // so that each has a connection of its own
		case is:
			<-r.Context().Done()
		}
	})
	var calls sync.WaitGroup
	for range side {
		calls.Go(func() {
			if _, err := s.direct.Call(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	dead.Store(true)
	call := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, err := s.direct.Call(ctx, nil)
		return err
	}
	if err := call(50 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v of a connection that is dead", err)
	}
	if err := call(20 * time.Second); err != nil {
		t.Errorf("got %v after that, want a new connection", err)
	}
}

// TestDirect_LeavesToNetHTTP what only the client knows how to reach.
func TestDirect_LeavesToNetHTTP(t *testing.T) {
	proxy := newHost(t, false, echo, func(tr *http.Transport) {
		tr.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://127.0.0.1:1") }
	})
	if wire.HasConns(proxy.direct) {
		t.Error("a proxy is passed by")
	}
	custom := wire.NewDirect(wire.Direct{HTTP: http.DefaultClient, Endpoint: url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
	if wire.HasConns(custom) {
		t.Error("a client of the caller's own is passed by")
	}
}

// TestDirect_Untrusted does not talk to a server whose certificate is not known.
func TestDirect_Untrusted(t *testing.T) {
	s := newHost(t, true, echo)
	d := wire.NewDirect(wire.Direct{
		HTTP: awshttp.NewBuildableClient(), Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), Endpoint: mustParse(s.URL),
	})
	if _, err := d.Call(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v, want an unknown authority", err)
	}
}

func mustParse(s string) url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return *u
}

// TestDirect_Error reads errors in JSON, in CBOR and in neither.
func TestDirect_Error(t *testing.T) {
	for body, want := range map[string]string{
		`{"__type":"com.amazonaws#Code:x","message":"m"}`:             "Code m",
		"\xa2\x66__type\x64Code\x67message\x61m":                      "Code m",
		"\xbf\x66__type\x64Code\x65other\x81\x01\x67Message\x61m\xff": "Code m",
		"<html>": " ", "": " ", "\xa2\x66__type\x64Code": "Code ",
	} {
		s := newHost(t, false, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, body)
		})
		_, err := s.direct.Call(context.Background(), []byte("x"))
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode()+" "+api.ErrorMessage() != want {
			t.Errorf("%q: got %v, want %q", body, err, want)
		}
	}
}
