package awsclient_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
)

// counted counts what is written to the connection.
type counted struct {
	net.Conn
	writes *atomic.Int32
}

func (c counted) Write(p []byte) (int, error) { c.writes.Add(1); return c.Conn.Write(p) }

// loaded is what Load makes of an environment that is complete.
func loaded(t *testing.T, bundle string) aws.Config {
	t.Helper()
	setEnv(t, map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_CA_BUNDLE": bundle})
	cfg, err := awsclient.Load(t.Context(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestDetached: a request is one packet, so net/http knows its body to be in
// memory, and nobody else has it to close.
func TestDetached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer server.Close()
	cfg := loaded(t, "")
	for name, tc := range map[string]struct {
		client aws.HTTPClient
		want   int32
	}{
		"ours":      {cfg.HTTPClient, 1},
		"the SDK's": {awshttp.NewBuildableClient(), 2}, // if it is 1 one day, Detached can go
	} {
		t.Run(name, func(t *testing.T) {
			var writes atomic.Int32
			cfg.BaseEndpoint = &server.URL
			cfg.HTTPClient = awsclient.WithTransport(tc.client, func(tr *http.Transport) {
				tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := (&net.Dialer{}).DialContext(ctx, network, address)
					return counted{c, &writes}, err
				}
			})
			_, err := kinesis.NewFromConfig(cfg).ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("test")})
			if got := writes.Load(); err != nil || got != tc.want {
				t.Errorf("got %d writes of one request, %v, want %d", got, err, tc.want)
			}
		})
	}
}

// TestLoad_Bundle: Detached keeps what the SDK's client was configured with.
func TestLoad_Bundle(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := loaded(t, bundle)
	cfg.BaseEndpoint = &server.URL
	if _, err := kinesis.NewFromConfig(cfg).ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String("test")}); err != nil {
		t.Errorf("call a server whose certificate AWS_CA_BUNDLE has: %v", err)
	}
}

// TestDetached_Short: a body that ends early is told before anything is sent.
func TestDetached_Short(t *testing.T) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 5
	response, err := awsclient.Detached{Client: awshttp.NewBuildableClient()}.Do(request)
	if response != nil {
		_ = response.Body.Close()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}
