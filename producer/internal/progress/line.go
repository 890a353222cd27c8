// Package progress shows people how far the run is: one line that rewrites
// itself on a terminal, a plain line every few seconds elsewhere.
package progress

import (
	"fmt"
	"strconv"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
)

// Width is the most columns a line has.
const Width = 79

// Line describes the run in at most Width columns. rate is messages a second
// lately; total is how many there will be, 0 when that is not known.
func Line(now account.Now, rate float64, total int64) string {
	line := count(now.Acknowledged)
	if total > 0 {
		line += "/" + count(total)
	}
	line += fmt.Sprintf(" acknowledged  %s/s  %d in flight", count(int64(rate)), now.InFlight)
	if now.Retried > 0 {
		line += fmt.Sprintf("  %s retried", count(now.Retried))
	}
	if lost := now.Failed + now.Rejected; lost > 0 {
		line += fmt.Sprintf("  %s FAILED", count(lost))
	}
	if left := total - now.Acknowledged - now.Failed - now.Rejected; total > 0 && rate >= 1 && left > 0 {
		line += "  " + duration(float64(left)/rate) + " left"
	}
	return line[:min(len(line), Width)]
}

// count writes a number in at most seven columns.
func count(n int64) string {
	switch {
	case n < 100_000:
		return strconv.FormatInt(n, 10)
	case n < 10_000_000:
		return fmt.Sprintf("%.1fk", float64(n)/1e3)
	case n < 10_000_000_000:
		return fmt.Sprintf("%.1fM", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1fG", float64(n)/1e9)
}

func duration(seconds float64) string {
	d := time.Duration(min(seconds, 1e8) * float64(time.Second)).Round(time.Second)
	if d >= 24*time.Hour {
		return fmt.Sprintf("%.1fd", d.Hours()/24)
	}
	return max(d, time.Second).String()
}
