package dynamodb

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// Limits on the values of keys, in bytes.
const (
	maxHashKey  = 2048
	maxRangeKey = 1024
)

// keyAttribute is one attribute of a key schema; the zero value is no attribute.
type keyAttribute struct {
	name string
	kind attr.Kind
}

// schema is the key of a table or of an index.
type schema struct{ hash, sort keyAttribute }

func (s schema) attributes() []keyAttribute {
	if s.sort.name == "" {
		return []keyAttribute{s.hash}
	}
	return []keyAttribute{s.hash, s.sort}
}

// has reports whether an attribute is part of the key.
func (s schema) has(name string) bool {
	return name == s.hash.name || name == s.sort.name && name != ""
}

// partition is the beginning of the ordered form of every key with this hash
// value: eight bytes of hash, then the value.
func (s schema) partition(hash attr.Value) []byte {
	key := make([]byte, 8, 64)
	key = hash.AppendOrdered(key)
	h := fnv.New64a()
	_, _ = h.Write(key[8:]) // cannot fail
	binary.BigEndian.PutUint64(key, mix(h.Sum64()))
	return key
}

// mix spreads what FNV leaves in the low bits over all of them.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// order is the ordered form of an item's key; the item has all of it.
func (s schema) order(item attr.Item) []byte {
	key := s.partition(item[s.hash.name])
	if s.sort.name != "" {
		key = item[s.sort.name].AppendOrdered(key)
	}
	return key
}

// of is the item's key.
func (s schema) of(item attr.Item) attr.Item {
	key := make(attr.Item, 4)
	for _, a := range s.attributes() {
		key[a.name] = item[a.name]
	}
	return key
}

// checkItem checks the key of an item to be put.
func (s schema) checkItem(item attr.Item) error {
	for _, a := range s.attributes() {
		v := item[a.name]
		switch {
		case !v.Present():
			return invalid("One or more parameter values were invalid: Missing the key " + a.name + " in the item")
		case v.Kind != a.kind:
			return invalid("One or more parameter values were invalid: Type mismatch for key " + a.name + " expected: " + a.kind.String() + " actual: " + v.Kind.String())
		}
	}
	return s.checkSizes(item)
}

// checkKey checks a Key parameter: the key and nothing else.
func (s schema) checkKey(key attr.Item) error {
	attributes := s.attributes()
	if len(key) != len(attributes) {
		return invalid("The provided key element does not match the schema")
	}
	for _, a := range attributes {
		if key[a.name].Kind != a.kind {
			return invalid("The provided key element does not match the schema")
		}
	}
	return s.checkSizes(key)
}

func (s schema) checkSizes(item attr.Item) error {
	for _, a := range s.attributes() {
		v := item[a.name]
		if v.Text != "" {
			continue
		}
		kind := "string"
		if a.kind == attr.B {
			kind = "binary"
		}
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty " + kind + " value. Key: " + a.name)
	}
	return s.checkLengths(item)
}

// checkLengths checks the lengths of the key's values, as far as they are there.
func (s schema) checkLengths(item attr.Item) error {
	if item[s.hash.name].Size() > maxHashKey {
		return invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	if s.sort.name != "" && item[s.sort.name].Size() > maxRangeKey {
		return invalid("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}
