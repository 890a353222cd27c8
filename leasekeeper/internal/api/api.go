// Package api is leasekeeper's HTTP face, api/v1.yaml: the contract with the
// consumer beside it, and health, status, metrics and a page for everybody else.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
)

// Loop is what the API needs of the loop behind it. All of it may be called
// from many goroutines.
type Loop interface {
	Sync(ctx context.Context, r contract.SyncRequest) (*contract.SyncResponse, *contract.Error, error)
	Status(ctx context.Context) (contract.Status, error)
}

// Limits of a request.
const (
	maxBody = 16 << 20 // a report of some 40,000 shards
	patient = 2 * time.Second
)

// Handler serves the API. metrics serves /metrics; nil: it is not found.
func Handler(loop Loop, metrics http.Handler) http.Handler {
	s := server{loop}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/sync", s.sync)
	mux.HandleFunc("GET /v1/status", s.status)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /{$}", page)
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	return mux
}

type server struct{ loop Loop }

func (s server) sync(w http.ResponseWriter, r *http.Request) {
	var request contract.SyncRequest
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err == nil {
		err = check(&request)
	}
	if err != nil {
		refuse(w, contract.Error{Code: contract.BadRequest, Message: err.Error()})
		return
	}
	response, refusal, err := s.loop.Sync(r.Context(), request)
	switch {
	case err != nil:
		refuse(w, contract.Error{Code: contract.NotReady, Message: err.Error()})
	case refusal != nil:
		refuse(w, *refusal)
	default:
		answer(w, http.StatusOK, response)
	}
}

// errors of a request that the contract does not allow.
var (
	errConsumer = errors.New("consumer: want a uuid, the same for one life of a consumer")
	errShard    = errors.New("shards: want shard, a generation above 0 and one of the states reading, drained and ended")
	errSequence = errors.New("checkpoint: want a sequence of 1 to 128 digits and a sub of 0 or more")
	errNumber   = errors.New("revision and wait_ms: want 0 or more")
	errTwice    = errors.New("shards: want each generation of a shard once")
)

func check(r *contract.SyncRequest) error {
	if r.Consumer == "" || len(r.Consumer) > 128 {
		return errConsumer
	}
	if r.Revision < 0 || r.WaitMS < 0 {
		return errNumber
	}
	type grant struct {
		shard      string
		generation int64
	}
	seen := make(map[grant]bool, len(r.Shards))
	for i := range r.Shards {
		if err := checkShard(&r.Shards[i]); err != nil {
			return err
		}
		id := grant{r.Shards[i].Shard, r.Shards[i].Generation}
		if seen[id] {
			return errTwice
		}
		seen[id] = true
	}
	return nil
}

func checkShard(s *contract.ShardReport) error {
	known := s.State == contract.Reading || s.State == contract.Drained || s.State == contract.Ended
	if s.Shard == "" || s.Generation < 1 || !known {
		return errShard
	}
	if s.Checkpoint == nil {
		return nil
	}
	if n := len(s.Checkpoint.Sequence); n < 1 || n > 128 || s.Checkpoint.Sub < 0 {
		return errSequence
	}
	for _, c := range s.Checkpoint.Sequence {
		if c < '0' || c > '9' {
			return errSequence
		}
	}
	return nil
}

func (s server) status(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patient)
	defer cancel()
	status, err := s.loop.Status(ctx)
	if err != nil {
		refuse(w, contract.Error{Code: contract.NotReady, Message: err.Error()})
		return
	}
	answer(w, http.StatusOK, status)
}

// healthz is 200 while the loop turns.
func (s server) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patient)
	defer cancel()
	if _, err := s.loop.Status(ctx); err != nil {
		say(w, http.StatusServiceUnavailable, "stuck: "+err.Error())
		return
	}
	say(w, http.StatusOK, "live")
}

func (s server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patient)
	defer cancel()
	status, err := s.loop.Status(ctx)
	switch {
	case err != nil:
		say(w, http.StatusServiceUnavailable, "stuck: "+err.Error())
	case !status.Ready:
		say(w, http.StatusServiceUnavailable, status.Reason)
	default:
		say(w, http.StatusOK, "ready")
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // the caller may be gone
}

func refuse(w http.ResponseWriter, e contract.Error) {
	status := http.StatusServiceUnavailable
	switch e.Code {
	case contract.BadRequest:
		status = http.StatusBadRequest
	case contract.ConsumerConflict:
		status = http.StatusConflict
	}
	answer(w, status, contract.ErrorBody{Error: e})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the caller may be gone
}
