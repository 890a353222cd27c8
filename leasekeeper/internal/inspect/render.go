package inspect

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteLeases writes the table of leases for people, and below it what is wrong,
// with leases and workers alike.
func (r *Report) WriteLeases(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := printer{w: t}
	p.printf("SHARD\tSTATE\tOWNER\tGEN\tCHECKPOINT\tLAG\tKB/S\tPARENTS\tCHILDREN\n")
	for i := range r.Leases {
		l := &r.Leases[i]
		lag := "-"
		if l.State == "held" || l.State == "moving" {
			lag = duration(l.LagMS)
		}
		p.printf("%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\n", mark(l.Shard, l.Problems), l.State, dash(l.Owner), l.Generation,
			position(l.Checkpoint, l.Sub), lag, (l.BytesPerSecond+500)/1000, shards(l.Parents), shards(l.Children))
	}
	if p.err == nil {
		p.err = t.Flush()
	}
	p.w = w
	p.all(r)
	return p.err
}

// WriteWorkers writes the table of workers for people, and below it what is wrong,
// with leases and workers alike.
func (r *Report) WriteWorkers(w io.Writer, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := printer{w: t}
	p.printf("WORKER\tSTATE\tALIVE\tREADY\tLEASES\tMAX LAG\tUP\tVERSION\n")
	for i := range r.Workers {
		k := &r.Workers[i]
		p.printf("%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", mark(k.Worker, k.Problems), k.State, yes(k.Alive), yes(k.Ready), k.Leases,
			duration(k.MaxLagMS), duration(now.Sub(k.Started).Milliseconds()), dash(k.Version))
	}
	if p.err == nil {
		p.err = t.Flush()
	}
	p.w = w
	p.all(r)
	return p.err
}

// printer keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// all writes every problem that [Report.Wrong] counts.
func (p *printer) all(r *Report) {
	for i := range r.Leases {
		p.problems(r.Leases[i].Shard, r.Leases[i].Problems)
	}
	for i := range r.Workers {
		p.problems(r.Workers[i].Worker, r.Workers[i].Problems)
	}
	p.problems("", r.Problems)
}

func (p *printer) problems(of string, list []string) {
	if of != "" {
		of += ": "
	}
	for _, problem := range list {
		p.printf("! %s%s\n", of, problem)
	}
}

func mark(name string, problems []string) string {
	if len(problems) > 0 {
		return "! " + name
	}
	return name
}

// position shortens a sequence number to its last digits, which tell people
// whether it moves; the JSON has it whole.
func position(sequence string, sub int64) string {
	const shown = 12
	if len(sequence) > shown+2 {
		sequence = "…" + sequence[len(sequence)-shown:]
	}
	if sub > 0 {
		return fmt.Sprintf("%s/%d", sequence, sub)
	}
	return dash(sequence)
}

func shards(ids []string) string {
	short := make([]string, len(ids))
	for i, id := range ids {
		short[i] = strings.TrimLeft(strings.TrimPrefix(id, "shardId-"), "0")
		if short[i] == "" {
			short[i] = "0"
		}
	}
	return dash(strings.Join(short, ","))
}

func duration(millis int64) string {
	d := time.Duration(millis) * time.Millisecond
	if d < 10*time.Second {
		return d.String()
	}
	return d.Round(time.Second).String()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
