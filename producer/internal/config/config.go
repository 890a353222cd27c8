// Package config holds the producer's settings: their names, defaults, meaning
// and rules. They come from the environment only.
package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/logging"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/source"
)

// Prefix of every variable's name.
const Prefix = "PRODUCER"

// Sources of messages.
const (
	Auto     = "auto" // see Resolve
	Generate = "generate"
	Stdin    = "stdin"
)

// Ways to show progress.
const (
	ProgressAuto = "auto" // one rewritten line on a terminal, plain lines elsewhere
	ProgressLog  = "log"  // a log line with fields
	ProgressOff  = "off"
)

// Bounds that Validate enforces.
const (
	maxRecordBytes    = 10 << 20 // the service's largest record
	minBufferedBytes  = 1 << 20
	maxConcurrency    = 256
	maxGeneratedBytes = maxRecordBytes
)

// Settings of one producer process.
type Settings struct {
	Stream           string        `split_words:"true" default:"test" desc:"name of the stream"`
	Source           string        `split_words:"true" default:"auto" desc:"where messages come from: generate, stdin (one message a line), or auto: stdin if that is a pipe or a file and neither PRODUCER_COUNT nor PRODUCER_SIZE is set, else generate"`
	Count            int64         `split_words:"true" default:"10000" desc:"how many messages to generate; 0 = until stopped"`
	Rate             float64       `split_words:"true" default:"0" desc:"messages a second; 0 = as fast as they are accepted"`
	Size             int           `split_words:"true" default:"0" desc:"bytes of each generated message, padded; 0 = no padding"`
	Format           string        `split_words:"true" default:"lines" desc:"what a line of stdin is: lines (the message itself) or base64"`
	Key              string        `split_words:"true" default:"uuid" desc:"partition key: uuid (a fresh one for each message), a JSON pointer such as /user/id, or the number of a field between white space (1 is the first)"`
	Ordered          bool          `split_words:"true" default:"false" desc:"keep the order of messages with the same partition key under retries"`
	Aggregate        bool          `split_words:"true" default:"false" desc:"pack many messages into one record, in the Kinesis Producer Library's format"`
	AggregateBytes   int           `split_words:"true" default:"51200" desc:"largest aggregated record, in bytes"`
	Linger           time.Duration `split_words:"true" default:"50ms" desc:"how long a message waits for others to fill a request"`
	Concurrency      int           `split_words:"true" default:"8" desc:"requests in flight at a time"`
	MaxBufferedBytes int64         `split_words:"true" default:"67108864" desc:"bytes of accepted messages that are not yet acknowledged; beyond it the source is not read"`
	MaxMessageBytes  int           `split_words:"true" default:"0" desc:"largest message with its key, in bytes; 0 = what the stream allows"`
	AttemptTimeout   time.Duration `split_words:"true" default:"10s" desc:"how long one request may take"`
	RetryTimeout     time.Duration `split_words:"true" default:"5m" desc:"how long a message is tried before it is given up; 0 = for ever"`
	DrainTimeout     time.Duration `split_words:"true" default:"20s" desc:"after SIGTERM or SIGINT, how long to wait for what was accepted"`
	Progress         string        `split_words:"true" default:"auto" desc:"progress on stderr: auto (one line on a terminal, plain lines elsewhere), log (log lines with fields) or off"`
	Listen           string        `split_words:"true" default:"" desc:"host:port for /healthz and /metrics; empty = none"`
	LogLevel         string        `split_words:"true" default:"info" desc:"trace, debug, info, warn or error"`
	LogFormat        string        `split_words:"true" default:"json" desc:"json, or console for people"`
}

// Validate returns every rule that is broken.
func (s *Settings) Validate() []error {
	var problems []error
	check := func(ok bool, name, want string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s_%s: want %s", Prefix, name, want))
		}
	}
	check(s.Stream != "", "STREAM", "the name of a stream")
	check(s.Source == Auto || s.Source == Generate || s.Source == Stdin, "SOURCE", "auto, generate or stdin")
	check(s.Count >= 0, "COUNT", "0 or more")
	check(s.Rate >= 0 && !math.IsInf(s.Rate, 0) && !math.IsNaN(s.Rate), "RATE", "0 or more messages a second")
	check(s.Size >= 0 && s.Size <= maxGeneratedBytes, "SIZE", "0 to 10485760 bytes")
	check(s.Format == source.Lines || s.Format == source.Base64, "FORMAT", "lines or base64")
	_, err := source.ParseKey(s.Key)
	check(err == nil, "KEY", "uuid, a JSON pointer that begins with /, or a field number from 1")
	check(s.AggregateBytes >= 1<<10 && s.AggregateBytes <= 1<<20, "AGGREGATE_BYTES", "1024 to 1048576 bytes")
	check(s.Linger >= 0 && s.Linger <= time.Minute, "LINGER", "0s to 1m")
	check(s.Concurrency >= 1 && s.Concurrency <= maxConcurrency, "CONCURRENCY", "1 to 256")
	check(s.MaxBufferedBytes >= minBufferedBytes, "MAX_BUFFERED_BYTES", "1048576 bytes or more")
	check(s.MaxMessageBytes >= 0 && s.MaxMessageBytes <= maxRecordBytes, "MAX_MESSAGE_BYTES", "0 to 10485760 bytes")
	check(s.AttemptTimeout >= 100*time.Millisecond, "ATTEMPT_TIMEOUT", "100ms or more")
	check(s.RetryTimeout >= 0, "RETRY_TIMEOUT", "0s or more")
	check(s.DrainTimeout >= 0, "DRAIN_TIMEOUT", "0s or more")
	check(s.Progress == ProgressAuto || s.Progress == ProgressLog || s.Progress == ProgressOff, "PROGRESS", "auto, log or off")
	if s.Listen != "" {
		_, _, err := net.SplitHostPort(s.Listen)
		check(err == nil, "LISTEN", "host:port, such as 127.0.0.1:9402")
	}
	check(logging.ValidLevel(s.LogLevel), "LOG_LEVEL", "trace, debug, info, warn or error")
	check(logging.ValidFormat(s.LogFormat), "LOG_FORMAT", "json or console")
	return problems
}

// Resolve decides what Auto stands for. mode is that of standard input; set tells
// whether a variable has a value. A pipe or a file is read, because generating
// messages in its place would put on the stream what nobody asked for; so is a
// folder, which cannot be and then says so. Services and containers have the
// null device there.
func (s *Settings) Resolve(mode os.FileMode, set func(variable string) bool) {
	if s.Source != Auto {
		return
	}
	s.Source = Generate
	if (mode.IsRegular() || mode.IsDir() || mode&os.ModeNamedPipe != 0) && !set(Prefix+"_COUNT") && !set(Prefix+"_SIZE") {
		s.Source = Stdin
	}
}
