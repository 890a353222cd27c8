package pace_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/pace"
)

const (
	tick  = 5 * time.Millisecond
	small = 100 // bytes: a thousand of them fill a shard, not their bytes
)

var begin = time.Unix(1000, 0)

// shard takes limit published rates, as a bucket that holds a second of them. Its
// answers come a while later.
type shard struct {
	limit, level float64
	roundTrip    time.Duration
	size         int // of a record

	now     time.Time
	answers []answer
	offered float64 // in records
}

type answer struct {
	sent  time.Time
	tally pace.Tally
}

func newShard(limit float64) *shard {
	return &shard{limit: limit, level: limit, size: small, now: begin}
}

// run offers the shard so many records a second for a while, as fast as the pace
// allows, and returns what became of them.
func (s *shard) run(p *pace.Pace, offer float64, long time.Duration) (accepted, refused int) {
	cost := pace.Cost(s.size)
	for spent := time.Duration(0); spent < long; spent += tick {
		s.now = s.now.Add(tick)
		s.level = min(s.limit, s.level+s.limit*tick.Seconds())
		for len(s.answers) > 0 && !s.now.Before(s.answers[0].sent.Add(s.roundTrip)) {
			a := s.answers[0]
			s.answers = s.answers[1:]
			p.Answer(a.sent, s.now, a.tally, 0.5)
			accepted, refused = accepted+a.tally.Accepted, refused+a.tally.Refused
		}
		s.offered += offer * tick.Seconds()
		s.send(p, cost)
		s.offered = min(s.offered, offer) // a second's may wait
	}
	return accepted, refused
}

// send sends one request of what is allowed.
func (s *shard) send(p *pace.Pace, cost float64) {
	var t pace.Tally
	for n := min(p.Allow(s.now, cost), int(s.offered), 500); n > 0 && p.Take(s.now, cost); n-- {
		s.offered--
		if s.level < min(cost, s.limit) {
			t.Refuse(s.size)
			continue
		}
		s.level -= cost
		t.Accept(s.size)
	}
	if t.Accepted+t.Refused > 0 {
		s.answers = append(s.answers, answer{s.now, t})
	}
}

// TestPace_PublishedLimit: a shard as the service has them wastes next to
// nothing, from the first record on, and is used to the full.
func TestPace_PublishedLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		size      int
		roundTrip time.Duration
		most      int // refusals
	}{
		"small records":      {small, 5 * time.Millisecond, 100},
		"a slow answer":      {small, 60 * time.Millisecond, 350},
		"records of 20 kB":   {20_000, 5 * time.Millisecond, 10},
		"records of 400 KiB": {400 << 10, 5 * time.Millisecond, 6},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace.Pace
			s := newShard(1)
			s.size, s.roundTrip = tc.size, tc.roundTrip
			best := 21 / pace.Cost(tc.size) // in 20 s, the full bucket included
			accepted, refused := s.run(&p, 5000, 20*time.Second)
			if float64(accepted) < 0.95*best || refused > tc.most {
				t.Errorf("got %d accepted, %d refused, want nearly %.0f and at most %d", accepted, refused, best, tc.most)
			}
		})
	}
}

// TestPace_Unanswered: what is accepted late was not accepted beyond the bucket.
func TestPace_Unanswered(t *testing.T) {
	var p pace.Pace
	now, cost := begin, pace.Cost(small)
	p.Allow(now, cost) // fills the bucket
	taken := 0
	for p.Take(now, cost) {
		taken++
	}
	feed(&p, &now, 100, 0) // of a thousand
	if got := p.Allow(now, cost); got < 20 {
		t.Fatalf("got %d records allowed after the first answer, want a loan beyond the 10 that were refilled", got)
	}
	feed(&p, &now, taken-100, 0)
	if got := p.Allow(now, cost); got > 100 {
		t.Errorf("got %d records allowed, want what was lent and refilled", got)
	}
}

// TestPace_NoLimit: where nothing is enforced, the published limits cost a few
// round trips.
func TestPace_NoLimit(t *testing.T) {
	for name, tc := range map[string]struct {
		size            int
		roundTrip, most time.Duration
	}{
		"small records":    {small, 5 * time.Millisecond, 100 * time.Millisecond},
		"a slow answer":    {small, 50 * time.Millisecond, 750 * time.Millisecond},
		"records of 50 kB": {50_000, 5 * time.Millisecond, 150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace.Pace
			s := newShard(math.MaxFloat64)
			s.size, s.roundTrip = tc.size, tc.roundTrip
			s.run(&p, 1e6, tc.most)
			if got := p.Allow(s.now, pace.Cost(tc.size)); got != math.MaxInt {
				t.Errorf("got %d records allowed after %s, want no limit", got, tc.most)
			}
		})
	}
}

// TestPace_Others: a shard that others use is held to what is left, and no longer
// when they leave.
func TestPace_Others(t *testing.T) {
	var p pace.Pace
	s := newShard(1)
	s.run(&p, 5000, 2*time.Second)
	s.limit = 0.2
	s.run(&p, 5000, 2*time.Second)
	accepted, refused := s.run(&p, 5000, 20*time.Second)
	if accepted < 3600 || refused > 200 {
		t.Errorf("got %d accepted of 4000, %d refused, want nearly all with at most 200", accepted, refused)
	}
	if p.Rate() < 0.1 || p.Rate() > 0.3 {
		t.Errorf("got held to %.2f, want about 0.2", p.Rate())
	}
	s.limit = 5
	s.run(&p, 4000, 15*time.Second)
	if accepted, _ = s.run(&p, 4000, 5*time.Second); accepted < 19_500 || p.Rate() != 0 {
		t.Errorf("got %d accepted of 20,000 offered, held to %.2f, want all, and free", accepted, p.Rate())
	}
}

// answers of ten milliseconds each, n records accepted and m refused.
func feed(p *pace.Pace, now *time.Time, accepted, refused int) {
	var t pace.Tally
	for range accepted {
		t.Accept(small)
	}
	for range refused {
		t.Refuse(small)
	}
	sent := *now
	*now = now.Add(10 * time.Millisecond)
	p.Answer(sent, *now, t, 0.9)
}

// TestPace_FewRecordsSayLittle: one refusal of three records is chance.
func TestPace_FewRecordsSayLittle(t *testing.T) {
	var p pace.Pace
	now := begin
	for range 8 {
		feed(&p, &now, 2, 1)
		now = now.Add(90 * time.Millisecond)
		if p.Rate() != 0 || p.Allow(now, pace.Cost(small)) < 900 {
			t.Fatal("got held back by a few refusals")
		}
	}
}

func TestPace_FewRefusalsSlowNothing(t *testing.T) {
	p := pace.Free()
	now := begin
	for range 1000 {
		feed(&p, &now, 95, 5)
		if p.Allow(now, pace.Cost(small)) != math.MaxInt {
			t.Fatal("got held back at 5 % refusals")
		}
	}
}

// TestPace_DoesNotStarve: a third of everything is refused, however little is
// sent, as by a shard that others fill. Holding back is tried, less and less
// often, but at least every other minute.
func TestPace_DoesNotStarve(t *testing.T) {
	const minutes, perSecond = 10, 6000
	p := pace.Free()
	now, sent, held := begin, 0, [minutes]int{}
	cost := pace.Cost(small)
	for minute := range minutes {
		for range 60 * 100 {
			n := min(p.Allow(now, cost), perSecond/100)
			if p.Rate() > 0 {
				held[minute]++ // hundredths of a second
			}
			if n == 0 {
				now = now.Add(10 * time.Millisecond)
				continue
			}
			for range n {
				p.Take(now, cost)
			}
			feed(&p, &now, n-n/3, n/3)
			sent += n
		}
	}
	if offered := minutes * 60 * perSecond; sent < offered*19/20 {
		t.Errorf("got %d sent of %d offered in %d minutes, want 95 %% or more; held back for %v hundredths of a second in each", sent, offered, minutes, held)
	}
	if slices.Max(held[:]) != held[0] || held[8]+held[9] == 0 {
		t.Errorf("got held back for %v hundredths of a second in each minute, want most in the first, and some to the end", held)
	}
}

func TestPace_PausesWhenEverythingIsRefused(t *testing.T) {
	var p pace.Pace
	now, cost := begin, pace.Cost(small)
	var longest time.Duration
	for range 12 {
		feed(&p, &now, 0, 10)
		if p.Allow(now, cost) != 0 || p.Take(now, cost) {
			t.Fatal("got no pause")
		}
		next := p.Next(now, cost)
		if pause := next.Sub(now); pause > 5*time.Second+time.Second/4 {
			t.Fatalf("got a pause of %s, want at most 5 s", pause)
		} else {
			longest = max(longest, pause)
		}
		now = next
		if p.Allow(now, cost) < 1 {
			t.Fatalf("got nothing at the time Next named")
		}
		p.Take(now, cost)
	}
	if longest < 4*time.Second {
		t.Errorf("got pauses up to %s, want them to double up to 5 s", longest)
	}
}

// TestPace_Next: at the time Next names something is allowed, in every state and
// for every size, and not much earlier.
func TestPace_Next(t *testing.T) {
	for _, limit := range []float64{0.02, 0.3, 1} {
		for _, size := range []int{small, 5_000, 300_000, 5 << 20} {
			var p pace.Pace
			s, cost := newShard(limit), pace.Cost(size)
			s.size = size
			for range 20 {
				s.run(&p, 5000, 300*time.Millisecond)
				for n := p.Allow(s.now, cost); n > 0 && n < math.MaxInt && p.Take(s.now, cost); n-- {
				}
				if p.Allow(s.now, cost) > 0 {
					continue // free, or lent something
				}
				next := p.Next(s.now, cost)
				if p.Allow(next.Add(-2*time.Microsecond), cost) > 0 || p.Allow(next, cost) == 0 || !p.Take(next, cost) {
					t.Fatalf("limit %v, %d bytes: nothing is allowed at the time Next named, or something before", limit, size)
				}
			}
		}
	}
}
