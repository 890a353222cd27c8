package held

import "math/bits"

// fold maps small differences of either sign to small numbers.
func fold(n int64) uint64 { return uint64(n<<1) ^ uint64(n>>63) }

func unfold(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

// writer appends bits, the highest of each byte first.
type writer struct {
	bytes []byte
	free  int // unused bits of the last byte
}

func (w *writer) bit(one bool) {
	if w.free == 0 {
		w.bytes, w.free = append(w.bytes, 0), 8
	}
	w.free--
	if one {
		w.bytes[len(w.bytes)-1] |= 1 << w.free
	}
}

func (w *writer) low(n uint64, count int) {
	for count--; count >= 0; count-- {
		w.bit(n>>count&1 == 1)
	}
}

func (w *writer) number(n uint64) {
	size := bits.Len64(n)
	w.low(0, size)
	w.bit(true)
	w.low(n, size-1)
}

func (w *writer) text(s string) {
	w.number(uint64(len(s)))
	for i := range len(s) {
		w.low(uint64(s[i]), 8)
	}
}

// reader reads them again. Once it has failed it reads zeros.
type reader struct {
	bytes  []byte
	at     int // bits read
	failed bool
}

func (r *reader) left() int { return 8*len(r.bytes) - r.at }

func (r *reader) bit() bool {
	if r.failed || r.left() == 0 {
		r.failed = true
		return false
	}
	one := r.bytes[r.at/8]>>(7-r.at%8)&1 == 1
	r.at++
	return one
}

func (r *reader) low(count int) uint64 {
	n := uint64(0)
	for range count {
		n <<= 1
		if r.bit() {
			n |= 1
		}
	}
	return n
}

func (r *reader) number() uint64 {
	size := 0
	for !r.bit() {
		if size++; size > 64 || r.failed {
			r.failed = true
			return 0
		}
	}
	if size == 0 {
		return 0
	}
	return 1<<(size-1) | r.low(size-1)
}

func (r *reader) text() string {
	n := r.number()
	if r.failed || n > uint64(r.left()/8) {
		r.failed = true
		return ""
	}
	s := make([]byte, n)
	for i := range s {
		s[i] = byte(r.low(8))
	}
	return string(s)
}

// ended tells whether everything was read, but for the zeros of the last byte.
func (r *reader) ended() bool {
	return !r.failed && r.left() < 8 && r.low(r.left()) == 0 && !r.failed
}
