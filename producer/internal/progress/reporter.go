package progress

import (
	"context"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
)

// How often progress is shown.
const (
	terminalEvery = 200 * time.Millisecond
	plainEvery    = 5 * time.Second
	rateOver      = 3 * time.Second // the span the rate is taken over, at least
)

// Reporter shows an account's progress until its context ends.
type Reporter struct {
	account *account.Account
	total   int64
	every   time.Duration
	show    func(account.Now, float64)
	done    func()

	samples []sample
}

type sample struct {
	at           time.Time
	acknowledged int64
}

// OnTerminal shows one line that rewrites itself.
func OnTerminal(a *account.Account, total int64, t *Terminal) *Reporter {
	return &Reporter{account: a, total: total, every: terminalEvery, done: t.Done,
		show: func(now account.Now, rate float64) { t.Show(Line(now, rate, total)) }}
}

// Plain writes a line every few seconds.
func Plain(a *account.Account, total int64, out io.Writer) *Reporter {
	return &Reporter{account: a, total: total, every: plainEvery, done: func() {},
		show: func(now account.Now, rate float64) { _, _ = io.WriteString(out, Line(now, rate, total)+"\n") }}
}

// Log writes a log line every few seconds.
func Log(a *account.Account, total int64, log zerolog.Logger) *Reporter {
	return &Reporter{account: a, total: total, every: plainEvery, done: func() {},
		show: func(now account.Now, rate float64) {
			log.Info().Int64("accepted", now.Accepted).Int64("acknowledged", now.Acknowledged).
				Int64("retried", now.Retried).Int64("failed", now.Failed).Int64("rejected", now.Rejected).
				Int64("requests_in_flight", now.InFlight).Int64("buffered_bytes", now.Buffered).
				Float64("messages_per_second", rate).Msg("progress")
		}}
}

// Run shows progress until ctx ends; on a terminal once more then.
func (r *Reporter) Run(ctx context.Context) {
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	r.samples = []sample{{at: time.Now()}}
	for {
		select {
		case <-ticker.C:
			r.once()
		case <-ctx.Done():
			if r.every == terminalEvery {
				r.once()
			}
			r.done()
			return
		}
	}
}

func (r *Reporter) once() {
	now := r.account.Now()
	r.samples = append(r.samples, sample{time.Now(), now.Acknowledged})
	last := r.samples[len(r.samples)-1]
	for len(r.samples) > 2 && last.at.Sub(r.samples[1].at) >= rateOver {
		r.samples = r.samples[1:]
	}
	rate := 0.0
	if span := last.at.Sub(r.samples[0].at).Seconds(); span > 0 {
		rate = float64(last.acknowledged-r.samples[0].acknowledged) / span
	}
	r.show(now, rate)
}
