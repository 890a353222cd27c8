// Package logging builds the one logger of a process, which is passed down and
// never global.
//
// It stands identical in each binary's module; `task lint` compares the copies.
package logging

import (
	"io"
	"time"

	"github.com/rs/zerolog"
)

// Formats a log can have.
const (
	JSON    = "json"    // one object a line, for collectors
	Console = "console" // aligned text, for people; colored on request
)

// New returns a logger for the named binary and version. level is a zerolog
// level name that was checked before; an unknown one means info. Times are UTC
// with milliseconds.
func New(w io.Writer, level, format string, color bool, binary, version string) zerolog.Logger {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil || level == "" {
		parsed = zerolog.InfoLevel
	}
	if format == Console {
		w = zerolog.ConsoleWriter{Out: w, NoColor: !color, TimeFormat: "15:04:05.000"}
		return zerolog.New(w).Level(parsed).Hook(timestamp{})
	}
	return zerolog.New(w).Level(parsed).With().Str("binary", binary).Str("version", version).Logger().Hook(timestamp{})
}

// timestamp adds the time with milliseconds, which zerolog does only through a
// global.
type timestamp struct{}

func (timestamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}

// ValidLevel tells whether level is a zerolog level name.
func ValidLevel(level string) bool {
	_, err := zerolog.ParseLevel(level)
	return err == nil && level != ""
}

// ValidFormat tells whether format is one of the Formats.
func ValidFormat(format string) bool { return format == JSON || format == Console }
