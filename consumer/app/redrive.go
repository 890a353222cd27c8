package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/deadletter"
)

const redriveHelp = `consumer redrive handles every message in CONSUMER_DEAD_LETTER_TABLE once more,
with the settings of the environment, and removes those that are done. It may
run beside consumers. Messages have generation 0, as no shard is held, and come
in no order.

  consumer redrive             handle them
  consumer redrive --dry-run   only list them
`

// redrive is the verb.
func (p Program) redrive(ctx context.Context, args []string) int {
	dry := false
	switch {
	case len(args) == 0:
	case len(args) == 1 && args[0] == "--dry-run":
		dry = true
	case len(args) == 1 && (args[0] == "-h" || args[0] == "--help"):
		_, _ = io.WriteString(p.Stdout, redriveHelp)
		return ExitOK
	default:
		_, _ = io.WriteString(p.Stderr, redriveHelp)
		return ExitUsage
	}
	c, code := p.prepare(ctx)
	if code != ExitOK {
		return code
	}
	h, err := c.handler(ctx, p)
	if err != nil {
		return c.failed(err)
	}
	r := redriver{letters: c.letters, handler: h, out: p.Stdout, dry: dry}
	if err := c.letters.Scan(ctx, func(l deadletter.Letter) error { return r.one(ctx, l) }); err != nil {
		return c.failed(err)
	}
	return r.account(p.printJSON)
}

// remover removes letters: deadletter.Table.
type remover interface {
	Remove(ctx context.Context, m handler.Message) error
}

type redriver struct {
	letters                 remover
	handler                 handler.Handler
	out                     io.Writer
	dry                     bool
	found, done, kept, gone int
}

// one handles one letter. The error ends the redrive.
func (r *redriver) one(ctx context.Context, l deadletter.Letter) error {
	r.found++
	id := l.Message.ID()
	switch {
	case r.dry:
		_, _ = fmt.Fprintf(r.out, "%s: %s\n", id, l.Reason)
		return nil
	case l.Missing:
		r.gone++
		_, _ = fmt.Fprintf(r.out, "%s: kept: its payload did not fit into the letter\n", id)
		return nil
	}
	if err := r.handle(ctx, l.Message); err != nil {
		if ctx.Err() != nil || errors.Is(err, handler.ErrUnavailable) {
			return fmt.Errorf("redrive %s: %w", id, err)
		}
		r.kept++
		_, _ = fmt.Fprintf(r.out, "%s: kept: %v\n", id, err)
		return nil
	}
	if err := r.letters.Remove(ctx, l.Message); err != nil {
		return fmt.Errorf("redrive: %w", err)
	}
	r.done++
	return nil
}

// handle handles one message. A panic is an error, as it is in a consumer.
func (r *redriver) handle(ctx context.Context, m handler.Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v", p)
		}
	}()
	err = r.handler.Handle(ctx, []handler.Message{m})
	var failed handler.Failed
	if errors.As(err, &failed) {
		return failed[0]
	}
	return err
}

func (r *redriver) account(print func(any) int) int {
	code := print(map[string]int{"found": r.found, "done": r.done, "kept": r.kept, "without_payload": r.gone})
	if code == ExitOK && r.kept+r.gone > 0 {
		return ExitFailed
	}
	return code
}
