package conformance_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const tick = 10 * time.Millisecond

// show prints an item or a value in one way only: maps and sets are sorted.
func show(v any) string {
	switch v := v.(type) {
	case item:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, name+":"+show(v[name]))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case []item:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = show(v[i])
		}
		return strings.Join(parts, " ")
	case *types.AttributeValueMemberS:
		return strconv.Quote(v.Value)
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberB:
		return "b" + strconv.Quote(string(v.Value))
	case *types.AttributeValueMemberBOOL:
		return strconv.FormatBool(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberM:
		return show(v.Value)
	case *types.AttributeValueMemberL:
		parts := make([]string, len(v.Value))
		for i := range v.Value {
			parts[i] = show(v.Value[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *types.AttributeValueMemberSS:
		return set(v.Value)
	case *types.AttributeValueMemberNS:
		return set(v.Value)
	case *types.AttributeValueMemberBS:
		all := make([]string, len(v.Value))
		for i := range v.Value {
			all[i] = string(v.Value[i])
		}
		return "b" + set(all)
	default:
		return "none"
	}
}

func set(members []string) string {
	return "<" + strings.Join(slices.Sorted(slices.Values(members)), " ") + ">"
}
