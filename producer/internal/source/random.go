package source

import (
	"crypto/rand"
	"io"
	fast "math/rand/v2"
)

// newRandom returns a source of random bytes that is seeded from the operating
// system once and makes no system call afterwards. ChaCha8 is unpredictable
// without its seed, so UUIDs made of it do not collide across processes.
func newRandom() io.Reader {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails (Go 1.24 on)
	return fast.NewChaCha8(seed)
}
