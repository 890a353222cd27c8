package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"sort"
	"strings"
	"time"
)

// The major types of CBOR (RFC 8949) in the upper three bits of a head.
const (
	cborUint   = 0 << 5
	cborNegint = 1 << 5
	cborBytes  = 2 << 5
	cborText   = 3 << 5
	cborArray  = 4 << 5
	cborMap    = 5 << 5
	cborTag    = 6 << 5
	cborSimple = 7 << 5
)

// AppendCBORHead appends the head of an item of the given major type.
func appendHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

// AppendMap appends the head of a map of n pairs.
func AppendMap(dst []byte, n int) []byte { return appendHead(dst, cborMap, uint64(n)) }

// AppendArray appends the head of an array of n items.
func AppendArray(dst []byte, n int) []byte { return appendHead(dst, cborArray, uint64(n)) }

// AppendText appends a text string.
func AppendText[S ~string | ~[]byte](dst []byte, s S) []byte {
	return append(appendHead(dst, cborText, uint64(len(s))), s...)
}

// AppendBytes appends a byte string.
func AppendBytes(dst, b []byte) []byte {
	return append(appendHead(dst, cborBytes, uint64(len(b))), b...)
}

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendHead(dst, cborNegint, uint64(-1-n))
	}
	return appendHead(dst, cborUint, uint64(n))
}

// AppendTime appends tag 1 with whole milliseconds.
func AppendTime(dst []byte, t time.Time) []byte {
	return AppendInt(appendHead(dst, cborTag, 1), t.UnixMilli())
}

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, cborSimple|22) }

// appendCBOR encodes a value made of structs with json tags, maps with string
// keys, slices, strings, numbers, bools, []byte and Time.
func appendCBOR(dst []byte, value any) ([]byte, error) {
	return appendValue(dst, reflect.ValueOf(value))
}

func appendValue(dst []byte, v reflect.Value) ([]byte, error) {
	if !v.IsValid() {
		return AppendNull(dst), nil
	}
	if t, ok := v.Interface().(Time); ok {
		return AppendTime(dst, t.Time), nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return AppendNull(dst), nil
		}
		return appendValue(dst, v.Elem())
	case reflect.String:
		return AppendText(dst, v.String()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(dst, cborSimple|21), nil
		}
		return append(dst, cborSimple|20), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return AppendInt(dst, v.Int()), nil
	case reflect.Float32, reflect.Float64:
		return binary.BigEndian.AppendUint64(append(dst, cborSimple|27), math.Float64bits(v.Float())), nil
	case reflect.Slice, reflect.Array:
		return appendList(dst, v)
	case reflect.Map:
		return appendMapValue(dst, v)
	case reflect.Struct:
		return appendStruct(dst, v)
	default:
		return dst, fmt.Errorf("encode cbor: no form for %s", v.Type())
	}
}

func appendList(dst []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return AppendBytes(dst, v.Bytes()), nil
	}
	dst = AppendArray(dst, v.Len())
	var err error
	for i := range v.Len() {
		if dst, err = appendValue(dst, v.Index(i)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendMapValue(dst []byte, v reflect.Value) ([]byte, error) {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	dst = AppendMap(dst, len(keys))
	var err error
	for _, k := range keys {
		if dst, err = appendValue(AppendText(dst, k.String()), v.MapIndex(k)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendStruct(dst []byte, v reflect.Value) ([]byte, error) {
	type member struct {
		name  string
		value reflect.Value
	}
	var members []member
	for i := range v.NumField() {
		name, rest, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || (rest == "omitempty" && isEmpty(v.Field(i))) || (rest == "omitzero" && v.Field(i).IsZero()) {
			continue
		}
		members = append(members, member{name, v.Field(i)})
	}
	dst = AppendMap(dst, len(members))
	var err error
	for _, m := range members {
		if dst, err = appendValue(AppendText(dst, m.name), m.value); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
