package aggregate_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/aggregate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
)

// TestEncode_Vectors compares with records made by Amazon's own aggregator
// (testdata/node/pack.js), byte for byte.
func TestEncode_Vectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name     string
		Messages []struct {
			Key  string
			Data []byte
		}
		Record []byte
	}
	if err := json.Unmarshal(raw, &vectors); err != nil || len(vectors) < 5 {
		t.Fatalf("got %d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			var messages []message.Message
			for _, m := range v.Messages {
				messages = append(messages, message.Message{Key: m.Key, Data: m.Data})
			}
			if got := aggregate.Encode(messages); !bytes.Equal(got, v.Record) {
				t.Errorf("got  %.80x\nwant %.80x", got, v.Record)
			}
		})
	}
}

// TestCost proves that it is never less than what a message adds.
func TestCost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(rt, "messages")
		var messages []message.Message
		most := aggregate.Overhead
		for range n {
			m := message.Message{Key: rapid.StringN(1, 256, -1).Draw(rt, "key"), Data: make([]byte, rapid.SampledFrom([]int{0, 1, 100, 127, 128, 20_000}).Draw(rt, "size"))}
			messages = append(messages, m)
			most += aggregate.Cost(m)
		}
		if got := len(aggregate.Encode(messages)); got > most {
			rt.Fatalf("got %d bytes, the costs say at most %d", got, most)
		}
	})
}

// TestEncode_ReadByAmazon hands random aggregates to Amazon's de-aggregator.
func TestEncode_ReadByAmazon(t *testing.T) {
	const folder = "testdata/node"
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("skipped: no Node.js for the npm package aws-kinesis-agg")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if _, err := os.Stat(folder + "/node_modules/aws-kinesis-agg"); err != nil {
		install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = folder
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("skipped: the npm package aws-kinesis-agg cannot be installed: %v %s", err, out)
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	var in strings.Builder
	var want []string
	for range 50 {
		var messages []message.Message
		var list []string
		for i := range 2 + random.IntN(60) {
			m := message.Message{Key: fmt.Sprintf("ключ %d", random.IntN(20)), Data: make([]byte, random.IntN(400))}
			if i%7 == 0 {
				m.Data = make([]byte, 20_000)
			}
			for j := range m.Data {
				m.Data[j] = byte(random.Uint32())
			}
			messages = append(messages, m)
			list = append(list, fmt.Sprintf(`{"key":"%s","data":"%s"}`, m.Key, base64.StdEncoding.EncodeToString(m.Data)))
		}
		in.WriteString(base64.StdEncoding.EncodeToString(aggregate.Encode(messages)) + "\n")
		want = append(want, "["+strings.Join(list, ",")+"]")
	}
	run := exec.CommandContext(ctx, "node", "unpack.js")
	run.Dir, run.Stdin = folder, strings.NewReader(in.String())
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("record %d: got %.200s, want %.200s", i, got[i], want[i])
		}
	}
}
