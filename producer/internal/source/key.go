package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxKeyRunes is the service's limit on a partition key.
const maxKeyRunes = 256

// KeyFunc finds the partition key of a message.
type KeyFunc func(data []byte) (string, error)

// ParseKey reads the key setting: "uuid" for a fresh UUID for each message, a
// JSON pointer (RFC 6901) such as /user/id, or the number, from 1, of a field
// between white space.
func ParseKey(spec string) (KeyFunc, error) {
	if spec == "uuid" {
		return FreshKeys(), nil
	}
	if strings.HasPrefix(spec, "/") {
		return pointerKey(strings.Split(spec[1:], "/")), nil
	}
	if n, err := strconv.Atoi(spec); err == nil && n >= 1 {
		return fieldKey(n), nil
	}
	return nil, fmt.Errorf("read key %q: want uuid, a JSON pointer or a field number", spec)
}

// FreshKeys gives each message a random UUID.
func FreshKeys() KeyFunc {
	random := newRandom()
	return func([]byte) (string, error) { return newKey(random) }
}

func fieldKey(n int) KeyFunc {
	return func(data []byte) (string, error) {
		i := 0
		for field := range bytes.FieldsSeq(data) {
			if i++; i == n {
				return checkKey(string(field))
			}
		}
		return "", fmt.Errorf("no field %d for the partition key", n)
	}
}

func pointerKey(tokens []string) KeyFunc {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for i, token := range tokens {
		tokens[i] = unescape.Replace(token)
	}
	return func(data []byte) (string, error) {
		value := json.RawMessage(data)
		for _, token := range tokens {
			next, err := member(value, token)
			if err != nil && !json.Valid(data) {
				return "", errors.New("the message is not JSON: no partition key")
			}
			if err != nil {
				return "", fmt.Errorf("no JSON member %q for the partition key", token)
			}
			value = next
		}
		return scalarKey(value)
	}
}

var errNoMember = errors.New("no such member")

func member(value json.RawMessage, token string) (json.RawMessage, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil {
		if next, ok := object[token]; ok {
			return next, nil
		}
		return nil, errNoMember
	}
	var array []json.RawMessage
	index, err := strconv.Atoi(token)
	if err != nil || json.Unmarshal(value, &array) != nil || index < 0 || index >= len(array) {
		return nil, errNoMember
	}
	return array[index], nil
}

// scalarKey takes a string as it is, and a number or boolean as it is written.
func scalarKey(value json.RawMessage) (string, error) {
	value = bytes.TrimSpace(value)
	var text string
	switch {
	case len(value) == 0 || bytes.IndexByte([]byte("{[n"), value[0]) >= 0:
		return "", errors.New("the partition key is not a string, number or boolean")
	case value[0] == '"':
		if err := json.Unmarshal(value, &text); err != nil {
			return "", fmt.Errorf("read partition key: %w", err)
		}
	default:
		text = string(value)
	}
	return checkKey(text)
}

func checkKey(key string) (string, error) {
	switch {
	case key == "":
		return "", errors.New("the partition key is empty")
	case !utf8.ValidString(key):
		return "", errors.New("the partition key is not UTF-8")
	case utf8.RuneCountInString(key) > maxKeyRunes:
		return "", fmt.Errorf("the partition key has more than %d characters", maxKeyRunes)
	}
	return key, nil
}
