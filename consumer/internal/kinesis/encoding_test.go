package kinesis_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// service answers in JSON well, and in CBOR as told: first times so, then well.
type service struct {
	bad   http.HandlerFunc
	times int

	mu    sync.Mutex
	asked []string // the encodings
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	_, encoding, _ := strings.Cut(r.Header.Get("Content-Type"), "x-amz-")
	s.asked = append(s.asked, encoding[:4])
	bad := strings.HasPrefix(encoding, "cbor") && s.times > 0
	if bad {
		s.times--
	}
	s.mu.Unlock()
	switch {
	case bad:
		s.bad(w, r)
	case strings.HasPrefix(encoding, "cbor"):
		w.Header().Set("Content-Type", "application/x-amz-cbor-1.1")
		_, _ = w.Write(inCBOR(map[string]any{"Records": []any{map[string]any{"SequenceNumber": "1", "PartitionKey": "k", "Data": []byte("here")}}}))
	default:
		_, _ = fmt.Fprint(w, data(base64.StdEncoding.EncodeToString([]byte("here"))))
	}
}

func inCBOR(v any) []byte {
	b, err := cbor.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// answering answers with a status and a body.
func answering(status int, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

// TestSource_Encoding reads twice from a service whose first answer in CBOR is
// bad in some way.
func TestSource_Encoding(t *testing.T) {
	coded := func(code string) []byte { return inCBOR(map[string]any{"__type": code, "message": "m"}) }
	short := inCBOR(map[string]any{"Records": []any{map[string]any{"SequenceNumber": "1", "PartitionKey": "k"}}})
	for name, c := range map[string]struct {
		bad  http.HandlerFunc
		want error // of the first read
		asks string
	}{
		"good":                      {nil, nil, "cbor cbor"},
		"in JSON":                   {answering(200, []byte(data("aGVyZQ=="))), nil, "cbor json json"},
		"a record without data":     {answering(200, short), nil, "cbor json json"},
		"without records":           {answering(200, inCBOR(map[string]any{"NextShardIterator": "n"})), nil, "cbor json json"},
		"cut off":                   {answering(200, short[:20]), nil, "cbor json json"},
		"empty":                     {answering(200, nil), nil, "cbor json json"},
		"unknown to it":             {answering(400, coded("UnknownOperationException")), nil, "cbor json json"},
		"unknown, in JSON":          {answering(400, []byte(`{"__type":"SerializationException"}`)), nil, "cbor json json"},
		"unsupported media type":    {answering(415, []byte("<html>")), nil, "cbor json json"},
		"throttled":                 {answering(400, coded("ProvisionedThroughputExceededException")), reader.ErrThrottled, "cbor cbor"},
		"throttled, in JSON":        {answering(400, []byte(`{"__type":"LimitExceededException"}`)), reader.ErrThrottled, "cbor cbor"},
		"expired":                   {answering(400, coded("com.amazonaws.kinesis#ExpiredIteratorException")), reader.ErrExpired, "cbor cbor"},
		"no stream":                 {answering(400, coded("ResourceNotFoundException")), reader.ErrNoShard, "cbor cbor"},
		"credentials have expired":  {answering(400, coded("ExpiredTokenException")), nil, "cbor json cbor"},
		"the clock is late":         {answering(403, coded("RequestExpired")), nil, "cbor json cbor"},
		"the clock is early":        {answering(403, coded("RequestInTheFuture")), nil, "cbor json cbor"},
		"server fails":              {answering(500, coded("InternalFailure")), errAny, "cbor cbor"},
		"a balancer's 503, in HTML": {answering(503, []byte("<html>")), errAny, "cbor cbor"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &service{bad: c.bad, times: 1}
			if c.bad == nil {
				s.times = 0
			}
			server := httptest.NewServer(s)
			defer server.Close()
			var log bytes.Buffer
			source := kinesis.New(awstest.Config(server.URL, "reader", nil), zerolog.New(&log))
			for n := range 2 {
				b, err := source.Records(context.Background(), contract.Grant{Stream: "s"}, "i")
				switch {
				case n == 0 && c.want != nil:
					if b != nil || err == nil || !errors.Is(err, c.want) && !errors.Is(c.want, errAny) {
						t.Errorf("got %+v and %v, want %v", b, err, c.want)
					}
				case err != nil || len(b.Records) != 1 || string(b.Records[0].Data) != "here":
					t.Errorf("read %d: got %+v and %v", n, b, err)
				}
			}
			if got := strings.Join(s.asked, " "); got != c.asks {
				t.Errorf("asked %q, want %q", got, c.asks)
			}
			if fell := slices.Contains(s.asked[len(s.asked)-1:], "json"); fell != strings.Contains(log.String(), "JSON from now on") {
				t.Errorf("log %q, fell back: %v", log.String(), fell)
			}
		})
	}
}

var errAny = errors.New("any error")

// TestSource_OnlyJSON never asks in CBOR.
func TestSource_OnlyJSON(t *testing.T) {
	s := &service{}
	server := httptest.NewServer(s)
	defer server.Close()
	source := kinesis.New(awstest.Config(server.URL, "reader", nil), zerolog.Nop())
	source.OnlyJSON()
	if _, err := source.Records(context.Background(), contract.Grant{Stream: "s", StreamARN: "arn:aws:kinesis:eu-central-1:1:stream/s"}, "i"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(s.asked, " "); got != "json" {
		t.Errorf("asked %q, want json", got)
	}
}
