package proc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports that are given out lie below those that outgoing connections take
// (32768 and up on Linux, 49152 and up elsewhere): a process that is started
// again finds its port free.
const (
	firstPort = 20_000
	portCount = 12_000
)

// Ports gives out addresses of 127.0.0.1 to listen on, none twice. Its methods
// may be called from any goroutine.
type Ports struct {
	mu   sync.Mutex
	next int
}

// NewPorts returns Ports that begin somewhere, so that others of this machine
// are seldom met.
func NewPorts() *Ports { return &Ports{next: rand.N(portCount)} }

// Address returns the next address, host:port, that nobody listens on.
func (p *Ports) Address(ctx context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+p.next%portCount))
		p.next++
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err == nil {
			return address, listener.Close()
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("find a free port: %w", errors.Join(errs...))
}
