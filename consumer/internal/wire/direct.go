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
)

// Direct makes calls of one AWS JSON operation without the SDK's stack of
// middleware, which costs more than everything else in a small call. It uses
// the SDK's credentials, HTTP client and, by way of its caller, endpoint, and
// signs as the SDK does. It makes each call once.
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
}

// NewDirect completes a Direct.
func NewDirect(d Direct) *Direct {
	if d.Endpoint.Path == "" {
		d.Endpoint.Path = "/"
	}
	d.HTTP, d.general = whole(d.HTTP), v4.NewSigner()
	if isPlain(d.Endpoint) {
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
		return nil, fmt.Errorf("retrieve credentials: %w", err)
	}
	req, err := d.request(ctx, body, credentials, time.Now())
	if err != nil {
		return nil, fmt.Errorf("sign request: %w", err)
	}
	resp, err := d.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("send request: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := read(resp)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if want := resp.Header.Get("X-Amz-Crc32"); want != "" && want != strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10) {
		return nil, ErrChecksum
	}
	if resp.StatusCode != http.StatusOK {
		return nil, apiError(resp, answer)
	}
	return answer, nil
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

func apiError(resp *http.Response, body []byte) error {
	var b struct {
		Type     string `json:"__type"`
		Code     string `json:"code"`
		Message  string `json:"message"`
		Message2 string `json:"Message"`
	}
	_ = json.Unmarshal(body, &b) // a body that is no JSON has no code
	e := &smithy.GenericAPIError{Code: b.Type, Message: b.Message, Fault: smithy.FaultClient}
	if e.Code == "" {
		e.Code = b.Code
	}
	if e.Code == "" {
		e.Code = resp.Header.Get("X-Amzn-Errortype")
	}
	e.Code, _, _ = strings.Cut(e.Code, ":")
	if _, code, ok := strings.Cut(e.Code, "#"); ok {
		e.Code = code
	}
	if e.Message == "" {
		e.Message = b.Message2
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		e.Fault = smithy.FaultServer
	}
	return e
}
