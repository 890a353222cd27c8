package compat_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// player is a leasekeeper of the recording's release: it answers with what was
// recorded when every shard was granted, then with nothing granted.
type player struct {
	t       *testing.T
	granted map[string]any

	mu       sync.Mutex
	revision int
	withdraw bool
	drained  map[string]bool
	heard    chan struct{} // closed when every withdrawn shard was reported drained
}

func (p *player) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var request map[string]any
	if err := json.NewDecoder(req.Body).Decode(&request); err != nil || req.URL.Path != "/v1/sync" {
		http.Error(w, "no sync", http.StatusNotFound)
		return
	}
	missing(p.t, request, "consumer", "version", "worker", "revision", "wait_ms", "shards")
	// A long poll without news.
	select {
	case <-time.After(100 * time.Millisecond):
	case <-req.Context().Done():
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear(request)
	p.revision++
	answer := map[string]any{"unheard_of": map[string]any{"in": "v1"}}
	for key, value := range p.granted {
		answer[key] = value
	}
	answer["revision"] = p.revision
	if p.withdraw {
		answer["grants"] = []any{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *player) hear(request map[string]any) {
	for _, item := range list(request, "shards") {
		report, _ := item.(map[string]any)
		missing(p.t, report, "shard", "generation", "state")
		if got, want := fmt.Sprint(report["generation"]), p.generation(report["shard"]); got != want {
			p.t.Errorf("report of %v: got generation %s, want %s as granted", report["shard"], got, want)
		}
		if shard, _ := report["shard"].(string); report["state"] == "drained" && !p.drained[shard] {
			p.drained[shard] = true
			if len(p.drained) == shards {
				close(p.heard)
			}
		}
	}
}

// generation returns what was granted for a shard.
func (p *player) generation(shard any) string {
	for _, item := range list(p.granted, "grants") {
		if grant, _ := item.(map[string]any); grant["shard"] == shard {
			return fmt.Sprint(grant["generation"])
		}
	}
	return "none"
}

func (p *player) withdrawAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.withdraw = true
}

// A leasekeeper of the recording's release tells today's consumer what it told
// then, and a field it cannot know.
func TestConsumer_TakesRecordedAnswers(t *testing.T) {
	f := newFleet(t)
	p := &player{t: t, drained: map[string]bool{}, heard: make(chan struct{})}
	for _, e := range read(t) {
		if len(list(e.Response, "grants")) == shards && p.granted == nil {
			p.granted = e.Response
		}
	}
	if p.granted == nil {
		t.Fatal("the recording has no answer that grants every shard")
	}
	server := httptest.NewServer(p)
	defer server.Close()
	f.produce()
	f.consumer(f.head.Consumer, server.URL)
	f.stored()
	p.withdrawAll()
	select {
	case <-p.heard:
	case <-f.ctx.Done():
		t.Fatalf("drained %v, want all %d shards", p.drained, shards)
	}
}
