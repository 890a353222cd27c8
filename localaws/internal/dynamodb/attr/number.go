package attr

import (
	"math/big"
	"strings"
)

// Limits of the Number type, from "Supported data types" in the DynamoDB
// developer guide: 38 significant digits, magnitudes from 1E-130 up to
// 9.9999999999999999999999999999999999999E+125.
const (
	maxDigits      = 38
	maxMagnitude   = 125
	minMagnitude   = -130
	maxExponent    = 1_000_000 // longer exponents are refused before they can overflow
	errNotNumber   = "The parameter cannot be converted to a numeric value"
	errDigits      = "Attempting to store more than 38 significant digits in a Number"
	errOverflow    = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	errUnderflow   = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	fastIntegerMax = 18 // digits of an integer that needs no arithmetic of its own
)

// Number is an exact decimal: 0.d1d2d3… × 10^exp, where digits has neither
// leading nor trailing zeros. The zero value is the number 0.
type Number struct {
	negative bool
	digits   string
	exp      int
}

// ParseNumber reads a decimal as DynamoDB accepts it: an optional sign,
// digits with an optional point, an optional exponent.
func ParseNumber(s string) (Number, error) {
	mantissa, exp, ok := splitExponent(s)
	if !ok {
		return Number{}, notNumber(s)
	}
	n := Number{}
	if mantissa != "" && (mantissa[0] == '-' || mantissa[0] == '+') {
		n.negative = mantissa[0] == '-'
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return Number{}, notNumber(s)
	}
	return normalise(n.negative, whole+fraction, len(whole)+exp)
}

func notNumber(s string) error {
	if s == "" {
		return Invalid(errNotNumber)
	}
	return Invalid(errNotNumber + ": " + s)
}

// splitExponent cuts "1.5e-3" into "1.5" and -3.
func splitExponent(s string) (string, int, bool) {
	at := strings.IndexAny(s, "eE")
	if at < 0 {
		return s, 0, s != ""
	}
	tail, sign := s[at+1:], 1
	if tail != "" && (tail[0] == '-' || tail[0] == '+') {
		if tail[0] == '-' {
			sign = -1
		}
		tail = tail[1:]
	}
	if tail == "" || !allDigits(tail) {
		return "", 0, false
	}
	exp := 0
	for _, c := range []byte(tail) {
		exp = min(exp*10+int(c-'0'), maxExponent)
	}
	return s[:at], sign * exp, true
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// normalise strips zeros on both sides and checks the service's limits.
func normalise(negative bool, digits string, exp int) (Number, error) {
	trimmed := strings.TrimLeft(digits, "0")
	exp -= len(digits) - len(trimmed)
	trimmed = strings.TrimRight(trimmed, "0")
	if trimmed == "" {
		return Number{}, nil
	}
	switch magnitude := exp - 1; {
	case magnitude > maxMagnitude:
		return Number{}, Invalid(errOverflow)
	case magnitude < minMagnitude:
		return Number{}, Invalid(errUnderflow)
	case len(trimmed) > maxDigits:
		return Number{}, Invalid(errDigits)
	}
	return Number{negative: negative, digits: trimmed, exp: exp}, nil
}

// String gives the canonical form, without an exponent. Two numbers are equal
// if and only if their strings are.
func (n Number) String() string {
	if n.digits == "" {
		return "0"
	}
	var b strings.Builder
	if n.negative {
		b.WriteByte('-')
	}
	switch {
	case n.exp <= 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -n.exp))
		b.WriteString(n.digits)
	case n.exp >= len(n.digits):
		b.WriteString(n.digits)
		b.WriteString(strings.Repeat("0", n.exp-len(n.digits)))
	default:
		b.WriteString(n.digits[:n.exp])
		b.WriteByte('.')
		b.WriteString(n.digits[n.exp:])
	}
	return b.String()
}

// Cmp is -1, 0 or +1 as n is below, equal to or above m.
func (n Number) Cmp(m Number) int {
	ns, ms := n.sign(), m.sign()
	if ns != ms {
		return sign(ns - ms)
	}
	if n.exp != m.exp {
		return ns * sign(n.exp-m.exp)
	}
	return ns * strings.Compare(n.digits, m.digits)
}

func (n Number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

func sign(i int) int {
	switch {
	case i < 0:
		return -1
	case i > 0:
		return 1
	default:
		return 0
	}
}

// Add returns n + m, or an error where the sum needs more than 38 digits or
// is out of range.
func (n Number) Add(m Number) (Number, error) {
	scale := min(n.exp-len(n.digits), m.exp-len(m.digits))
	sum := new(big.Int).Add(n.scaled(scale), m.scaled(scale))
	negative := sum.Sign() < 0
	digits := sum.Abs(sum).String()
	return normalise(negative, digits, len(digits)+scale)
}

// Sub returns n - m under the same limits as Add.
func (n Number) Sub(m Number) (Number, error) {
	m.negative = !m.negative
	return n.Add(m)
}

// scaled is n / 10^scale, an integer for every scale not above n's own.
func (n Number) scaled(scale int) *big.Int {
	if n.digits == "" {
		return new(big.Int)
	}
	v, _ := new(big.Int).SetString(n.digits+strings.Repeat("0", n.exp-len(n.digits)-scale), 10)
	if n.negative {
		v.Neg(v)
	}
	return v
}

// canonicalNumber is the canonical form of s; a plain integer is returned as it is.
func canonicalNumber(s string) (string, error) {
	if plainInteger(s) {
		return s, nil
	}
	n, err := ParseNumber(s)
	if err != nil {
		return "", err
	}
	return n.String(), nil
}

func plainInteger(s string) bool {
	return s != "" && len(s) <= fastIntegerMax && allDigits(s) && (s[0] != '0' || len(s) == 1)
}

// compareNumbers orders two canonical forms.
func compareNumbers(a, b string) int {
	if plainInteger(a) && plainInteger(b) {
		if len(a) != len(b) {
			return sign(len(a) - len(b))
		}
		return strings.Compare(a, b)
	}
	return mustNumber(a).Cmp(mustNumber(b))
}

// mustNumber reads a canonical form, which cannot fail.
func mustNumber(s string) Number {
	n, err := ParseNumber(s)
	if err != nil {
		panic("attr: " + s + " is no canonical number")
	}
	return n
}

// numberSize is the service's count of bytes: one for two significant digits,
// one more, and one for a minus sign.
func numberSize(s string) int {
	n := mustNumber(s)
	digits := len(n.digits)
	if n.exp%2 != 0 {
		digits++ // digits are packed in pairs aligned on the point
	}
	size := (digits+1)/2 + 1
	if n.negative {
		size++
	}
	return size
}
