package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// conns are connections to one host over HTTP/1.1, each for one call at a time,
// which writes and reads in the caller's own goroutine: the two goroutines that
// net/http has for each connection, and their ways to each other and to the
// caller, cost more than all else in a small call.
type conns struct {
	dial     func(ctx context.Context) (net.Conn, error)
	most     int           // idle ones
	lifetime time.Duration // of an idle one; 0: no bound

	mu    sync.Mutex
	idle  []*conn // the one used last at the end
	sweep *time.Timer
}

type conn struct {
	net.Conn
	in   *bufio.Reader
	out  []byte
	idle time.Time // since when
}

// Sizes. A long answer is read past the buffer, a long body is written after
// its header without a copy.
const (
	inBytes  = 4 << 10
	outBytes = 64 << 10
)

// staleError is an error before the first byte of an answer: the server may have
// closed the connection while it was idle.
type staleError struct{ error }

// exchange makes a call. An idle connection that the server has closed is
// no error: the call is made again on a new one.
func (c *conns) exchange(req *http.Request, body []byte) (answer, error) {
	a, err := c.try(req, body, c.take())
	if errors.As(err, &staleError{}) && req.Context().Err() == nil {
		a, err = c.try(req, body, nil)
	}
	if err != nil && req.Context().Err() != nil {
		err = req.Context().Err()
	}
	return a, err
}

func (c *conns) try(req *http.Request, body []byte, k *conn) (answer, error) {
	ctx, fresh := req.Context(), k == nil
	if fresh {
		raw, err := c.dial(ctx)
		if err != nil {
			return answer{}, err
		}
		k = &conn{Conn: raw, in: bufio.NewReaderSize(raw, inBytes)}
	}
	// By Done alone: the deadline of a grant's context moves.
	stop := context.AfterFunc(ctx, func() { _ = k.SetDeadline(time.Unix(1, 0)) })
	a, last, err := k.exchange(req, body)
	if good := stop(); err != nil || last || !good {
		_ = k.Close()
		if !fresh && errors.Is(ctx.Err(), context.DeadlineExceeded) {
			c.forget()
		}
	} else {
		c.put(k)
	}
	if s := (staleError{}); fresh && errors.As(err, &s) {
		err = s.error
	}
	return a, err
}

// exchange makes a call. last tells that the server closes the connection.
func (k *conn) exchange(req *http.Request, body []byte) (a answer, last bool, err error) {
	if err := k.write(req, body); err != nil {
		return a, false, err
	}
	if _, err := k.in.Peek(1); err != nil {
		return a, false, early(fmt.Errorf("wait for answer: %w", err))
	}
	for {
		resp, err := http.ReadResponse(k.in, req) //nolint:bodyclose // readAnswer does
		if err != nil {
			return a, false, fmt.Errorf("read answer: %w", err)
		}
		if resp.StatusCode < http.StatusOK { // more is to come
			continue
		}
		a, err := readAnswer(resp)
		return a, resp.Close, err
	}
}

// write writes a request to the root path.
func (k *conn) write(req *http.Request, body []byte) error {
	b := fmt.Appendf(k.out[:0], "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", req.Host, len(body))
	for name, values := range req.Header {
		if strings.ContainsAny(values[0], "\r\n") {
			return fmt.Errorf("header %s: line break", name)
		}
		b = append(append(append(append(b, name...), ": "...), values[0]...), "\r\n"...)
	}
	b = append(b, "\r\n"...)
	k.out = b
	var err error
	if len(b)+len(body) <= outBytes {
		k.out = append(b, body...)
		_, err = k.Write(k.out)
	} else {
		_, err = (&net.Buffers{b, body}).WriteTo(k.Conn)
	}
	if err != nil {
		return early(fmt.Errorf("send request: %w", err))
	}
	return nil
}

func early(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return staleError{err}
}

// take returns an idle connection, or nil.
func (c *conns) take() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.idle)
	if n == 0 {
		return nil
	}
	k := c.idle[n-1]
	c.idle[n-1] = nil
	c.idle = c.idle[:n-1]
	return k
}

func (c *conns) put(k *conn) {
	k.idle = time.Now()
	if k.in.Buffered() > 0 || !c.keep(k) {
		_ = k.Close()
	}
}

func (c *conns) keep(k *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) >= c.most {
		return false
	}
	c.idle = append(c.idle, k)
	if c.sweep == nil && c.lifetime > 0 {
		c.sweep = time.AfterFunc(c.lifetime, c.drop)
	}
	return true
}

// forget closes what is idle: where one connection has died without a word, as
// when something on the way forgets it, the others have too, and each would cost a
// call all of its time.
func (c *conns) forget() {
	c.mu.Lock()
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, k := range idle {
		_ = k.Close()
	}
}

// drop closes what has been idle for the lifetime, and comes again as long as
// there is something idle.
func (c *conns) drop() {
	for _, k := range c.old(time.Now()) {
		_ = k.Close()
	}
}

func (c *conns) old(now time.Time) []*conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.idle) && now.Sub(c.idle[n].idle) >= c.lifetime {
		n++
	}
	old := slices.Clone(c.idle[:n])
	c.idle = slices.Delete(c.idle, 0, n)
	c.sweep = nil
	if len(c.idle) > 0 {
		c.sweep = time.AfterFunc(c.lifetime, c.drop)
	}
	return old
}
