package app

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awsclient"
)

// TestApart: a service that offers HTTP/2 is called over HTTP/1.1, where a dead
// connection costs the call that is on it and no other.
func TestApart(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Protocol", r.Proto)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	client := awsclient.Detached{Client: awshttp.NewBuildableClient().WithTransportOptions(func(to *http.Transport) {
		to.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	})}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := apart(aws.Config{HTTPClient: client}).HTTPClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got := response.Header.Get("Protocol"); got != "HTTP/1.1" {
		t.Errorf("got %s", got)
	}
}
