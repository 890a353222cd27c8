package proc_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// TestPorts: no address is given out twice or while somebody listens on it, and
// none that an outgoing connection might take.
func TestPorts(t *testing.T) {
	ports := proc.NewPorts()
	seen := map[string]bool{}
	for range 20 {
		address, err := ports.Address(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		to, err := netip.ParseAddrPort(address)
		if err != nil || seen[address] || to.Port() < 1024 || to.Port() >= 32_768 {
			t.Errorf("got %s, %v, want one not seen before, below 32768", address, err)
		}
		next := netip.AddrPortFrom(to.Addr(), to.Port()+1).String()
		seen[address], seen[next] = true, true
		if listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", next); err == nil {
			t.Cleanup(func() { _ = listener.Close() })
		}
	}
}
