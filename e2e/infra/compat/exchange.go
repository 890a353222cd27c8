// Package compat checks that consumers and leasekeepers of different releases
// understand each other: the newest release of one with the source of the other,
// and, as long as there are no releases, recorded requests and answers of v1.
package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

// Exchange is one sync as it went over the wire.
type Exchange struct {
	Request  map[string]any `json:"request"`
	Response map[string]any `json:"response"`
}

// Recorder forwards everything to a leasekeeper and keeps the syncs it answered.
type Recorder struct {
	Leasekeeper string // base URL

	mu        sync.Mutex
	exchanges []Exchange
}

// ServeHTTP implements http.Handler.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	forward, err := http.NewRequestWithContext(req.Context(), req.Method, r.Leasekeeper+req.URL.Path, bytes.NewReader(body)) //nolint:gosec // a test's own proxy on loopback
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	forward.Header = req.Header.Clone()
	resp, err := http.DefaultClient.Do(forward) //nolint:gosec // a test's own proxy on loopback
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if resp.StatusCode == http.StatusOK && req.URL.Path == "/v1/sync" {
		r.keep(body, answer)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

func (r *Recorder) keep(request, response []byte) {
	var e Exchange
	if json.Unmarshal(request, &e.Request) != nil || json.Unmarshal(response, &e.Response) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exchanges = append(r.exchanges, e)
}

// Telling returns the exchanges that say something new: other shards, states or
// grants than the one before.
func (r *Recorder) Telling() []Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	var telling []Exchange
	last := ""
	for _, e := range r.exchanges {
		if key := gist(e); key != last {
			telling, last = append(telling, e), key
		}
	}
	return telling
}

func gist(e Exchange) string {
	key := fmt.Sprint(e.Request["draining"])
	for _, list := range []any{e.Request["shards"], e.Response["grants"]} {
		shards, _ := list.([]any)
		for _, item := range shards {
			if shard, ok := item.(map[string]any); ok {
				key += fmt.Sprint(shard["shard"], shard["generation"], shard["state"], shard["checkpoint"] != nil, ";")
			}
		}
		key += "|"
	}
	return key
}

// Read reads a recording, one exchange a line.
func Read(path string) ([]Exchange, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	defer func() { _ = file.Close() }()
	var all []Exchange
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e Exchange
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		if err := decoder.Decode(&e); err != nil {
			return nil, fmt.Errorf("read recording: %w", err)
		}
		all = append(all, e)
	}
	return all, lines.Err()
}

// Write writes a recording.
func Write(path string, exchanges []Exchange) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	for _, e := range exchanges {
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("write recording: %w", err)
		}
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}
