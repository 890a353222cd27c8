package local

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the format's checksum
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// Stored is one message as it stands on the stream.
type Stored struct {
	Shard string
	Key   string
	Data  []byte
}

// Read reads the whole stream, a shard after the other and parents before
// children, and calls f for every message. Messages of an aggregate that are
// outside of their shard's hash key range are dropped, as the KCL does.
func Read(ctx context.Context, client *kinesis.Client, stream string, f func(Stored)) error {
	list, err := client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})
	if err != nil {
		return fmt.Errorf("read stream: %w", err)
	}
	for _, shard := range list.Shards { // ids grow: parents come first
		if err := readShard(ctx, client, stream, shard, f); err != nil {
			return fmt.Errorf("read stream: %s: %w", *shard.ShardId, err)
		}
	}
	return nil
}

func readShard(ctx context.Context, client *kinesis.Client, stream string, shard types.Shard, f func(Stored)) error {
	start, err := shards.ParseHash(*shard.HashKeyRange.StartingHashKey)
	if err != nil {
		return err
	}
	end, err := shards.ParseHash(*shard.HashKeyRange.EndingHashKey)
	if err != nil {
		return err
	}
	within := shards.Range{Start: start, End: end}
	first, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &stream, ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	if err != nil {
		return err
	}
	for at := first.ShardIterator; at != nil; {
		out, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: at, Limit: aws.Int32(5000)})
		if err != nil {
			return err
		}
		for _, r := range out.Records {
			messages, err := unpack(r)
			if err != nil {
				return err
			}
			for _, m := range messages {
				if len(messages) == 1 || within.Contains(shards.HashOf(m.Key)) {
					m.Shard = *shard.ShardId
					f(m)
				}
			}
		}
		if at = out.NextShardIterator; len(out.Records) == 0 && aws.ToInt64(out.MillisBehindLatest) == 0 {
			return nil
		}
	}
	return nil
}

// unpack reads an aggregated record; any other is one message.
func unpack(r types.Record) ([]Stored, error) {
	magic := []byte{0xF3, 0x89, 0x9A, 0xC2}
	if !bytes.HasPrefix(r.Data, magic) || len(r.Data) < len(magic)+md5.Size {
		return []Stored{{Key: aws.ToString(r.PartitionKey), Data: r.Data}}, nil
	}
	body, sum := r.Data[len(magic):len(r.Data)-md5.Size], r.Data[len(r.Data)-md5.Size:]
	if got := md5.Sum(body); !bytes.Equal(got[:], sum) { //nolint:gosec // see the import
		return nil, errors.New("unpack aggregate: wrong checksum")
	}
	var keys []string
	var messages []Stored
	err := fields(body, func(number int, value uint64, part []byte) error {
		switch number {
		case 1:
			keys = append(keys, string(part))
		case 3:
			var m Stored
			if err := fields(part, func(number int, value uint64, part []byte) error {
				switch {
				case number == 1 && value < uint64(len(keys)):
					m.Key = keys[value]
				case number == 3:
					m.Data = part
				default:
					return fmt.Errorf("unpack aggregate: unexpected field %d", number)
				}
				return nil
			}); err != nil {
				return err
			}
			messages = append(messages, m)
		default:
			return fmt.Errorf("unpack aggregate: unexpected field %d", number)
		}
		return nil
	})
	return messages, err
}

// fields calls f for every field of a protocol buffer: with its value for wire
// type 0, with its bytes for wire type 2.
func fields(buffer []byte, f func(number int, value uint64, part []byte) error) error {
	for len(buffer) > 0 {
		tag, n := binary.Uvarint(buffer)
		if n <= 0 {
			return errors.New("unpack aggregate: cut short")
		}
		buffer = buffer[n:]
		value, n := binary.Uvarint(buffer)
		if n <= 0 {
			return errors.New("unpack aggregate: cut short")
		}
		buffer = buffer[n:]
		var part []byte
		switch tag & 7 {
		case 0:
		case 2:
			if value > uint64(len(buffer)) {
				return errors.New("unpack aggregate: cut short")
			}
			part, buffer = buffer[:value], buffer[value:]
		default:
			return fmt.Errorf("unpack aggregate: wire type %d", tag&7)
		}
		if err := f(int(tag>>3), value, part); err != nil {
			return err
		}
	}
	return nil
}
