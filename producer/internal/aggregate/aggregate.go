// Package aggregate packs many messages into one Kinesis record, in the format
// of Amazon's Kinesis Producer Library, which its de-aggregators and the KCL
// read: four magic bytes, a protocol buffer, and the MD5 of that buffer.
//
//	message AggregatedRecord {
//	  repeated string partition_key_table     = 1;
//	  repeated string explicit_hash_key_table = 2;  // not used here
//	  repeated Record records                 = 3;
//	}
//	message Record {
//	  required uint64 partition_key_index     = 1;
//	  optional uint64 explicit_hash_key_index = 2;  // not used here
//	  required bytes  data                    = 3;
//	}
//
// The format is published with github.com/awslabs/amazon-kinesis-producer.
package aggregate

import (
	"crypto/md5" //nolint:gosec // the format's checksum, not a secret's
	"encoding/binary"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
)

// Overhead is what the format adds to a record beside its messages: magic
// bytes and checksum.
const Overhead = len(magic) + md5.Size

const (
	magic = "\xF3\x89\x9A\xC2"

	// Tags of the fields: field number << 3 | wire type 2 (length follows) or 0
	// (a varint).
	tagKeyTable = 1<<3 | 2
	tagRecord   = 3<<3 | 2
	tagKeyIndex = 1 << 3
	tagData     = 3<<3 | 2
)

// Cost is the most that m adds to a record: key and data, each with a tag and a
// length, and the message around them with its own and the key's index.
func Cost(m message.Message) int {
	const tagAndLength = 1 + 5
	return m.Size() + 3*tagAndLength + tagAndLength
}

// Encode packs the messages, in their order. Equal keys are stored once.
func Encode(messages []message.Message) []byte {
	size := Overhead
	for _, m := range messages {
		size += Cost(m)
	}
	out := append(make([]byte, 0, size), magic...)
	index := make(map[string]uint64, len(messages))
	for _, m := range messages {
		if _, known := index[m.Key]; known {
			continue
		}
		index[m.Key] = uint64(len(index))
		out = append(out, tagKeyTable)
		out = binary.AppendUvarint(out, uint64(len(m.Key)))
		out = append(out, m.Key...)
	}
	for _, m := range messages {
		out = appendRecord(out, index[m.Key], m.Data)
	}
	sum := md5.Sum(out[len(magic):]) //nolint:gosec // see the import
	return append(out, sum[:]...)
}

func appendRecord(out []byte, key uint64, data []byte) []byte {
	length := 1 + varintLen(key) + 1 + varintLen(uint64(len(data))) + len(data)
	out = append(out, tagRecord)
	out = binary.AppendUvarint(out, uint64(length))
	out = append(out, tagKeyIndex)
	out = binary.AppendUvarint(out, key)
	out = append(out, tagData)
	out = binary.AppendUvarint(out, uint64(len(data)))
	return append(out, data...)
}

func varintLen(n uint64) int {
	length := 1
	for n >= 0x80 {
		n >>= 7
		length++
	}
	return length
}
