package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// newConns returns connections as the client's would be, or nil if the client
// is not the SDK's, or set up in a way that only it knows, such as a proxy.
func newConns(client aws.HTTPClient, to url.URL) *conns {
	b, ok := client.(*awshttp.BuildableClient)
	if !ok || b.GetTimeout() != 0 {
		return nil
	}
	t := b.GetTransport()
	if t.DialTLSContext != nil || t.DialTLS != nil || t.Dial != nil || proxied(t, to) { //nolint:staticcheck // t may have it
		return nil
	}
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	address := net.JoinHostPort(to.Hostname(), to.Port())
	c := &conns{most: t.MaxIdleConnsPerHost, lifetime: t.IdleConnTimeout}
	switch to.Scheme {
	case "http":
		if to.Port() == "" {
			address = net.JoinHostPort(to.Hostname(), "80")
		}
		c.dial = func(ctx context.Context) (net.Conn, error) { return dial(ctx, "tcp", address) }
	case "https":
		if to.Port() == "" {
			address = net.JoinHostPort(to.Hostname(), "443")
		}
		c.dial = secure(dial, address, tlsConfig(t, to.Hostname()), t.TLSHandshakeTimeout)
	default:
		return nil
	}
	return c
}

func proxied(t *http.Transport, to url.URL) bool {
	if t.Proxy == nil {
		return false
	}
	proxy, err := t.Proxy(&http.Request{URL: &to})
	return err != nil || proxy != nil
}

func tlsConfig(t *http.Transport, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.TLSClientConfig != nil {
		c = t.TLSClientConfig.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.NextProtos = []string{"http/1.1"}
	return c
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func secure(dial dialer, address string, c *tls.Config, timeout time.Duration) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		raw, err := dial(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		k := tls.Client(raw, c)
		if err := k.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, fmt.Errorf("shake hands with %s: %w", address, err)
		}
		return k, nil
	}
}
