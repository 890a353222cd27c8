package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// WaitListening waits for the log line with message `listening` and returns its
// `address`, host:port.
func (p *Process) WaitListening(ctx context.Context) (string, error) {
	line, err := p.WaitLine(ctx, false, func(line string) bool { return listening(line) != "" })
	if err != nil {
		return "", fmt.Errorf("wait until %s listens: %w", p.name, err)
	}
	return strings.TrimPrefix(listening(line), "http://"), nil
}

// LastError is what the last log line that has an `error` says in it; empty
// where none of the lines kept does.
func (p *Process) LastError() string {
	lines := strings.Split(p.Tail(ringLines), "\n")
	for _, line := range slices.Backward(lines) {
		var entry struct {
			Error string `json:"error"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Error != "" {
			return entry.Error
		}
	}
	return ""
}

func listening(line string) string {
	var entry struct {
		Message string `json:"message"`
		Address string `json:"address"`
	}
	if json.Unmarshal([]byte(line), &entry) != nil || entry.Message != "listening" {
		return ""
	}
	return entry.Address
}
