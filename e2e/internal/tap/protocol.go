package tap

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// call is what is remembered of a request until its answer is there.
type call struct {
	operation, client, shard string
	sent                     time.Time
}

type callKey struct{}

// asked notes operation, caller and shard of a request and passes it on.
func (t *Tap) asked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{client: accessKey(r.Header.Get("Authorization")), sent: time.Now()}
		_, c.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if c.operation == "GetRecords" || c.operation == "GetShardIterator" || c.operation == "SubscribeToShard" {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				abort(w, r, err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			c.shard = t.shardOf(body, r.Header)
			r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		}
		next.ServeHTTP(w, r)
	})
}

// skipped is a value of which only the number counts.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }
func (*skipped) UnmarshalCBOR([]byte) error { return nil }

// read decodes a body in either of the encodings Kinesis speaks.
func read(body []byte, h http.Header, into any) error {
	if strings.HasPrefix(h.Get("Content-Type"), "application/x-amz-cbor") {
		return cbor.Unmarshal(body, into)
	}
	return json.Unmarshal(body, into)
}

func (t *Tap) shardOf(body []byte, h http.Header) string {
	var in struct{ ShardId, ShardIterator string }
	if read(body, h, &in) != nil {
		return ""
	}
	if in.ShardId != "" {
		return in.ShardId
	}
	return t.known(in.ShardIterator)
}

// accessKey takes the client's name from a signature of version 4.
func accessKey(authorization string) string {
	_, rest, _ := strings.Cut(authorization, "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	return key
}

// answered learns the iterators an answer hands out and writes a read down.
func (t *Tap) answered(resp *http.Response) error {
	c, ok := resp.Request.Context().Value(callKey{}).(call)
	if !ok {
		return nil
	}
	if c.operation == "SubscribeToShard" {
		resp.Body = &subscription{ReadCloser: resp.Body, tap: t, call: c}
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var out struct {
		ShardIterator, NextShardIterator string
		Records                          []skipped
	}
	good := resp.StatusCode == http.StatusOK && read(body, resp.Header, &out) == nil
	if next := out.ShardIterator + out.NextShardIterator; good && next != "" {
		t.learn(next, c.shard)
	}
	if c.operation == "GetRecords" {
		t.add(Read{
			Shard: c.shard, Client: c.client, Sent: c.sent, Done: time.Now(), Records: len(out.Records),
			OK: good, Ended: good && out.NextShardIterator == "",
		})
	}
	return nil
}
