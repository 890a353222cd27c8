package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
)

// task is where one task's two processes serve.
type task struct{ name, leasekeeper, consumer string }

// places says where everything is to be found, in lines of at most 80 columns.
type places struct {
	took   time.Duration
	server *awslocal.Server
	tasks  []task
	rate   int // messages a second; 0: as fast as they are accepted
	logs   string
}

func (p places) String() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-13s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "up in %.1f s; Ctrl-C ends it\n\n", p.took.Seconds())
	line("AWS endpoint", "%s", p.server.URL)
	line("", "stream %s; tables %s, %s, %s, %s", awslocal.Stream, awslocal.MessagesTable,
		awslocal.LeaseTable, awslocal.WorkerTable, awslocal.DeadLetterTable)
	for _, t := range p.tasks {
		line(t.name, "%-31s leasekeeper: its page; /metrics", t.leasekeeper)
		line("", "%-31s consumer; /readyz, /healthz", t.consumer+"/metrics")
	}
	rate := fmt.Sprintf("%d messages a second", p.rate)
	if p.rate == 0 {
		rate = "as fast as messages are accepted"
	}
	line("producer", "%s", rate)
	line("logs", "%s", p.logs)
	b.WriteString("\nin another terminal, for bin/producer, aws and others:\n\n" + exports(p.server))
	return b.String()
}

// exports is what a shell needs to speak to the server as a client of its own,
// to be pasted.
func exports(s *awslocal.Server) string {
	var b strings.Builder
	for i, variable := range s.Env("you") {
		switch {
		case strings.HasPrefix(variable, "AWS_ENDPOINT_URL_"):
			continue // the same
		case i == 0:
			b.WriteString("  export ")
		case strings.HasPrefix(variable, "AWS_ACCESS_KEY_ID"):
			b.WriteString("\n  export ")
		default:
			b.WriteString(" ")
		}
		b.WriteString(variable)
	}
	return b.String() + "\n"
}
