package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// Probe finds whether the stream may be read, by one read of a shard's newest
// end, where there is next to nothing. A read that is throttled was allowed.
func Probe(ctx context.Context, source reader.Source, o Options, listed []contract.ChildShard, now time.Time) error {
	if len(listed) == 0 {
		return nil
	}
	g := contract.Grant{Stream: o.Stream, StreamARN: o.StreamARN, Shard: listed[len(listed)-1].Shard}
	newest := reader.Start{Start: contract.Start{Type: contract.AtTimestamp, TimestampMS: now.UnixMilli()}}
	iterator, err := source.Iterator(ctx, g, newest)
	if err == nil {
		_, err = source.Records(ctx, g, iterator)
	}
	if err != nil && !errors.Is(err, reader.ErrThrottled) {
		return fmt.Errorf("read stream %q: %w", o.Stream, err)
	}
	return nil
}
