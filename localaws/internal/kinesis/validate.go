package kinesis

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Error codes of the service.
const (
	codeInvalidArgument = "InvalidArgumentException"
	codeValidation      = "ValidationException"
	codeNotFound        = "ResourceNotFoundException"
	codeInUse           = "ResourceInUseException"
	codeLimit           = "LimitExceededException"
	codeThroughput      = "ProvisionedThroughputExceededException"
	codeExpiredIterator = "ExpiredIteratorException"
	codeExpiredToken    = "ExpiredNextTokenException"
	codeDryRun          = "DryRunOperationException"
)

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(codeInvalidArgument, format, args...)
}

// checks collects violations of a request's constraints, and words them as the
// service does.
type checks struct{ violations []string }

func (c *checks) addf(value, member, format string, args ...any) {
	c.violations = append(c.violations, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, member, fmt.Sprintf(format, args...)))
}

func quote(s string) string { return "'" + s + "'" }

// required reports a missing member and whether it is there.
func required[T any](c *checks, member string, value *T) bool {
	if value == nil {
		c.addf("null", member, "Member must not be null")
	}
	return value != nil
}

// text checks an optional string for its length in characters, at least one, and
// its pattern if there is one.
func (c *checks) text(member string, value *string, longest int, pattern *regexp.Regexp) {
	if value == nil {
		return
	}
	n := utf8.RuneCountInString(*value)
	switch {
	case n == 0:
		c.addf(quote(*value), member, "Member must have length greater than or equal to 1")
	case n > longest:
		c.addf(quote(*value), member, "Member must have length less than or equal to %d", longest)
	case pattern != nil && !pattern.MatchString(*value):
		c.addf(quote(*value), member, "Member must satisfy regular expression pattern: %s", strings.Trim(pattern.String(), "^$"))
	}
}

func (c *checks) between(member string, value *int, least, most int) {
	switch {
	case value == nil:
	case *value < least:
		c.addf(quote(fmt.Sprint(*value)), member, "Member must have value greater than or equal to %d", least)
	case *value > most:
		c.addf(quote(fmt.Sprint(*value)), member, "Member must have value less than or equal to %d", most)
	}
}

func (c *checks) oneOf(member string, value *string, allowed ...string) {
	if value != nil && !slices.Contains(allowed, *value) {
		c.addf(quote(*value), member, "Member must satisfy enum value set: [%s]", strings.Join(allowed, ", "))
	}
}

// err is nil without violations.
func (c *checks) err() error {
	switch n := len(c.violations); n {
	case 0:
		return nil
	case 1:
		return wire.Errorf(codeValidation, "1 validation error detected: %s", c.violations[0])
	default:
		return wire.Errorf(codeValidation, "%d validation errors detected: %s", n, strings.Join(c.violations, "; "))
	}
}

// patterns are the regular expressions of the service's model, anchored.
type patterns struct{ name, arn, consumerARN, sequence, hashKey *regexp.Regexp }

func newPatterns() patterns {
	return patterns{
		name:        regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`),
		arn:         regexp.MustCompile(`^arn:aws.*:kinesis:.*:\d{12}:stream/\S+$`),
		consumerARN: regexp.MustCompile(`^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+$`),
		sequence:    regexp.MustCompile(`^(0|([1-9]\d{0,128}))$`),
		hashKey:     regexp.MustCompile(`^(0|([1-9]\d{0,38}))$`),
	}
}
