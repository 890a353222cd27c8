package dynamodb

import (
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Sizes of a unit, and of the service's other limits, in bytes.
const (
	readUnit  = 4096
	writeUnit = 1024
	maxItem   = 400 << 10
	maxPage   = 1 << 20
	maxBatch  = 16 << 20
)

// writeUnits is the cost of writing so many bytes; nothing costs as much as one.
func writeUnits(bytes int) float64 { return float64(max((bytes+writeUnit-1)/writeUnit, 1)) }

// readUnits is the cost of reading so many bytes.
func readUnits(bytes int, consistent bool) float64 {
	units := float64(max((bytes+readUnit-1)/readUnit, 1))
	if !consistent {
		units /= 2
	}
	return units
}

// capacity is what one call consumed of one table and its indexes.
type capacity struct {
	table    string
	own      float64 // the table itself
	write    bool
	inTx     bool // a transaction tells reads from writes
	detailed bool // INDEXES
	indexes  []indexCapacity
}

type indexCapacity struct {
	name  string
	local bool
	units float64
}

func (c *capacity) add(x *index, units float64) {
	if units == 0 {
		return
	}
	for i := range c.indexes {
		if c.indexes[i].name == x.name {
			c.indexes[i].units += units
			return
		}
	}
	c.indexes = append(c.indexes, indexCapacity{x.name, x.local, units})
}

func (c *capacity) total() float64 {
	sum := c.own
	for _, x := range c.indexes {
		sum += x.units
	}
	return sum
}

// charge puts the sum into the request's usage.
func (c *capacity) charge(r *wire.Request) {
	if c.write {
		r.Usage.WriteUnits += c.total()
	} else {
		r.Usage.ReadUnits += c.total()
	}
}

// appendJSON writes a ConsumedCapacity.
func (c *capacity) appendJSON(dst []byte) []byte {
	o := open(dst)
	o.text("TableName", c.table)
	c.units(&o, c.total())
	if c.detailed {
		o.name("Table")
		inner := open(o.dst)
		c.units(&inner, c.own)
		o.dst = inner.close()
		c.appendIndexes(&o, "GlobalSecondaryIndexes", false)
		c.appendIndexes(&o, "LocalSecondaryIndexes", true)
	}
	return o.close()
}

func (c *capacity) appendIndexes(o *object, name string, local bool) {
	var inner object
	some := false
	for _, x := range c.indexes {
		if x.local != local {
			continue
		}
		if !some {
			o.name(name)
			inner, some = open(o.dst), true
		}
		inner.name(x.name)
		one := open(inner.dst)
		c.units(&one, x.units)
		inner.dst = one.close()
	}
	if some {
		o.dst = inner.close()
	}
}

func (c *capacity) units(o *object, units float64) {
	o.float("CapacityUnits", units)
	if c.inTx && c.write {
		o.float("WriteCapacityUnits", units)
	} else if c.inTx {
		o.float("ReadCapacityUnits", units)
	}
}

// wanted reads ReturnConsumedCapacity.
func wanted(level string) (some, detailed bool, err error) {
	switch level {
	case "", "NONE":
		return false, false, nil
	case "TOTAL":
		return true, false, nil
	case "INDEXES":
		return true, true, nil
	default:
		return false, false, notInEnum(level, "returnConsumedCapacity", "[INDEXES, TOTAL, NONE]")
	}
}

func notInEnum(value, member, values string) error {
	return invalid("1 validation error detected: Value '" + value + "' at '" + member + "' failed to satisfy constraint: Member must satisfy enum value set: " + values)
}

func tooSmall(member string, value, least int) error {
	return invalid("1 validation error detected: Value '" + strconv.Itoa(value) + "' at '" + member + "' failed to satisfy constraint: Member must have value greater than or equal to " + strconv.Itoa(least))
}

func tooLarge(member string, value, most int) error {
	return invalid("1 validation error detected: Value '" + strconv.Itoa(value) + "' at '" + member + "' failed to satisfy constraint: Member must have value less than or equal to " + strconv.Itoa(most))
}

func formatFloat(dst []byte, f float64) []byte { return strconv.AppendFloat(dst, f, 'f', 1, 64) }
