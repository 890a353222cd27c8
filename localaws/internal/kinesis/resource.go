package kinesis

import (
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Resource implements wire.Service: the stream's name and the shard's id.
func (s *Service) Resource(r *wire.Request) (resource, shard string) {
	var in struct {
		streamRef
		ShardId, ShardIterator, ShardToSplit, ShardToMerge, ConsumerARN *string
	}
	if r.Decode(&in) != nil {
		return "", ""
	}
	for _, id := range []*string{in.ShardId, in.ShardToSplit, in.ShardToMerge} {
		if id != nil {
			shard = *id
		}
	}
	switch {
	case in.ShardIterator != nil:
		if it, ok := parseIterator(*in.ShardIterator); ok {
			return it.stream, shardID(it.shard)
		}
	case in.ConsumerARN != nil:
		_, rest, _ := strings.Cut(*in.ConsumerARN, ":stream/")
		resource, _, _ = strings.Cut(rest, "/")
	case in.StreamName != nil:
		resource = *in.StreamName
	case in.StreamARN != nil:
		_, resource, _ = strings.Cut(*in.StreamARN, ":stream/")
	}
	return resource, shard
}
