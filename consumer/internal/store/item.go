package store

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
)

// Limits of DynamoDB, from its developer guide, "Quotas".
const (
	maxItem  = 400 << 10 // bytes of names and values
	maxKey   = 2048      // bytes of a partition key
	maxBatch = 25        // items in a BatchWriteItem
)

// Names of an item's attributes.
const (
	attrID        = "id"
	attrMeta      = "meta"
	attrKey       = "partitionKey"
	attrShard     = "shardId"
	attrSequence  = "sequenceNumber"
	attrArrivedAt = "arrivedAt"
	attrExpiresAt = "expiresAt"
)

const namesSize = len(attrID) + len(attrMeta) + len(attrKey) + len(attrShard) + len(attrSequence) + len(attrArrivedAt)

// check finds what DynamoDB would refuse in a message whatever is done, so
// that it need not spoil a batch first.
func check(m *handler.Message, ttl time.Duration) error {
	id := len(m.Shard) + len(m.Sequence) + 2 + len(strconv.FormatInt(m.SubSequence, 10))
	if id > maxKey {
		return handler.Permanent(fmt.Errorf("id of %d bytes is longer than %d", id, maxKey))
	}
	size := namesSize + id + len(m.Data) + len(m.PartitionKey) + len(m.Shard) + len(m.Sequence) + numberSize
	if ttl > 0 {
		size += len(attrExpiresAt) + numberSize
	}
	if size > maxItem {
		return handler.Permanent(fmt.Errorf("item of %d bytes is larger than DynamoDB's %d", size, maxItem))
	}
	if !utf8.ValidString(m.PartitionKey) {
		return handler.Permanent(fmt.Errorf("partition key is not UTF-8"))
	}
	return nil
}

// numberSize is what a number of 13 digits takes.
const numberSize = 8

// appendPut appends the PutRequest of a message to a BatchWriteItem body.
func appendPut(b []byte, m *handler.Message, ttl time.Duration) []byte {
	b = append(b, `{"PutRequest":{"Item":`...)
	b = appendItem(b, m, ttl)
	return append(b, "}}"...)
}

// appendItem appends the item of a message as DynamoDB JSON.
func appendItem(b []byte, m *handler.Message, ttl time.Duration) []byte {
	b = append(b, `{"id":{"S":"`...)
	b = appendEscaped(b, m.Shard)
	b = append(b, '/')
	b = appendEscaped(b, m.Sequence)
	b = append(b, '/')
	b = strconv.AppendInt(b, m.SubSequence, 10)
	b = append(b, `"},"meta":`...)
	b = appendPayload(b, m.Data)
	b = append(b, `,"partitionKey":{"S":"`...)
	b = appendEscaped(b, m.PartitionKey)
	b = append(b, `"},"shardId":{"S":"`...)
	b = appendEscaped(b, m.Shard)
	b = append(b, `"},"sequenceNumber":{"S":"`...)
	b = appendEscaped(b, m.Sequence)
	b = append(b, `"},"arrivedAt":{"N":"`...)
	b = strconv.AppendInt(b, m.ArrivedAt.UnixMilli(), 10)
	if ttl > 0 {
		b = append(b, `"},"expiresAt":{"N":"`...)
		b = strconv.AppendInt(b, m.ArrivedAt.Add(ttl).Unix(), 10)
	}
	return append(b, `"}}`...)
}

// appendPayload appends JSON text as a string, and other bytes as binary.
func appendPayload(b, data []byte) []byte {
	start := len(b)
	b, ok := appendJSON(append(b, `{"S":"`...), data)
	if !ok {
		b = append(b[:start], `{"B":"`...)
		b = base64.StdEncoding.AppendEncode(b, data)
	}
	return append(b, `"}`...)
}
