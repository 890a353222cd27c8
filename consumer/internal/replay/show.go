package replay

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
)

// How often progress is shown.
const (
	terminalEvery = 500 * time.Millisecond
	plainEvery    = 10 * time.Second
)

// Show shows progress until the returned function is called: a line that
// rewrites itself where w is a terminal, a line of the log every 10 s elsewhere.
func Show(w io.Writer, t *Tally, log zerolog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	every, show, done := plainEvery, func() {
		log.Info().Int64("records", t.records.Load()).Int64("messages", t.done.Load()).
			Int64("dead_lettered", t.buried.Load()).Time("read_up_to", t.Oldest()).Msg("progress")
	}, func() {}
	if isTerminal(w) {
		every = terminalEvery
		show = func() { _, _ = fmt.Fprintf(w, "\r%s\x1b[K", t.Line()) }
		done = func() { show(); _, _ = fmt.Fprintln(w) }
	}
	go func() {
		defer close(ended)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				show()
			}
		}
	}()
	return func() {
		cancel()
		<-ended
		done()
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
