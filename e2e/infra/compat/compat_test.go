package compat_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra/compat"
)

// Both at head, through the recorder: with -update it writes the recording.
func TestPair_HeadWithHead(t *testing.T) {
	f := newFleet(t)
	recorder := &compat.Recorder{Leasekeeper: f.leasekeeper(f.head.Leasekeeper)}
	proxy := httptest.NewServer(recorder)
	defer proxy.Close()
	f.pair(proxy.URL, f.head.Consumer)
	telling := recorder.Telling()
	if len(telling) < 3 {
		t.Fatalf("got %d exchanges that tell something, want attach, read and drain", len(telling))
	}
	if *update {
		if err := compat.Write(recording, telling); err != nil {
			t.Fatal(err)
		}
	}
}

// A consumer of the recording's release says to today's leasekeeper what it
// said then.
func TestLeasekeeper_TakesRecordedRequests(t *testing.T) {
	f := newFleet(t)
	base := f.leasekeeper(f.head.Leasekeeper)
	last := map[string]any{"worker": "", "revision": 0}
	generations := map[any]any{}
	for i, e := range read(t) {
		// The fleet of the recording moved on between two exchanges; so does this one.
		want := len(list(e.Response, "grants"))
		for {
			last = syncOnce(t, f, base, adapt(e.Request, last, generations))
			for _, item := range list(last, "grants") {
				grant, _ := item.(map[string]any)
				generations[grant["shard"]] = grant["generation"]
			}
			if len(list(last, "grants")) == want {
				break
			}
			if f.ctx.Err() != nil {
				t.Fatalf("exchange %d: got %d grants, want %d as recorded", i, len(list(last, "grants")), want)
			}
		}
	}
	if len(generations) != shards {
		t.Errorf("got grants of %d shards, want %d", len(generations), shards)
	}
}

// adapt makes a recorded request one of this run: it echoes the last answer and
// reports on the generations granted here. Nothing else is touched.
func adapt(recorded, last map[string]any, generations map[any]any) map[string]any {
	request := maps.Clone(recorded)
	request["worker"], request["revision"], request["wait_ms"] = last["worker"], last["revision"], 300
	reports := []any{}
	for _, item := range list(recorded, "shards") {
		report, _ := item.(map[string]any)
		if generation, granted := generations[report["shard"]]; granted {
			report["generation"] = generation
			reports = append(reports, report)
		}
	}
	request["shards"] = reports
	return request
}

// syncOnce posts until the leasekeeper serves, and checks the answer's shape.
func syncOnce(t *testing.T, f *fleet, base string, request map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		status, answer := post(t, f, base, body)
		if status == http.StatusOK {
			missing(t, answer, "version", "worker", "revision", "ttl_ms", "grants")
			for _, item := range list(answer, "grants") {
				grant, _ := item.(map[string]any)
				missing(t, grant, "stream", "shard", "generation", "start")
			}
			return answer
		}
		if status != http.StatusServiceUnavailable {
			t.Fatalf("sync: status %d for %s: %v", status, body, answer)
		}
		select {
		case <-retry.C:
		case <-f.ctx.Done():
			t.Fatal("leasekeeper serves nothing in time")
		}
	}
}

func post(t *testing.T, f *fleet, base string, body []byte) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(f.ctx, http.MethodPost, base+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer map[string]any
	decoder := json.NewDecoder(resp.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		t.Fatalf("sync: status %d, no JSON: %v", resp.StatusCode, err)
	}
	return resp.StatusCode, answer
}

func read(t *testing.T) []compat.Exchange {
	t.Helper()
	exchanges, err := compat.Read(recording)
	if err != nil {
		t.Fatal(err)
	}
	return exchanges
}

func list(object map[string]any, key string) []any {
	items, _ := object[key].([]any)
	return items
}

func missing(t *testing.T, object map[string]any, fields ...string) {
	t.Helper()
	for _, field := range fields {
		if _, there := object[field]; !there {
			t.Errorf("%s is missing in %v", field, object)
		}
	}
}
