package admin

import (
	"encoding/json"
	"net/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/counters"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/faults"
)

// Prefix is where the admin endpoint lives.
const Prefix = "/_localaws/"

// Tuner is state of the services that tests may read and change while they run,
// as one JSON object.
type Tuner interface {
	// Settings returns the current values.
	Settings() any
	// Tune applies the members that are present in raw.
	Tune(raw []byte) error
}

// Config is what the endpoint works on.
type Config struct {
	Version  string
	Faults   *faults.Set
	Counters *counters.Counters
	Limits   Tuner  // limits of Kinesis and its clockwork
	Reset    func() // wipes the state of all services
}

// Handler returns the endpoint, to be mounted at Prefix.
func Handler(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix+"health", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]string{"status": "ok", "version": c.Version})
	})
	mux.HandleFunc("GET "+Prefix+"counters", func(w http.ResponseWriter, _ *http.Request) { reply(w, c.Counters.Snapshot()) })
	mux.HandleFunc("DELETE "+Prefix+"counters", func(w http.ResponseWriter, _ *http.Request) {
		c.Counters.Reset()
		reply(w, c.Counters.Snapshot())
	})
	mux.HandleFunc("POST "+Prefix+"reset", func(w http.ResponseWriter, _ *http.Request) {
		c.Reset()
		c.Faults.Clear()
		c.Counters.Reset()
		reply(w, map[string]string{"status": "ok"})
	})
	handleFaults(mux, c.Faults)
	handleLimits(mux, c.Limits)
	return mux
}

func handleFaults(mux *http.ServeMux, set *faults.Set) {
	list := func(w http.ResponseWriter) { reply(w, map[string]any{"faults": set.List()}) }
	mux.HandleFunc("GET "+Prefix+"faults", func(w http.ResponseWriter, _ *http.Request) { list(w) })
	mux.HandleFunc("POST "+Prefix+"faults", func(w http.ResponseWriter, r *http.Request) {
		var rule faults.Rule
		if err := decode(w, r, &rule); err != nil {
			refuse(w, err)
			return
		}
		added, err := set.Add(rule)
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, added)
	})
	mux.HandleFunc("DELETE "+Prefix+"faults", func(w http.ResponseWriter, r *http.Request) {
		if id := r.URL.Query().Get("id"); id != "" {
			set.Delete(id)
		} else {
			set.Clear()
		}
		list(w)
	})
	mux.HandleFunc("DELETE "+Prefix+"faults/{id}", func(w http.ResponseWriter, r *http.Request) {
		set.Delete(r.PathValue("id"))
		list(w)
	})
}

func handleLimits(mux *http.ServeMux, t Tuner) {
	mux.HandleFunc("GET "+Prefix+"limits", func(w http.ResponseWriter, _ *http.Request) { reply(w, t.Settings()) })
	mux.HandleFunc("PUT "+Prefix+"limits", func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		err := decode(w, r, &raw)
		if err == nil {
			err = t.Tune(raw)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		reply(w, t.Settings())
	})
}

func decode(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
