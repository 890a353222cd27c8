package memory_test

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/memory"
)

func TestLimit(t *testing.T) {
	const v2, v1 = "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"
	for name, tc := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"version 2":         {map[string]string{v2: "536870912\n"}, 512 << 20},
		"version 2 without": {map[string]string{v2: "max\n"}, 0},
		"version 1":         {map[string]string{v1: "268435456\n"}, 256 << 20},
		"version 1 without": {map[string]string{v1: "9223372036854771712\n"}, 0},
		"none":              {nil, 0},
		"no sense":          {map[string]string{v2: "-1", v1: "many"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, data := range tc.files {
				root[path] = &fstest.MapFile{Data: []byte(data)}
			}
			if got, ok := memory.Limit(root); got != tc.want || ok != (tc.want > 0) {
				t.Errorf("got %d, %v, want %d", got, ok, tc.want)
			}
		})
	}
}

func TestSet(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) })
	for name, tc := range map[string]struct {
		container, budget int64
		environment       string
		want              int64
	}{
		"budget":           {0, 128 << 20, "", 2*128<<20 + 96<<20},
		"container":        {200 << 20, 128 << 20, "", 180 << 20},
		"roomy container":  {4 << 30, 128 << 20, "", 2*128<<20 + 96<<20},
		"said by somebody": {200 << 20, 128 << 20, "1GiB", math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			debug.SetMemoryLimit(math.MaxInt64)
			t.Setenv("GOMEMLIMIT", tc.environment)
			t.Setenv("GOGC", "")
			if got := memory.Set(tc.container, tc.budget); got != tc.want || debug.SetMemoryLimit(-1) != tc.want {
				t.Errorf("got %d, in force %d, want %d", got, debug.SetMemoryLimit(-1), tc.want)
			}
		})
	}
}
