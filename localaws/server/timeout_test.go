package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// TestServer_RequestTimeout: a client that never ends its body is answered, and
// its connection closed, whoever would have read the body.
func TestServer_RequestTimeout(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{RequestTimeout: 50 * time.Millisecond})
	for name, tc := range map[string]struct {
		head, want string
	}{
		"a call":         {"POST / HTTP/1.1\r\nX-Amz-Target: Kinesis_20131202.PutRecord\r\nContent-Type: application/x-amz-json-1.1\r\n", "HTTP/1.1 408 "},
		"not looked at":  {"POST / HTTP/1.1\r\nContent-Type: application/x-amz-json-1.1\r\n", "HTTP/1.1 4"},
		"the admin door": {"POST /_localaws/faults HTTP/1.1\r\n", "HTTP/1.1 4"},
	} {
		for length, body := range map[string]string{"Content-Length: 100\r\n": `{"Str`, "Transfer-Encoding: chunked\r\n": "5\r\n{\"Str\r\n"} {
			t.Run(name+" "+length, func(t *testing.T) {
				t.Parallel()
				authorization := "Authorization: AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=00\r\n"
				request := tc.head + "Host: localaws\r\n" + authorization + length + "\r\n" + body
				for deadline := time.Now().Add(patience); ; { // a client that is held up may not even get its head in
					answer, err := exchange(t, url, request)
					if err == nil && strings.HasPrefix(answer, tc.want) {
						return
					}
					if time.Now().After(deadline) {
						t.Fatalf("got %q, %v, want %s and the connection closed", answer, err, tc.want)
					}
				}
			})
		}
	}
}

// exchange sends bytes on a connection of their own, and returns everything
// that comes until the server closes it.
func exchange(t *testing.T, url, request string) (string, error) {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(c)
	return string(answer), err
}

// TestServer_RequestTimeoutEnds: a call may last longer than a request may take, be
// it held up or a stream, over either protocol, and so may the connection.
func TestServer_RequestTimeoutEnds(t *testing.T) {
	t.Parallel()
	const within = time.Second
	s := server.New(server.Options{RequestTimeout: within})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	patient := httptest.NewServer(s) // the same server, for what is prepared
	t.Cleanup(patient.Close)
	createStream(t, client(patient.URL, "me"))
	addFault(t, patient.URL, `{"operation":"PutRecord","kind":"latency","latency_ms":1300}`)
	f := fanoutAt(t, patient.URL)
	f.tune(t, `{"heartbeat_ms":50,"takeover_ms":0}`)
	f.url = url
	t.Run("HTTP/1", func(t *testing.T) {
		t.Parallel()
		c := client(url, "me")
		works(t, func() error { return errors.Join(put(t, c, "test", "x"), put(t, c, "test", "x")) }) // on one connection
	})
	t.Run("HTTP/2", func(t *testing.T) {
		t.Parallel()
		var protocols http.Protocols
		protocols.SetUnencryptedHTTP2(true)
		two := &http.Client{Transport: &http.Transport{Protocols: &protocols}}
		defer two.CloseIdleConnections()
		works(t, func() error { return errors.Join(putRaw(t, two, url), putRaw(t, two, url)) })
	})
	t.Run("a stream", func(t *testing.T) {
		t.Parallel()
		works(t, func() error {
			s, err := f.subscribe(t)
			if err != nil {
				return err
			}
			defer func() { _ = s.Close() }()
			for began := time.Now(); time.Since(began) < 2*within; {
				if _, alive := <-s.Events(); !alive {
					return fmt.Errorf("the subscription ended after %s: %w", time.Since(began), s.Err())
				}
			}
			return nil
		})
	})
}

// works calls until there is no error: a client that is held up may not get its
// request in within a second.
func works(t *testing.T, call func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	err := call()
	for err != nil && time.Now().Before(deadline) {
		err = call()
	}
	if err != nil {
		t.Errorf("got %v from a call longer than a request may take", err)
	}
}

// putRaw puts a record over HTTP/2, without the SDK.
func putRaw(t *testing.T, through *http.Client, url string) error {
	t.Helper()
	body := strings.NewReader(`{"StreamName":"test","Data":"YQ==","PartitionKey":"k"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		return err
	}
	request.Header = call(t.Context(), streams+"PutRecord", "application/x-amz-json-1.1", nil).Header
	response, err := through.Do(request)
	if err != nil {
		return err
	}
	if answer := response.Proto + " " + response.Status; answer != "HTTP/2.0 200 OK" {
		err = errors.New(answer)
	}
	return errors.Join(err, response.Body.Close())
}
