package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/replay"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// errInput marks what the arguments ask for and the stream does not have.
var errInput = errors.New("replay")

// replay is the verb.
func (p Program) replay(ctx context.Context, args []string) int {
	flags, err := parseReplay(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(p.Stdout, replayHelp)
		return ExitOK
	case err != nil:
		return p.fail(ExitUsage, fmt.Errorf("replay: %w\n\n%s", err, replayHelp))
	}
	c, code := p.configure()
	if code != ExitOK {
		return code
	}
	before, err := c.checkReplay(flags)
	if err != nil {
		return p.fail(ExitUsage, fmt.Errorf("%w: %w", errInput, err))
	}
	if code := p.connect(ctx, c); code != ExitOK {
		return code
	}
	r, err := c.arrangeReplay(ctx, p, flags, before)
	switch {
	case errors.Is(err, errInput):
		return p.fail(ExitUsage, err)
	case err != nil:
		return p.fail(ExitFailed, fmt.Errorf("replay: %w", awsclient.Explain(err)))
	}
	shown := replay.Show(p.Stderr, r.Tally(), c.log)
	err = r.Run(ctx)
	shown()
	return p.accountReplay(r.Summary(), err, flags.json)
}

// checkReplay reads the summary to go on from, if any, and tells what is wrong
// with the settings and the arguments together, before anything is asked of AWS.
func (c *consumer) checkReplay(f *replayFlags) (before replay.Summary, err error) {
	if c.settings.Stream == "" {
		return before, fmt.Errorf("%s_STREAM: want the name of the stream to replay", config.Prefix)
	}
	if before, err = f.summary(); err != nil {
		return before, err
	}
	if before.Stream != "" && before.Stream != c.settings.Stream {
		return before, fmt.Errorf("--resume: the summary is of stream %q, and %s_STREAM says %q", before.Stream, config.Prefix, c.settings.Stream)
	}
	return before, nil
}

// arrangeReplay finds everything that is needed, before anything is handled.
func (c *consumer) arrangeReplay(ctx context.Context, p Program, f *replayFlags, before replay.Summary) (*replay.Replay, error) {
	stream, err := kinesis.Describe(ctx, c.aws, c.settings.Stream)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the stream
	}
	o := replay.Options{
		Stream: stream.Name, StreamARN: stream.ARN, Only: f.shards, DrainTimeout: c.settings.DrainTimeout,
		Tally: replay.NewTally(c.metrics), Log: c.log,
	}
	if f.resume != "" { // what has gone meanwhile may be done
		f.from, f.until, stream.Retention = before.From, before.Until.Format(time.RFC3339Nano), time.Since(time.UnixMilli(0))
		o.Only, o.Resume = before.Only, before.Positions
	}
	if o.Window, err = replay.ParseWindow(f.from, f.until, stream.Now, stream.Retention); err != nil {
		return nil, fmt.Errorf("%w: %w", errInput, err)
	}
	h, err := c.handler(ctx, p)
	if err != nil {
		return nil, err
	}
	c.limitMemory()
	return c.newReplay(ctx, o, stream, f, h)
}

func (c *consumer) newReplay(ctx context.Context, o replay.Options, stream kinesis.Stream, f *replayFlags, h handler.Handler) (*replay.Replay, error) {
	behind := time.Now()
	now := func() time.Time { return stream.Now.Add(time.Since(behind)) }
	polling := c.polling(f.calls, f.bytes)
	polling.Patience = replay.Patience
	o.List = func(ctx context.Context) ([]contract.ChildShard, error) {
		s, err := kinesis.Describe(ctx, c.aws, stream.Name)
		return s.Shards, err //nolint:wrapcheck // it names the stream
	}
	o.Shards = shard.Deps{
		Dispatcher: dispatch.New(c.dispatchOptions(h, o.Tally, nil)),
		Reader:     &replay.Reader{Reader: polling, Window: o.Window, Now: now, Tally: o.Tally, List: o.List},
		Observer:   c.metrics, Skip: c.settings.OutOfRange == config.Skip, Log: c.log,
	}
	r, err := replay.New(o, stream.Shards)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errInput, err)
	}
	if err := replay.Probe(ctx, polling.Source, o, stream.Shards, stream.Now); err != nil {
		return nil, err //nolint:wrapcheck // it names the stream
	}
	return r, nil
}

// accountReplay tells how it ended, and where it is to go on if it did not
// come to its end.
func (p Program) accountReplay(s replay.Summary, err error, asJSON bool) int {
	code := ExitOK
	switch {
	case errors.Is(err, replay.ErrStopped):
		code = ExitUnfinished
	case err != nil:
		code = p.fail(ExitFailed, fmt.Errorf("replay: %w", awsclient.Explain(err)))
	}
	if asJSON {
		if code != ExitOK {
			_, _ = io.WriteString(p.Stderr, goOn)
		}
		return max(code, p.printJSON(s))
	}
	if code != ExitOK {
		for _, at := range s.Positions {
			_, _ = fmt.Fprintln(p.Stdout, at)
		}
	}
	_, _ = fmt.Fprintln(p.Stdout, s)
	if code != ExitOK {
		_, _ = io.WriteString(p.Stdout, goOn)
		return max(code, p.printJSON(s))
	}
	return code
}

const goOn = "To go on from here, put the line that begins with { into a file and run: consumer replay --resume FILE\n"
