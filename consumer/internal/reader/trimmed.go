package reader

import (
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// at is a start at a record that was read already: whether the stream still has
// it tells that nothing between it and the next one was trimmed away.
func at(last string) Start {
	return Start{Start: contract.Start{Type: contract.AtSequenceNumber, Sequence: last}}
}

// goOn takes the last record that was read out of b, where reading begins at it
// again, and reports if the stream has it no more: retention has passed it. It
// returns false where b does not tell yet: it has no records, and is not the end.
func goOn(b *Batch, last string, o Observer, log zerolog.Logger) (told bool) {
	if len(b.Records) == 0 && !b.Last() {
		return false
	}
	if len(b.Records) > 0 && b.Records[0].Sequence == last {
		b.Records = b.Records[1:]
		return true
	}
	o.CheckpointTrimmed()
	event := log.Warn().Str("last_read", last)
	if len(b.Records) > 0 {
		event = event.Str("first_sequence", b.Records[0].Sequence).Time("first_arrived", b.Records[0].Arrived)
	}
	event.Msg("the last record that was read was trimmed away: messages after it may be lost")
	return true
}
