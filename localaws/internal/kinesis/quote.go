package kinesis

import "encoding/json"

// appendQuoted appends a JSON string, copying it where nothing needs an escape.
func appendQuoted[S string | []byte](dst []byte, s S) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			quoted, err := json.Marshal(string(s))
			if err != nil { // a string always has a form
				return append(dst, `""`...)
			}
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
