package attr

import (
	"encoding/base64"
	"strings"
)

// maxNesting is how deep lists and maps may stand in one another.
const maxNesting = 32

const (
	errEmpty   = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
	errMany    = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
	errNull    = "One or more parameter values were invalid: Null attribute value types must have the value of true"
	errNesting = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)

// ParseItem reads a JSON object of attribute values, such as {"id":{"S":"a"}}.
func ParseItem(in []byte) (Item, error) {
	s := scanner{in: in}
	item, err := s.item(0)
	if err == nil && s.peek() != 0 {
		err = s.unexpected("the end")
	}
	return item, err
}

// ParseNamed is ParseItem that also tells which value an error is about.
func ParseNamed(in []byte) (item Item, name string, err error) {
	s := scanner{in: in}
	item, err = s.item(0)
	return item, s.member, err
}

// ParseValue reads one attribute value, such as {"N":"1"}.
func ParseValue(in []byte) (Value, error) {
	s := scanner{in: in}
	v, err := s.value(0)
	if err == nil && s.peek() != 0 {
		err = s.unexpected("the end")
	}
	return v, err
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Item) UnmarshalJSON(in []byte) error {
	if string(in) == "null" {
		return nil
	}
	item, err := ParseItem(in)
	*i = item
	return err
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(in []byte) error {
	if string(in) == "null" {
		return nil
	}
	value, err := ParseValue(in)
	*v = value
	return err
}

func (s *scanner) item(depth int) (Item, error) {
	if err := s.expect('{'); err != nil {
		return nil, err
	}
	item := make(Item)
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil || !more {
			return item, err
		}
		name, err := s.str()
		if err == nil {
			err = s.expect(':')
		}
		if err != nil {
			return nil, err
		}
		if name == "" {
			return nil, Invalid("One or more parameter values are not valid. Empty attribute name")
		}
		if depth == 0 {
			s.member = name
		}
		if item[name], err = s.value(depth); err != nil {
			return nil, err
		}
	}
}

func (s *scanner) value(depth int) (Value, error) {
	if depth > maxNesting {
		return Value{}, Invalid(errNesting)
	}
	if err := s.expect('{'); err != nil {
		return Value{}, err
	}
	var v Value
	for first := true; ; first = false {
		more, err := s.next(first, '}')
		if err != nil {
			return Value{}, err
		}
		if !more {
			break
		}
		if !first {
			return Value{}, Invalid(errMany)
		}
		kind, err := s.raw()
		if err != nil {
			return Value{}, err
		}
		v.Kind = kindOf(kind)
		if err = s.expect(':'); err == nil {
			err = s.content(&v, depth)
		}
		if err != nil {
			return Value{}, err
		}
	}
	if v.Kind == None {
		return Value{}, Invalid(errEmpty)
	}
	return v, nil
}

func kindOf(name []byte) Kind {
	switch string(name) {
	case "S":
		return S
	case "N":
		return N
	case "M":
		return M
	case "L":
		return L
	default:
		return KindOf(string(name))
	}
}

// content reads what stands behind the type descriptor.
func (s *scanner) content(v *Value, depth int) (err error) {
	switch v.Kind {
	case S, N, B:
		v.Text, err = s.scalar(v.Kind)
	case Bool:
		v.Bool, err = s.boolean()
	case Null:
		err = s.null()
	case SS, NS, BS:
		v.parts = &parts{}
		v.parts.set, err = s.set(v.Kind)
	case M:
		v.parts = &parts{}
		v.parts.item, err = s.item(depth + 1)
	case L:
		v.parts = &parts{}
		v.parts.list, err = s.list(depth + 1)
	default:
		return Invalid(errEmpty) // a descriptor that is not known is as none
	}
	return err
}

func (s *scanner) null() error {
	is, err := s.boolean()
	if err == nil && !is {
		err = Invalid(errNull)
	}
	return err
}

// scalar reads an S, N or B into its canonical form.
func (s *scanner) scalar(kind Kind) (string, error) {
	raw, err := s.raw()
	if err != nil {
		return "", err
	}
	switch kind {
	case N:
		return canonicalNumber(string(raw))
	case B:
		out := make([]byte, base64.StdEncoding.DecodedLen(len(raw)))
		n, err := base64.StdEncoding.Decode(out, raw)
		if err != nil {
			return "", Malformed("a binary value is not base64")
		}
		return string(out[:n]), nil
	default:
		return string(raw), nil
	}
}

func (s *scanner) list(depth int) ([]Value, error) {
	if err := s.expect('['); err != nil {
		return nil, err
	}
	list := []Value{}
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil || !more {
			return list, err
		}
		v, err := s.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
}

func (s *scanner) set(kind Kind) ([]string, error) {
	if err := s.expect('['); err != nil {
		return nil, err
	}
	members := []string{}
	for first := true; ; first = false {
		more, err := s.next(first, ']')
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		m, err := s.scalar(kind.Element())
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	if len(members) == 0 {
		return nil, Invalid("One or more parameter values were invalid: An " + setName(kind) + " set  may not be empty")
	}
	given := strings.Join(members, ", ")
	sorted := newSet(kind, members).Set()
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			if kind == NS {
				return nil, Invalid("Input collection contains duplicates")
			}
			return nil, Invalid("One or more parameter values were invalid: Input collection [" + given + "] contains duplicates.")
		}
	}
	return sorted, nil
}

func setName(kind Kind) string {
	switch kind {
	case NS:
		return "number"
	case BS:
		return "binary"
	default:
		return "string"
	}
}
