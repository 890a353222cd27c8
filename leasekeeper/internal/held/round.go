package held

import "math/bits"

// scale rounds a quantity to what one of 256 codes can say: eight steps from
// each power of two to the next, so that it is off by a sixteenth at most, and
// by half a unit where that is more.
type scale struct{ unit int64 }

//nolint:gochecknoglobals // constants
var (
	loads = scale{1024} // bytes per second
	lags  = scale{100}  // milliseconds
)

const maxCode = 255

// RoundLoad returns the load, in bytes per second, as peers read it from a row.
// Whoever plans with its own loads rounds them first: the plans of all agree.
func RoundLoad(bytesPerSecond int64) int64 { return loads.value(loads.code(bytesPerSecond)) }

// RoundLag returns the lag, in milliseconds, as peers read it from a row.
func RoundLag(ms int64) int64 { return lags.value(lags.code(ms)) }

// code returns the code of the nearest value that has one; 0 for what is negative.
func (s scale) code(value int64) int64 {
	if value <= 0 {
		return 0
	}
	n := value / s.unit
	e := max(bits.Len64(uint64(n))-4, 0)
	low := min(int64(e)*8+n>>e, maxCode)
	high := min(low+1, maxCode)
	if s.value(high)-value <= value-s.value(low) {
		return high
	}
	return low
}

// value returns what a code between 0 and maxCode says.
func (s scale) value(code int64) int64 {
	if code < 16 {
		return code * s.unit
	}
	e := code/8 - 1
	return (8 + code%8) << e * s.unit
}
