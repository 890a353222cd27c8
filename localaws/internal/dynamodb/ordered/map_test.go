package ordered_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/ordered"
)

// TestMap compares the map with a sorted slice under any sequence of writes.
func TestMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, model := ordered.New[int](), map[string]int{}
		key := rapid.StringMatching(`[a-c]{0,3}`)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			k, v := key.Draw(t, "key"), rapid.Int().Draw(t, "value")
			if rapid.Bool().Draw(t, "set") {
				_, had := model[k]
				if _, replaced := m.Set(k, v); replaced != had {
					t.Fatalf("Set(%q) replaced %v, want %v", k, replaced, had)
				}
				model[k] = v
			} else {
				want, had := model[k]
				if got, deleted := m.Delete(k); deleted != had || got != want {
					t.Fatalf("Delete(%q) = %d, %v, want %d, %v", k, got, deleted, want, had)
				}
				delete(model, k)
			}
			checkMap(t, m, model, key.Draw(t, "probe"))
		}
	})
}

func checkMap(t *rapid.T, m *ordered.Map[int], model map[string]int, probe string) {
	var keys []string
	for k := range model {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if m.Len() != len(keys) {
		t.Fatalf("Len() = %d, want %d", m.Len(), len(keys))
	}
	var forward, backward []string
	for e := m.First(probe); e != nil; e = e.Next() {
		forward = append(forward, e.Key)
		if e.Value != model[e.Key] {
			t.Fatalf("%q holds %d, want %d", e.Key, e.Value, model[e.Key])
		}
	}
	for e := m.Last(probe); e != nil; e = e.Prev() {
		backward = append(backward, e.Key)
	}
	slices.Reverse(backward)
	at, found := slices.BinarySearch(keys, probe)
	if !slices.Equal(forward, keys[at:]) || !slices.Equal(backward, keys[:at]) {
		t.Fatalf("around %q: %q and %q, want %q and %q", probe, backward, forward, keys[:at], keys[at:])
	}
	if _, ok := m.Get(probe); ok != found {
		t.Fatalf("Get(%q) found %v, want %v", probe, ok, found)
	}
}
