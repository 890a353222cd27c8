package dynamodb

import (
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// answer is a response that encodes itself. It implements wire.Appender.
type answer func(o *object)

// AppendJSON implements wire.Appender.
func (a answer) AppendJSON(dst []byte) []byte {
	o := open(dst)
	a(&o)
	return o.close()
}

// AppendCBOR implements wire.Appender. Serve has refused CBOR before.
func (a answer) AppendCBOR(dst []byte) []byte { return dst }

// object writes one JSON object.
type object struct {
	dst  []byte
	some bool
}

func open(dst []byte) object { return object{dst: append(dst, '{')} }

func (o *object) close() []byte { return append(o.dst, '}') }

// name writes a member's name; its value is to be appended to dst.
func (o *object) name(s string) {
	if o.some {
		o.dst = append(o.dst, ',')
	}
	o.some = true
	o.dst = append(attr.AppendString(o.dst, s), ':')
}

func (o *object) text(name, s string) {
	o.name(name)
	o.dst = attr.AppendString(o.dst, s)
}

func (o *object) number(name string, n int) {
	o.name(name)
	o.dst = strconv.AppendInt(o.dst, int64(n), 10)
}

func (o *object) float(name string, f float64) {
	o.name(name)
	o.dst = formatFloat(o.dst, f)
}

// item writes an item; nil is left out.
func (o *object) item(name string, i attr.Item) {
	if i != nil {
		o.name(name)
		o.dst = i.AppendJSON(o.dst)
	}
}

func (o *object) items(name string, items []attr.Item) {
	o.name(name)
	o.dst = append(o.dst, '[')
	for i, item := range items {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.dst = item.AppendJSON(o.dst)
	}
	o.dst = append(o.dst, ']')
}

// consumed writes a ConsumedCapacity if it was asked for.
func (o *object) consumed(c *capacity, some bool) {
	if some {
		o.name("ConsumedCapacity")
		o.dst = c.appendJSON(o.dst)
	}
}

// consumedAll writes those of a call on several tables.
func (o *object) consumedAll(all []*capacity, some bool) {
	if !some {
		return
	}
	o.name("ConsumedCapacity")
	o.dst = append(o.dst, '[')
	for i, c := range all {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.dst = c.appendJSON(o.dst)
	}
	o.dst = append(o.dst, ']')
}
