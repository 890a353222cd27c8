// Package awslocal starts localaws, and speaks to it: the AWS SDK's clients for
// the harness's own calls, and the admin endpoint for faults and counters.
package awslocal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// Region is the region everything runs in.
const Region = "eu-west-1"

// Client is the access key of the harness's own calls; counters and faults tell
// clients apart by it.
const Client = "harness"

// secret is the secret access key of everybody.
const secret = "secret"

const startTimeout = 15 * time.Second

// Server is a running localaws, or any other endpoint that speaks both
// protocols (then without a process and without an admin endpoint).
type Server struct {
	URL      string // Kinesis
	dynamo   string // DynamoDB; the same but for other servers
	Kinesis  *kinesis.Client
	DynamoDB *dynamodb.Client
	Admin    *Admin
	process  *proc.Process
}

// Start starts the binary on a free port of 127.0.0.1; listen may name another
// address.
func Start(ctx context.Context, binary, logDir, listen string) (*Server, error) {
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	p, err := proc.Start(proc.Spec{Name: "localaws", Path: binary, Env: []string{"LOCALAWS_LISTEN=" + listen, "LOCALAWS_SECRET=" + secret, "LOCALAWS_STALE_READS=1s"}, LogDir: logDir})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	line, err := p.WaitLine(ctx, true, func(line string) bool { return strings.HasPrefix(line, "{") })
	if err != nil {
		p.Kill()
		if cause := p.LastError(); cause != "" && errors.Is(err, proc.ErrExited) {
			err = errors.New(cause)
		}
		return nil, fmt.Errorf("start localaws: %w", err)
	}
	var first struct {
		Listening string `json:"listening"`
	}
	if err := json.Unmarshal([]byte(line), &first); err != nil || first.Listening == "" {
		p.Kill()
		return nil, fmt.Errorf("start localaws: first line %q names no address", line)
	}
	s := Connect(first.Listening, first.Listening)
	s.Admin = &Admin{url: first.Listening}
	s.process = p
	return s, nil
}

// Connect makes the harness's clients for endpoints that are already there.
func Connect(kinesisURL, dynamoURL string) *Server {
	cfg := aws.Config{Region: Region, Credentials: credentials.NewStaticCredentialsProvider(Client, secret, "")}
	return &Server{
		URL:      kinesisURL,
		dynamo:   dynamoURL,
		Kinesis:  kinesis.NewFromConfig(cfg, func(o *kinesis.Options) { o.BaseEndpoint = &kinesisURL }),
		DynamoDB: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = &dynamoURL }),
	}
}

// Stop ends the process, if there is one.
func (s *Server) Stop() {
	if s.process != nil {
		s.process.Kill()
	}
}

// Env is the AWS environment of a process that calls this server under the
// given client name.
func (s *Server) Env(client string) []string {
	return []string{
		"AWS_REGION=" + Region, "AWS_ENDPOINT_URL=" + s.URL, "AWS_ENDPOINT_URL_DYNAMODB=" + s.dynamo,
		"AWS_ACCESS_KEY_ID=" + client, "AWS_SECRET_ACCESS_KEY=" + secret,
	}
}
