// Package config holds the settings of localaws.
package config

import (
	"errors"
	"net"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/logging"
)

// Prefix of every variable.
const Prefix = "LOCALAWS"

// Settings of localaws, read from the environment once at the start.
type Settings struct {
	Listen               string        `default:"127.0.0.1:4566" desc:"address to serve AWS and admin calls on; port 0 picks a free one, printed on stdout"`
	Secret               string        `desc:"secret access key of all clients: every request has to be signed with it, over what was received and within 5 minutes; empty: signatures are not looked at"`
	EnforceLimits        bool          `split_words:"true" default:"false" desc:"apply the limits per shard of the real service; can be changed later by the admin endpoint"`
	StaleReads           time.Duration `split_words:"true" default:"0s" desc:"how far DynamoDB's reads without ConsistentRead lag behind the writes"`
	SubscriptionDuration time.Duration `split_words:"true" default:"5m" desc:"how long one SubscribeToShard call lasts"`
	LogLevel             string        `split_words:"true" default:"info" desc:"trace, debug, info, warn, error or disabled"`
	LogFormat            string        `split_words:"true" default:"json" desc:"json for collectors, console for people"`
}

// Validate implements settings.Validator.
func (s *Settings) Validate() []error {
	var problems []error
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		problems = append(problems, errors.New("LOCALAWS_LISTEN: want host:port, such as 127.0.0.1:4566"))
	}
	if s.StaleReads < 0 {
		problems = append(problems, errors.New("LOCALAWS_STALE_READS: want 0 or more"))
	}
	if s.SubscriptionDuration <= 0 {
		problems = append(problems, errors.New("LOCALAWS_SUBSCRIPTION_DURATION: want more than 0"))
	}
	if !logging.ValidLevel(s.LogLevel) {
		problems = append(problems, errors.New("LOCALAWS_LOG_LEVEL: want trace, debug, info, warn, error or disabled"))
	}
	if !logging.ValidFormat(s.LogFormat) {
		problems = append(problems, errors.New("LOCALAWS_LOG_FORMAT: want json or console"))
	}
	return problems
}
