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
// the SDK's credentials, signer, HTTP client and, by way of its caller,
// endpoint. It makes each call once.
type Direct struct {
	HTTP        aws.HTTPClient
	Credentials aws.CredentialsProvider
	Region      string
	SigningName string
	Endpoint    url.URL
	Target      string // of X-Amz-Target
	ContentType string
	UserAgent   string

	signer *v4.Signer
}

// NewDirect completes a Direct.
func NewDirect(d Direct) *Direct {
	d.signer, d.HTTP = v4.NewSigner(), whole(d.HTTP)
	return &d
}

// ErrChecksum is the error of an answer that is not what was sent.
var ErrChecksum = errors.New("answer differs from its checksum")

// Call makes one call and returns the body of its answer. Errors of the service
// are smithy.APIErrors.
func (d *Direct) Call(ctx context.Context, body []byte) ([]byte, error) {
	req := &http.Request{
		Method: http.MethodPost, URL: &d.Endpoint, Host: d.Endpoint.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"X-Amz-Target": {d.Target}, "Content-Type": {d.ContentType}, "User-Agent": {d.UserAgent}, "Accept-Encoding": {"identity"},
		},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}
	if req.URL.Path == "" {
		at := d.Endpoint
		at.Path = "/"
		req.URL = &at
	}
	req = req.WithContext(ctx)
	credentials, err := d.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("retrieve credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := d.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), d.SigningName, d.Region, time.Now()); err != nil {
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
