package order_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/order"
)

// TestGate_Property plays senders that settle in any order: a key has at most
// one message on its way, each key's messages go in order, nothing stays.
func TestGate_Property(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var g order.Gate
		var flying []message.Message
		busy, last := map[string]bool{}, map[string]int64{}
		fly := func(m message.Message) {
			if busy[m.Key] {
				rt.Fatalf("%s goes twice at a time", m.Key)
			}
			if before, known := last[m.Key]; known && before >= m.Position {
				rt.Fatalf("%s: %d goes after %d", m.Key, m.Position, before)
			}
			busy[m.Key], last[m.Key] = true, m.Position
			g.Close(m.Key)
			flying = append(flying, m)
		}
		settle := func(i int) {
			m := flying[i]
			flying = append(flying[:i], flying[i+1:]...)
			busy[m.Key] = false
			g.Open(m.Key)
			for {
				next, ok := g.Next(m.Key)
				if !ok {
					return
				}
				if rapid.IntRange(0, 9).Draw(rt, "hold") == 0 && !g.Hold(next) {
					fly(next)
					continue
				}
				if !busy[next.Key] {
					fly(next)
				}
			}
		}
		n := rapid.IntRange(1, 300).Draw(rt, "messages")
		for i := range n {
			m := message.Message{Key: fmt.Sprint(rapid.IntRange(0, 5).Draw(rt, "key")), Position: int64(i)}
			if g.Pass(m) {
				fly(m)
			}
			if len(flying) > 0 && rapid.Bool().Draw(rt, "settle") {
				settle(rapid.IntRange(0, len(flying)-1).Draw(rt, "which"))
			}
		}
		for len(flying) > 0 {
			settle(0)
		}
		if g.Waiting() != 0 {
			rt.Fatalf("got %d waiting at the end", g.Waiting())
		}
	})
}

func TestGate_HotKey(t *testing.T) {
	var g order.Gate
	const n = 5000
	for i := range n {
		if m := (message.Message{Key: "hot", Position: int64(i)}); g.Pass(m) {
			g.Close(m.Key)
		}
	}
	for i := 1; i < n; i++ {
		g.Open("hot")
		m, ok := g.Next("hot")
		if !ok || m.Position != int64(i) {
			t.Fatalf("got %d, %v, want %d", m.Position, ok, i)
		}
		g.Close("hot")
		if !g.Hold(m) {
			t.Fatal("got a busy key that does not hold")
		}
		g.Open("hot")
		if again, ok := g.Next("hot"); !ok || again.Position != m.Position {
			t.Fatalf("got %d back, want %d", again.Position, m.Position)
		}
		g.Close("hot")
	}
	if len(g.Abandon()) != 0 {
		t.Error("got messages at the end")
	}
}
