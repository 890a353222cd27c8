package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/cbor"
)

// Direct makes calls of one operation of the AWS JSON protocols, or their CBOR
// form, without the SDK's stack of middleware, which costs more than everything
// else in a small call. It uses the SDK's credentials, the settings of its HTTP
// client and, by way of its caller, its endpoint, and signs as the SDK does. It
// makes each call once, but for one that finds an idle connection closed. After
// a refusal that is due to this machine's clock it signs by the service's.
type Direct struct {
	HTTP        aws.HTTPClient
	Credentials aws.CredentialsProvider
	Region      string
	SigningName string
	Endpoint    url.URL
	Target      string // of X-Amz-Target
	ContentType string
	UserAgent   string

	general *v4.Signer
	signing *signing // nil: general signs
	conns   *conns   // nil: HTTP has them
	skew    *skew
}

// NewDirect completes a Direct.
func NewDirect(d Direct) *Direct {
	if d.Endpoint.Path == "" {
		d.Endpoint.Path = "/"
	}
	d.HTTP, d.general, d.skew = awsclient.Inner(d.HTTP), v4.NewSigner(), &skew{}
	if isPlain(d.Endpoint) {
		d.conns = newConns(d.HTTP, d.Endpoint)
		d.signing = &signing{
			accept: acceptEncoding, contentType: d.ContentType, target: d.Target,
			host: d.Endpoint.Host, region: d.Region, service: d.SigningName,
		}
	}
	return &d
}

const acceptEncoding = "identity"

// isPlain tells whether an endpoint is a host with, perhaps, a port of its own,
// so that there is nothing to escape or to leave out in a signature.
func isPlain(u url.URL) bool {
	standard := u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443"
	return u.Path == "/" && u.RawQuery == "" && !standard
}

// ErrChecksum is the error of an answer that is not what was sent.
var ErrChecksum = errors.New("answer differs from its checksum")

// Call makes one call and returns the body of its answer. Errors of the service
// are smithy.APIErrors.
func (d *Direct) Call(ctx context.Context, body []byte) ([]byte, error) {
	credentials, err := d.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it is
	}
	at := d.skew.now()
	req, err := d.request(ctx, body, credentials, at)
	if err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	a, err := d.exchange(req, body)
	if err != nil {
		return nil, err
	}
	if want := a.header.Get("X-Amz-Crc32"); want != "" && want != strconv.FormatUint(uint64(crc32.ChecksumIEEE(a.body)), 10) {
		return nil, ErrChecksum
	}
	if a.status != http.StatusOK {
		err := apiError(a)
		d.skew.learn(err.Code, a.header, at)
		return nil, err
	}
	return a.body, nil
}

// answer is an answer that was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// readAnswer reads an answer, and closes its body.
func readAnswer(resp *http.Response) (answer, error) {
	defer func() { _ = resp.Body.Close() }()
	body, err := read(resp)
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

// exchange sends a request, and returns its answer.
func (d *Direct) exchange(req *http.Request, body []byte) (answer, error) {
	if d.conns != nil {
		a, err := d.conns.exchange(req, body)
		if err != nil {
			return a, fmt.Errorf("call %s: %w", req.Host, err)
		}
		return a, nil
	}
	resp, err := d.HTTP.Do(req) //nolint:bodyclose // readAnswer does
	if err != nil {
		return answer{}, fmt.Errorf("send request: %w", err)
	}
	return readAnswer(resp)
}

// request returns a signed request.
func (d *Direct) request(ctx context.Context, body []byte, credentials aws.Credentials, now time.Time) (*http.Request, error) {
	at := d.Endpoint
	req := (&http.Request{
		Method: http.MethodPost, URL: &at, Host: at.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"X-Amz-Target": {d.Target}, "Content-Type": {d.ContentType}, "User-Agent": {d.UserAgent}, "Accept-Encoding": {acceptEncoding},
		},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}).WithContext(ctx)
	digest := sha256.Sum256(body)
	if d.signing != nil {
		d.signing.sign(req.Header, credentials, len(body), digest, now)
		return req, nil
	}
	return req, d.general.SignHTTP(ctx, credentials, req, hex.EncodeToString(digest[:]), d.SigningName, d.Region, now)
}

// failure is the body of an error.
type failure struct {
	Type     string `json:"__type"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Message2 string `json:"Message"`
}

// read reads a body by how it begins: a service that was asked in CBOR may
// answer in JSON, whatever it says the body is. A body that is neither has no
// code.
func (f *failure) read(body []byte) {
	if !cbor.IsMap(body) {
		_ = json.Unmarshal(body, f)
		return
	}
	d := cbor.New(body)
	d.Map(func(key []byte) bool {
		member := map[string]*string{"__type": &f.Type, "code": &f.Code, "message": &f.Message, "Message": &f.Message2}[string(key)]
		if member == nil || d.Null() {
			return member != nil || d.Skip()
		}
		text, ok := d.Text()
		*member = string(text)
		return ok
	})
}

func apiError(a answer) *smithy.GenericAPIError {
	var b failure
	b.read(a.body)
	e := &smithy.GenericAPIError{Code: b.Type, Message: b.Message, Fault: smithy.FaultClient}
	if e.Code == "" {
		e.Code = b.Code
	}
	if e.Code == "" {
		e.Code = a.header.Get("X-Amzn-Errortype")
	}
	e.Code, _, _ = strings.Cut(e.Code, ":")
	if _, code, ok := strings.Cut(e.Code, "#"); ok {
		e.Code = code
	}
	if e.Message == "" {
		e.Message = b.Message2
	}
	if a.status >= http.StatusInternalServerError {
		e.Fault = smithy.FaultServer
	}
	return e
}
