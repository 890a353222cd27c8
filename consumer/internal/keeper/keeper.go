// Package keeper calls the leasekeeper beside this consumer.
package keeper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// Sentinels for what leasekeeper may answer other than grants.
var (
	ErrConflict = errors.New("another consumer is attached to this leasekeeper")
	ErrNotReady = errors.New("leasekeeper does not serve grants now")
)

const maxAnswer = 8 << 20 // 10 000 shards need about 4 MB

// Client is safe for use by several goroutines.
type Client struct {
	url  string
	http *http.Client
}

// New returns a Client for the leasekeeper at url. It keeps a connection open
// and uses no proxy.
func New(url string) *Client {
	dialer := &net.Dialer{Timeout: time.Second}
	return &Client{
		url: strings.TrimRight(url, "/") + "/v1/sync",
		http: &http.Client{Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConns: 4, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, DisableCompression: true,
		}},
	}
}

// Sync makes one call. The caller's ctx bounds it.
func (c *Client) Sync(ctx context.Context, r contract.SyncRequest) (contract.SyncResponse, error) {
	var answer contract.SyncResponse
	body, err := json.Marshal(r)
	if err != nil {
		return answer, fmt.Errorf("encode sync: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return answer, fmt.Errorf("make sync request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return answer, fmt.Errorf("sync with leasekeeper: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer, fmt.Errorf("read leasekeeper's answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return answer, refusal(resp.StatusCode, data)
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("decode leasekeeper's answer: %w", err)
	}
	if answer.Worker == "" || answer.Revision < 1 {
		return answer, errors.New("decode leasekeeper's answer: no worker or revision in it")
	}
	return answer, nil
}

func refusal(status int, body []byte) error {
	var e contract.ErrorBody
	_ = json.Unmarshal(body, &e) // a body that is no JSON has no message
	switch status {
	case http.StatusConflict:
		return fmt.Errorf("%w: %s", ErrConflict, e.Error.Message)
	case http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", ErrNotReady, e.Error.Message)
	}
	return fmt.Errorf("leasekeeper answered %d %s: %s", status, e.Error.Code, e.Error.Message)
}
