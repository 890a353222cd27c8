package pace_test

import (
	"math"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/pace"
)

// shard takes limit records a second, as a bucket that holds one second's.
type shard struct{ limit, tokens float64 }

// run offers a shard as much as it is allowed, at most offer a second, for a
// while, and returns the share that was refused and the records accepted a second.
func run(p *pace.Pace, s *shard, now *time.Time, offer float64, for_ time.Duration) (refusedShare, acceptedRate float64) {
	const step = 10 * time.Millisecond
	var accepted, refused float64
	for spent := time.Duration(0); spent < for_; spent += step {
		*now = now.Add(step)
		s.tokens = min(s.limit, s.tokens+s.limit*step.Seconds())
		send := min(float64(p.Allow(*now)), math.Ceil(offer*step.Seconds()))
		if send == 0 {
			continue
		}
		p.Sent(int(send))
		ok := min(send, math.Floor(s.tokens))
		s.tokens -= ok
		accepted, refused = accepted+ok, refused+send-ok
		p.Answer(*now, int(ok), int(send-ok), 0.5)
	}
	return refused / max(1, accepted+refused), accepted / for_.Seconds()
}

func TestPace_SettlesAtTheLimit(t *testing.T) {
	var p pace.Pace
	now := time.Unix(1000, 0)
	s := &shard{limit: 1000}
	run(&p, s, &now, 5000, 2*time.Second)
	refused, accepted := run(&p, s, &now, 5000, 20*time.Second)
	if refused > 0.15 || accepted < 900 {
		t.Errorf("got %.0f accepted a second of 1000, %.0f%% refused, want nearly all of it with few refusals", accepted, 100*refused)
	}
	s.limit = 200 // others take their share
	run(&p, s, &now, 5000, 2*time.Second)
	refused, accepted = run(&p, s, &now, 5000, 20*time.Second)
	if refused > 0.2 || accepted < 170 {
		t.Errorf("got %.0f accepted a second of 200, %.0f%% refused", accepted, 100*refused)
	}
	s.limit = 5000 // and leave
	run(&p, s, &now, 4000, 10*time.Second)
	if _, accepted = run(&p, s, &now, 4000, 5*time.Second); accepted < 3900 {
		t.Errorf("got %.0f accepted a second of 4000 offered, want all", accepted)
	}
	run(&p, s, &now, 4000, 20*time.Second)
	if p.Rate() != 0 {
		t.Errorf("got held to %.0f a second after a calm time, want free", p.Rate())
	}
}

// TestPace_FewRecordsSayLittle: one refusal of three records is chance.
func TestPace_FewRecordsSayLittle(t *testing.T) {
	var p pace.Pace
	now := time.Unix(1000, 0)
	for range 8 {
		now = now.Add(100 * time.Millisecond)
		p.Answer(now, 2, 1, 0.9)
		if p.Allow(now) != math.MaxInt {
			t.Fatal("got held back by a few refusals")
		}
	}
}

func TestPace_FewRefusalsSlowNothing(t *testing.T) {
	var p pace.Pace
	now := time.Unix(1000, 0)
	for range 1000 {
		now = now.Add(10 * time.Millisecond)
		p.Answer(now, 95, 5, 0.9)
		if p.Allow(now) != math.MaxInt {
			t.Fatal("got held back at 5 % refusals")
		}
	}
}

// TestPace_DoesNotStarve: a third of everything is refused, however little is
// sent, as by a shard that others fill.
func TestPace_DoesNotStarve(t *testing.T) {
	var p pace.Pace
	now := time.Unix(1000, 0)
	var sent, accepted int
	const step = 10 * time.Millisecond
	for range 60 * 100 { // a minute
		now = now.Add(step)
		n := min(p.Allow(now), 60)
		if n == 0 {
			continue
		}
		p.Sent(n)
		p.Answer(now, n-n/3, n/3, 0.5)
		sent, accepted = sent+n, accepted+n-n/3
	}
	if offered := 60 * 60 * 100; sent < offered*8/10 {
		t.Errorf("got %d sent of %d offered in a minute, want most of it", sent, offered)
	}
}

func TestPace_PausesWhenEverythingIsRefused(t *testing.T) {
	var p pace.Pace
	now := time.Unix(1000, 0)
	var longest time.Duration
	for range 12 {
		p.Answer(now, 0, 10, 0.999)
		if p.Allow(now) != 0 {
			t.Fatal("got no pause")
		}
		next := p.Next(now)
		if pause := next.Sub(now); pause > 5*time.Second+time.Second/4 {
			t.Fatalf("got a pause of %s, want at most 5 s", pause)
		} else {
			longest = max(longest, pause)
		}
		now = next
		if p.Allow(now) < 1 {
			t.Fatalf("got nothing at the time Next named")
		}
		p.Sent(1)
	}
	if longest < 4*time.Second {
		t.Errorf("got pauses up to %s, want them to double up to 5 s", longest)
	}
}
