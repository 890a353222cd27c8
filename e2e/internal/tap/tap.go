// Package tap is a proxy in front of Kinesis that writes down who read which
// shard when. It stands between the consumers and the server, so that gaps in
// reading are measured from outside, by what reaches Kinesis, and not by what a
// process says of itself.
package tap

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// maxReads bounds what is kept; the oldest half is dropped beyond it.
const maxReads = 400_000

// maxIterators bounds how many iterators are remembered, twice.
const maxIterators = 50_000

// Read is one GetRecords call that was answered, or one event of a subscription,
// its beginning included; that of an event is sent and done when it passes.
type Read struct {
	Shard   string
	Client  string    // access key id of the caller
	Sent    time.Time // the request arrived
	Done    time.Time // the answer left
	Records int
	OK      bool // answered with 200
	Ended   bool // the answer was the end of the shard
}

// Tap is a running proxy.
type Tap struct {
	URL    string
	server *http.Server

	mu        sync.Mutex
	iterators map[string]string // iterator → shard, those handed out lately
	older     map[string]string // those before them
	reads     []Read
	total     map[string]int // records handed out per shard
	first     map[string]Read
	last      map[string]Read
	ends      map[string]Read
}

// Start listens on a free port of 127.0.0.1 and forwards to target until Stop.
func Start(ctx context.Context, target string) (*Tap, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("start tap: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start tap: %w", err)
	}
	t := &Tap{
		URL: "http://" + listener.Addr().String(), iterators: map[string]string{},
		total: map[string]int{}, first: map[string]Read{}, last: map[string]Read{}, ends: map[string]Read{},
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // part of what was signed
		},
		FlushInterval: -1, // SubscribeToShard is a stream of events
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second, DisableCompression: true},
		ErrorHandler:  abort,
	}
	proxy.ModifyResponse = t.answered
	t.server = &http.Server{Handler: t.asked(proxy), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = t.server.Serve(listener) }()
	return t, nil
}

// abort closes the caller's connection: what the server did to us, we do to
// the caller, so that a dropped connection stays one.
func abort(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }

// Stop closes the proxy and every connection.
func (t *Tap) Stop() { _ = t.server.Close() }

// Reads returns every read kept that arrived at or after since.
func (t *Tap) Reads(since time.Time) []Read {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []Read
	for _, r := range t.reads {
		if !r.Sent.Before(since) {
			out = append(out, r)
		}
	}
	return out
}

// Delivered returns how many records were handed out, per shard; a record
// that was read twice counts twice.
func (t *Tap) Delivered() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.total)
}

// FirstReads returns the first good read of each shard.
func (t *Tap) FirstReads() map[string]Read {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.first)
}

// LastReads returns the last good read of each shard.
func (t *Tap) LastReads() map[string]Read {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.last)
}

// learn notes the shard of an iterator. Two generations bound what is kept.
func (t *Tap) learn(iterator, shard string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.iterators) >= maxIterators {
		t.older, t.iterators = t.iterators, map[string]string{}
	}
	t.iterators[iterator] = shard
}

func (t *Tap) known(iterator string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if shard, ok := t.iterators[iterator]; ok {
		return shard
	}
	return t.older[iterator]
}

// Ends returns the first answer of each shard that was the shard's end.
func (t *Tap) Ends() map[string]Read {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.ends)
}

func (t *Tap) add(r Read) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.reads) >= maxReads {
		t.reads = append([]Read(nil), t.reads[maxReads/2:]...)
	}
	t.reads = append(t.reads, r)
	t.total[r.Shard] += r.Records
	if !r.OK {
		return
	}
	if _, have := t.first[r.Shard]; !have {
		t.first[r.Shard] = r
	}
	t.last[r.Shard] = r
	if _, have := t.ends[r.Shard]; r.Ended && !have {
		t.ends[r.Shard] = r
	}
}
