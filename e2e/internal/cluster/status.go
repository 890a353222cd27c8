package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"sync"
	"time"
)

// Status is what GET /v1/status of a leasekeeper answers (leasekeeper/api/v1.yaml).
type Status struct {
	Worker  string   `json:"worker"`
	Ready   bool     `json:"ready"`
	Workers []Worker `json:"workers"`
	Leases  []Lease  `json:"leases"`
}

// Worker is one worker as a leasekeeper sees it.
type Worker struct {
	Worker string `json:"worker"`
	State  string `json:"state"`
	Ready  bool   `json:"ready"`
	Leases int    `json:"leases"`
}

// Lease is one lease as a leasekeeper sees it.
type Lease struct {
	Shard      string `json:"shard"`
	Owner      string `json:"owner"`
	Generation int64  `json:"generation"`
	Checkpoint string `json:"checkpoint"`
	State      string `json:"state"`
	LagMS      int64  `json:"lag_ms"`
}

// ErrNoStatus means that no running task answered.
var ErrNoStatus = errors.New("no leasekeeper answers")

// Status asks the task's leasekeeper.
func (t *Task) Status(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	url, _ := t.URLs()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/status", nil)
	if err != nil {
		return Status{}, fmt.Errorf("ask %s for its status: %w", t.Name, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Status{}, fmt.Errorf("ask %s for its status: %w", t.Name, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var s Status
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return Status{}, fmt.Errorf("decode status of %s: %w", t.Name, err)
	}
	return s, nil
}

// Picture is the cluster at one moment: the leases, with owners named by task.
type Picture struct {
	Leases []Lease           // by shard, as the first task that answers sees them
	Own    map[string]Lease  // by shard: as the task that holds it says itself
	Tasks  map[string]string // worker → task
	Ready  int               // tasks whose leasekeeper says it is ready
}

// Picture asks every running task, side by side; the first in order that
// answers tells the leases. A task that does not answer, because it is paused or
// just dying, is left out.
func (c *Cluster) Picture(ctx context.Context) (Picture, error) {
	tasks := c.Tasks()
	answers := make([]*Status, len(tasks))
	var wg sync.WaitGroup
	for i, t := range tasks {
		if t.Running() {
			wg.Go(func() {
				if s, err := t.Status(ctx); err == nil {
					answers[i] = &s
				}
			})
		}
	}
	wg.Wait()
	p := Picture{Tasks: map[string]string{}, Own: map[string]Lease{}}
	for i, s := range answers {
		if s == nil {
			continue
		}
		p.Tasks[s.Worker] = tasks[i].Name
		if s.Ready {
			p.Ready++
		}
		if p.Leases == nil {
			p.Leases = s.Leases
		}
		p.own(s)
	}
	if len(p.Tasks) == 0 {
		return p, ErrNoStatus
	}
	sort.Slice(p.Leases, func(i, j int) bool { return p.Leases[i].Shard < p.Leases[j].Shard })
	return p, nil
}

// own takes what a leasekeeper says of the leases it holds itself.
func (p *Picture) own(s *Status) {
	for _, l := range s.Leases {
		holds := l.Owner == s.Worker && (l.State == "held" || l.State == "draining")
		if holds && l.Generation >= p.Own[l.Shard].Generation {
			p.Own[l.Shard] = l
		}
	}
}

// Held returns the shards a task itself says it holds, those it is giving up
// left out.
func (t *Task) Held(ctx context.Context) ([]string, error) {
	s, err := t.Status(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, l := range s.Leases {
		if l.Owner == s.Worker && l.State == "held" {
			out = append(out, l.Shard)
		}
	}
	sort.Strings(out)
	return out, nil
}
