package kinesis

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// header of an event stream message: a name and a string.
type header struct{ name, value string }

// appendMessage appends one message of the AWS event stream encoding:
//
//	total length, header length, CRC of both; headers; payload; CRC of all
//
// (https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html).
func appendMessage(dst []byte, headers []header, payload []byte) []byte {
	const frame, stringType = 16, 7
	size := 0
	for _, h := range headers {
		size += 1 + len(h.name) + 1 + 2 + len(h.value)
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(frame+size+len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(size))
	dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
	for _, h := range headers {
		dst = append(append(dst, byte(len(h.name))), h.name...)
		dst = binary.BigEndian.AppendUint16(append(dst, stringType), uint16(len(h.value)))
		dst = append(dst, h.value...)
	}
	dst = append(dst, payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

func appendEvent(dst []byte, kind string, encoding wire.Encoding, payload []byte) []byte {
	return appendMessage(dst, []header{
		{":message-type", "event"}, {":event-type", kind}, {":content-type", string(encoding)},
	}, payload)
}

// appendException appends the message that ends a stream with an error.
func appendException(dst []byte, encoding wire.Encoding, e *wire.Error) []byte {
	var payload []byte
	if encoding == wire.CBOR {
		payload = wire.AppendText(wire.AppendText(wire.AppendMap(nil, 1), "message"), e.Message)
	} else {
		payload = append(appendQuoted([]byte(`{"message":`), e.Message), '}')
	}
	return appendMessage(dst, []header{
		{":message-type", "exception"}, {":exception-type", e.Code}, {":content-type", string(encoding)},
	}, payload)
}
