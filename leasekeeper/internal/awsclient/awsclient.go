// Package awsclient loads the AWS SDK's configuration and checks, before the
// first call, that a region and credentials are there. What keeps a call from
// reaching AWS it puts in words.
//
// It stands identical in each binary's module; `task lint` compares the copies.
package awsclient

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"
	"github.com/rs/zerolog"
)

// credentialsTimeout bounds the search for credentials, container and instance
// metadata included.
const credentialsTimeout = 5 * time.Second

// Sentinels for what is missing.
var (
	ErrNoRegion      = errors.New("no AWS region: set AWS_REGION, or a profile that has one")
	ErrNoCredentials = errors.New("no AWS credentials: give the task a role, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile in AWS_PROFILE")
)

// Load reads the SDK's own variables and files (AWS_REGION, AWS_ENDPOINT_URL,
// AWS_PROFILE, …). It returns an error that wraps ErrNoRegion or
// ErrNoCredentials when one of them is missing, within some five seconds, and one
// that names the variable of a region or an endpoint that cannot be one. What the
// SDK has to say, then and later, goes to log at debug level.
func Load(ctx context.Context, log zerolog.Logger) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.LoggerFunc(
		func(level logging.Classification, format string, values ...any) {
			log.Debug().Str("sdk_level", string(level)).Str("text", fmt.Sprintf(format, values...)).Msg("AWS SDK")
		})))
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, ErrNoRegion
	}
	if err := checkPlace(cfg.Region, os.Getenv); err != nil {
		return aws.Config{}, err
	}
	cfg.APIOptions = append(cfg.APIOptions, remember)
	if cfg.HTTPClient == nil { // as long as nothing configures it
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	cfg.HTTPClient = Detached{cfg.HTTPClient}
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Config{}, fmt.Errorf("%w (%w)", ErrNoCredentials, err)
	}
	return cfg, nil
}
