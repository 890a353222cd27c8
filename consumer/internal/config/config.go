// Package config has the consumer's settings.
package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/logging"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/settings"
)

// Prefix begins the names of the variables.
const Prefix = "CONSUMER"

// Values that settings with a choice can have.
const (
	OrderKey  = "key"
	OrderNone = "none"

	Polling = "polling"
	Fanout  = "fanout"

	CBOR = "cbor"
	JSON = "json"

	DeadLetter = "dead-letter"
	Block      = "block"

	Handle = "handle"
	Skip   = "skip"

	Prometheus = "prometheus"
	EMF        = "emf"
	None       = "none"
)

// Settings come from the environment; the README has the table.
type Settings struct {
	LeasekeeperURL   string        `envconfig:"LEASEKEEPER_URL" default:"http://127.0.0.1:9400" desc:"the leasekeeper beside this consumer"`
	MessagesTable    string        `split_words:"true" default:"messages" desc:"DynamoDB table for messages, hash key id (S)"`
	ConcurrencyLimit int           `split_words:"true" default:"500" desc:"messages in process at a time, all shards together"`
	DrainTimeout     time.Duration `split_words:"true" default:"20s" desc:"from SIGTERM to exit, at most; below the ECS stopTimeout"`
	Listen           string        `default:"127.0.0.1:9401" desc:"address of /healthz, /readyz and /metrics"`
	LogLevel         string        `split_words:"true" default:"info" desc:"trace, debug, info, warn or error"`
	LogFormat        string        `split_words:"true" default:"json" desc:"json, or console for people"`

	Order string `default:"key" desc:"key: messages of one partition key are handled one after another; none: all side by side"`

	ItemTTL         time.Duration `envconfig:"ITEM_TTL" default:"0s" desc:"items get expiresAt, this long after the message's arrival; 0s: no expiresAt"`
	DeadLetterTable string        `split_words:"true" default:"dead_letters" desc:"DynamoDB table for messages that are given up, hash key id (S)"`
	MaxAttempts     int           `split_words:"true" default:"10" desc:"attempts at a message before it is given up"`
	MaxRetryAge     time.Duration `split_words:"true" default:"1m" desc:"from a message's first failure to giving it up"`
	OnPoison        string        `split_words:"true" default:"dead-letter" desc:"dead-letter: a message that cannot be handled is given up; block: it is tried for ever; those of its key wait, and in the end its shard"`

	OutOfRange string `split_words:"true" default:"handle" desc:"messages in an aggregate whose key belongs to another shard (the stream was resharded meanwhile): handle, or skip if every producer that aggregates sends them again, as ours and the KPL do; both count and report them"`

	MemoryBudget string `split_words:"true" default:"128MiB" desc:"for what is read and not yet done, all shards together; bytes, or with KiB, MiB or GiB; 16MiB or more"`

	ReadMode           string        `split_words:"true" default:"polling" desc:"polling, or fanout (enhanced fan-out; falls back to polling)"`
	FanoutName         string        `split_words:"true" default:"consumer" desc:"with fanout: name of the stream consumer, registered if there is none"`
	FanoutConsumerARN  string        `envconfig:"FANOUT_CONSUMER_ARN" desc:"with fanout: ARN of a stream consumer that is registered already, instead of a name"`
	ReadEncoding       string        `split_words:"true" default:"cbor" desc:"of polling: cbor, which spares Kinesis and us the base64 and goes over to JSON by itself where CBOR does not work; or json"`
	ReadCallsPerSecond float64       `split_words:"true" default:"4" desc:"GetRecords calls a second and shard, at most; Kinesis allows 5 for all readers of a shard; 0: no bound"`
	ReadBytesPerSecond float64       `split_words:"true" default:"2097152" desc:"bytes a second and shard, at most, when polling; Kinesis allows 2 MiB for all readers of a shard; 0: no bound"`
	PollMaxWait        time.Duration `split_words:"true" default:"1s" desc:"between polls of a shard that has nothing new, at most"`

	Stream string `desc:"stream that the verb replay reads, and whose name the metrics of emf bear; the consumer itself learns its stream from leasekeeper"`

	StallTimeout time.Duration `split_words:"true" default:"1m" desc:"not ready when a shard has unfinished messages and its checkpoint has not moved for this long, or it could not be read"`
	Metrics      string        `default:"prometheus" desc:"prometheus (at /metrics), emf (CloudWatch embedded metrics on standard output, and /metrics) or none"`
	ShardMetrics bool          `split_words:"true" default:"false" desc:"series for each shard, for up to 100 shards"`
}

// Validate implements settings.Validator.
func (s *Settings) Validate() []error {
	var problems []error
	bad := func(name, want string) {
		problems = append(problems, fmt.Errorf("%s_%s: want %s", Prefix, name, want))
	}
	if u, err := url.Parse(s.LeasekeeperURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		bad("LEASEKEEPER_URL", "a URL such as http://127.0.0.1:9400")
	}
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		bad("LISTEN", "an address such as 127.0.0.1:9401")
	}
	if !valid(s.Stream, 0, 128) {
		bad("STREAM", "a stream's name: up to 128 letters, digits, _, - or .")
	}
	table(bad, "MESSAGES_TABLE", s.MessagesTable)
	table(bad, "DEAD_LETTER_TABLE", s.DeadLetterTable)
	if s.ConcurrencyLimit < 1 || s.ConcurrencyLimit > 100_000 {
		bad("CONCURRENCY_LIMIT", "1 to 100000")
	}
	if s.MaxAttempts < 1 {
		bad("MAX_ATTEMPTS", "1 or more")
	}
	if n, err := s.Budget(); err != nil || n < 16<<20 {
		bad("MEMORY_BUDGET", "16MiB or more, such as 128MiB")
	}
	positive(bad, "DRAIN_TIMEOUT", s.DrainTimeout)
	positive(bad, "MAX_RETRY_AGE", s.MaxRetryAge)
	positive(bad, "POLL_MAX_WAIT", s.PollMaxWait)
	positive(bad, "STALL_TIMEOUT", s.StallTimeout)
	if s.ItemTTL < 0 {
		bad("ITEM_TTL", "a duration of 0 or more")
	}
	rate(bad, "READ_CALLS_PER_SECOND", s.ReadCallsPerSecond)
	rate(bad, "READ_BYTES_PER_SECOND", s.ReadBytesPerSecond)
	choice(bad, "ORDER", s.Order, OrderKey, OrderNone)
	choice(bad, "READ_MODE", s.ReadMode, Polling, Fanout)
	choice(bad, "READ_ENCODING", s.ReadEncoding, CBOR, JSON)
	choice(bad, "ON_POISON", s.OnPoison, DeadLetter, Block)
	choice(bad, "OUT_OF_RANGE", s.OutOfRange, Handle, Skip)
	choice(bad, "METRICS", s.Metrics, Prometheus, EMF, None)
	if s.Metrics == EMF && s.Stream == "" {
		bad("STREAM", "the name of the stream with CONSUMER_METRICS=emf, whose metrics bear it")
	}
	if !logging.ValidLevel(s.LogLevel) {
		bad("LOG_LEVEL", "trace, debug, info, warn or error")
	}
	if !logging.ValidFormat(s.LogFormat) {
		bad("LOG_FORMAT", "json or console")
	}
	return problems
}

func table(bad func(name, want string), name, value string) {
	if !valid(value, 3, 255) {
		bad(name, "a DynamoDB table name: 3 to 255 letters, digits, _, - or .")
	}
}

// valid tells whether name is one that AWS takes for tables and streams.
func valid(name string, least, most int) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	return len(name) >= least && len(name) <= most && strings.Trim(name, letters) == ""
}

func positive(bad func(name, want string), name string, d time.Duration) {
	if d <= 0 {
		bad(name, "a duration above 0")
	}
}

func rate(bad func(name, want string), name string, v float64) {
	if v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		bad(name, "a number of 0 or more")
	}
}

func choice(bad func(name, want string), name, value string, choices ...string) {
	for _, c := range choices {
		if value == c {
			return
		}
	}
	bad(name, strings.Join(choices, " or "))
}

var errSize = errors.New("want a number of bytes, or one with KiB, MiB or GiB")

// Budget returns MemoryBudget in bytes.
func (s *Settings) Budget() (int64, error) {
	text, shift := s.MemoryBudget, 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if t, ok := strings.CutSuffix(text, unit); ok {
			text, shift = strings.TrimSpace(t), 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, errSize
	}
	return n << shift, nil
}

// Setting describes one setting.
type Setting struct {
	Variable string `json:"variable"`
	Default  string `json:"default"`
	Meaning  string `json:"meaning"`
}

// List describes every setting, in the order of the table.
func List() ([]Setting, error) {
	var table strings.Builder
	if err := settings.WriteTable(&table, Prefix, new(Settings)); err != nil {
		return nil, fmt.Errorf("list settings: %w", err)
	}
	var list []Setting
	for line := range strings.Lines(table.String()) {
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if name := strings.Trim(cells[0], "` "); len(cells) == 3 && strings.HasPrefix(name, Prefix) {
			list = append(list, Setting{name, strings.Trim(cells[1], "` "), strings.TrimSpace(cells[2])})
		}
	}
	return list, nil
}
