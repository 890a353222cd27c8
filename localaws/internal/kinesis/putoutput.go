package kinesis

import (
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// putRecordsOutput implements wire.Appender.
type putRecordsOutput struct{ results []putResult }

func (o *putRecordsOutput) failed() int {
	n := 0
	for i := range o.results {
		if o.results[i].failure != nil {
			n++
		}
	}
	return n
}

// AppendJSON implements wire.Appender.
func (o *putRecordsOutput) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"FailedRecordCount":`...)
	dst = strconv.AppendInt(dst, int64(o.failed()), 10)
	dst = append(dst, `,"Records":[`...)
	for i := range o.results {
		res := &o.results[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		if res.failure != nil {
			dst = append(dst, `{"ErrorCode":`...)
			dst = appendQuoted(dst, res.failure.Code)
			dst = append(dst, `,"ErrorMessage":`...)
			dst = append(appendQuoted(dst, res.failure.Message), '}')
			continue
		}
		dst = append(dst, `{"SequenceNumber":"`...)
		dst = res.sequence.append(dst)
		dst = append(dst, `","ShardId":"`...)
		dst = append(dst, res.shard.id...)
		dst = append(dst, `"}`...)
	}
	return append(dst, `]}`...)
}

// AppendCBOR implements wire.Appender.
func (o *putRecordsOutput) AppendCBOR(dst []byte) []byte {
	dst = wire.AppendMap(dst, 2)
	dst = wire.AppendInt(wire.AppendText(dst, "FailedRecordCount"), int64(o.failed()))
	dst = wire.AppendArray(wire.AppendText(dst, "Records"), len(o.results))
	var digits [sequenceDigits]byte
	for i := range o.results {
		res := &o.results[i]
		dst = wire.AppendMap(dst, 2)
		if res.failure != nil {
			dst = wire.AppendText(wire.AppendText(dst, "ErrorCode"), res.failure.Code)
			dst = wire.AppendText(wire.AppendText(dst, "ErrorMessage"), res.failure.Message)
			continue
		}
		dst = wire.AppendText(wire.AppendText(dst, "SequenceNumber"), res.sequence.append(digits[:0]))
		dst = wire.AppendText(wire.AppendText(dst, "ShardId"), res.shard.id)
	}
	return dst
}
