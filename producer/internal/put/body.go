package put

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// keptBody is the largest body whose memory is kept for the next request.
const keptBody = 16 << 20

// bodies keeps the memory of request bodies between requests.
var bodies sync.Pool //nolint:gochecknoglobals // a cache without state that shows

// sharedBody is the body of one request. Its memory is used again when nobody
// reads it any more: net/http may go on reading after it has returned an
// answer, and closes what it reads when it is done.
type sharedBody struct {
	bytes []byte
	users atomic.Int32
}

// newSharedBody returns an empty body for size bytes, with one user.
func newSharedBody(size int) *sharedBody {
	b, ok := bodies.Get().(*sharedBody)
	if !ok || cap(b.bytes) < size {
		b = &sharedBody{bytes: make([]byte, 0, size+size/8)}
	}
	b.bytes = b.bytes[:0]
	b.users.Store(1)
	return b
}

// leave is called once by each user.
func (b *sharedBody) leave() {
	if b.users.Add(-1) == 0 && cap(b.bytes) <= keptBody {
		bodies.Put(b)
	}
}

// reader returns a reader of the whole body, a user until it is closed.
func (b *sharedBody) reader() *bodyReader {
	b.users.Add(1)
	return &bodyReader{body: b, rest: b.bytes}
}

// attach makes b the body of a request.
func (b *sharedBody) attach(req *http.Request) {
	req.ContentLength = int64(len(b.bytes))
	req.Body = b.reader()
	req.GetBody = func() (io.ReadCloser, error) { return b.reader(), nil }
}

// bodyReader reads a sharedBody. Read and Close may run at the same time: after
// Close, Read does not touch the memory any more.
type bodyReader struct {
	mu   sync.Mutex
	body *sharedBody // nil when closed
	rest []byte
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.body == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.body != nil {
		r.body.leave()
		r.body, r.rest = nil, nil
	}
	return nil
}
