package awsclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
)

// Proxies are read from the environment once in a process: one to which nobody
// listens, and one that refuses to connect.
var closedProxy, refusingProxy string

func TestMain(m *testing.M) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer proxy.Close()
	closedProxy, refusingProxy = nobody, proxy.Listener.Addr().String()
	for name, value := range map[string]string{
		"http_proxy": "http://user:secret@" + closedProxy, "HTTPS_PROXY": "http://user:secret@" + refusingProxy,
		"NO_PROXY": "no-such-host.invalid,amazonaws.com", "HTTP_PROXY": "", "https_proxy": "", "no_proxy": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// nobody is an address to which nobody listens.
const nobody = "127.0.0.1:1"

// call makes a call with this environment, and returns its error.
func call(t *testing.T, env map[string]string, change ...func(*kinesis.Options)) error {
	t.Helper()
	return callWithin(t, time.Minute, env, change...)
}

// callWithin is call, with so much time.
func callWithin(t *testing.T, limit time.Duration, env map[string]string, change ...func(*kinesis.Options)) error {
	t.Helper()
	setEnv(t, map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "eu-central-1"})
	for name, value := range env {
		t.Setenv(name, value)
	}
	cfg, err := awsclient.Load(t.Context(), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 2, time.Millisecond })
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	_, err = kinesis.NewFromConfig(cfg, change...).DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("test")})
	return err
}

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

// notFound fails calls as net/http does where DNS knows of no such host.
func notFound(o *kinesis.Options) {
	o.HTTPClient = answer(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}}
	})
}

// TestExplain reads what is said where AWS cannot be reached.
func TestExplain(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // from then on the end of the connection is seen
		switch r.URL.Path {
		case "/closes":
			panic(http.ErrAbortHandler)
		case "/silent":
			<-r.Context().Done()
		case "/json":
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("{}"))
		}
		http.NotFound(w, r)
	}))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	host, secureHost := plain.Listener.Addr().String(), secure.Listener.Addr().String()
	for name, tc := range map[string]struct {
		env    map[string]string
		change []func(*kinesis.Options)
		want   string
	}{
		"no such host": {map[string]string{"AWS_ENDPOINT_URL": "http://no-such-host.invalid:1"}, []func(*kinesis.Options){notFound},
			"Kinesis at no-such-host.invalid:1 (AWS_ENDPOINT_URL): no such host; correct AWS_ENDPOINT_URL"},
		"no such region": {map[string]string{"AWS_REGION": "eu-cenral-1"}, []func(*kinesis.Options){notFound},
			"Kinesis at kinesis.eu-cenral-1.amazonaws.com:443 (AWS_REGION=eu-cenral-1): no such host; correct AWS_REGION, or look at the network's DNS"},
		"nobody listens": {map[string]string{"AWS_ENDPOINT_URL": "http://" + nobody}, nil,
			"Kinesis at " + nobody + " (AWS_ENDPOINT_URL): connection refused; start what should listen there, or correct AWS_ENDPOINT_URL"},
		"of the service": {map[string]string{"AWS_ENDPOINT_URL": plain.URL, "AWS_ENDPOINT_URL_KINESIS": "http://" + nobody}, nil,
			"Kinesis at " + nobody + " (AWS_ENDPOINT_URL_KINESIS): connection refused; start what should listen there, or correct AWS_ENDPOINT_URL_KINESIS"},
		"no TLS": {map[string]string{"AWS_ENDPOINT_URL": "https://" + host}, nil,
			"Kinesis at " + host + " (AWS_ENDPOINT_URL): what answers there does not speak TLS; correct AWS_ENDPOINT_URL, perhaps to http://"},
		"certificate": {map[string]string{"AWS_ENDPOINT_URL": secure.URL}, nil,
			"Kinesis at " + secureHost + " (AWS_ENDPOINT_URL): its certificate is not trusted (x509: certificate signed by unknown authority); correct AWS_ENDPOINT_URL"},
		"closes": {map[string]string{"AWS_ENDPOINT_URL": plain.URL + "/closes?"}, nil,
			"Kinesis at " + host + " (AWS_ENDPOINT_URL): the connection was closed without an answer; correct AWS_ENDPOINT_URL"},
		"something else": {map[string]string{"AWS_ENDPOINT_URL": plain.URL}, nil,
			"Kinesis at " + host + " (AWS_ENDPOINT_URL): what answers there is something else (status 404); correct AWS_ENDPOINT_URL"},
		"something else in JSON": {map[string]string{"AWS_ENDPOINT_URL": plain.URL + "/json?"}, nil,
			"Kinesis at " + host + " (AWS_ENDPOINT_URL): what answers there is something else (status 418); correct AWS_ENDPOINT_URL"},
		"closed proxy": {map[string]string{"AWS_ENDPOINT_URL": "http://proxied.invalid"}, nil,
			"Kinesis at proxied.invalid:80 through the proxy " + closedProxy + " (http_proxy): connection refused; correct http_proxy, or list the host in NO_PROXY"},
		"refusing proxy": {map[string]string{"AWS_ENDPOINT_URL": "https://proxied.invalid"}, nil,
			"Kinesis at proxied.invalid:443 through the proxy " + refusingProxy + " (HTTPS_PROXY): Forbidden; correct HTTPS_PROXY, or list the host in NO_PROXY"},
	} {
		t.Run(name, func(t *testing.T) { wantCause(t, call(t, tc.env, tc.change...), tc.want) })
	}
	t.Run("silent", func(t *testing.T) {
		err := callWithin(t, time.Second, map[string]string{"AWS_ENDPOINT_URL": plain.URL + "/silent?"})
		wantCause(t, err, "Kinesis at "+host+" (AWS_ENDPOINT_URL): no answer in time; correct AWS_ENDPOINT_URL")
	})
}

func wantCause(t *testing.T, err error, want string) {
	t.Helper()
	if got := awsclient.Explain(err); err == nil || got.Error() != "cannot reach "+want || !errors.Is(got, err) {
		t.Errorf("got %v, want cannot reach %s", got, want)
	}
}

// TestExplain_Lookup asks DNS for a name that no one can have.
func TestExplain_Lookup(t *testing.T) {
	got := awsclient.Explain(call(t, map[string]string{"AWS_ENDPOINT_URL": "http://no-such-host.invalid:1"})).Error()
	want := `^cannot reach Kinesis at no-such-host\.invalid:1 \(AWS_ENDPOINT_URL\): (no such host|its name could not be looked up \(.*\)); `
	if !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestExplain_Profile knows of no variable where the region is a file's.
func TestExplain_Profile(t *testing.T) {
	file := t.TempDir() + "/config"
	if err := os.WriteFile(file, []byte("[default]\nregion = eu-cenral-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := call(t, map[string]string{"AWS_REGION": "", "AWS_CONFIG_FILE": file}, notFound)
	want := "cannot reach Kinesis at kinesis.eu-cenral-1.amazonaws.com:443: no such host; look at the profile's region and endpoint_url, and at the network"
	if got := awsclient.Explain(err); got.Error() != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestExplain_Answers leaves what AWS says as it is, and what is no call at all.
func TestExplain_Answers(t *testing.T) {
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"AccessDeniedException","message":"no"}`))
	}))
	defer aws.Close()
	err := call(t, map[string]string{"AWS_ENDPOINT_URL": aws.URL})
	var api smithy.APIError
	if got := awsclient.Explain(err); got != err || !errors.As(got, &api) || api.ErrorCode() != "AccessDeniedException" { //nolint:errorlint // the very same
		t.Errorf("got %v, want AWS's answer", got)
	}
	if got := awsclient.Explain(nil); got != nil {
		t.Errorf("got %v of nil", got)
	}
}

// TestLoad_Place refuses what cannot be a region or an endpoint.
func TestLoad_Place(t *testing.T) {
	for _, bad := range [][2]string{
		{"AWS_REGION", "eu central 1"}, {"AWS_ENDPOINT_URL", "localhost:4567"}, {"AWS_ENDPOINT_URL_KINESIS", "127.0.0.1:4567"},
		{"AWS_ENDPOINT_URL_DYNAMODB", "http://"}, {"AWS_ENDPOINT_URL", "ftp://localhost"},
	} {
		setEnv(t, map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "eu-central-1"})
		t.Setenv(bad[0], bad[1])
		_, err := awsclient.Load(t.Context(), zerolog.Nop())
		if err == nil || !strings.HasPrefix(err.Error(), bad[0]+": want a") || !strings.Contains(err.Error(), bad[1]) {
			t.Errorf("%s=%s: got %v, want an error that names both", bad[0], bad[1], err)
		}
	}
}
