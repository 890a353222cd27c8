// Package local runs this repository's localaws as a process of its own, for
// tests and benchmarks of the producer. The producer itself does not use it.
package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
)

// ErrAbsent says that the sibling module localaws is not there.
var ErrAbsent = errors.New("localaws is not beside this module")

// Server is a running localaws.
type Server struct {
	URL     string
	process *exec.Cmd
}

// Build compiles localaws into folder and returns the binary's path. It wraps
// ErrAbsent when there is no ../localaws above the working directory.
func Build(ctx context.Context, folder string) (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find localaws: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "localaws", "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			return "", ErrAbsent
		}
		root = parent
	}
	binary := filepath.Join(folder, "localaws")
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "localaws"), "-o", binary, ".")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build localaws: %w\n%s", err, out)
	}
	return binary, nil
}

// Secret is the clients' secret access key, and Signed the setting by which the
// server holds every request against it.
const (
	Secret = "secret"
	Signed = "LOCALAWS_SECRET=" + Secret
)

// Start runs the binary on a random port of 127.0.0.1, with further settings.
// Stop it with Close.
func Start(binary string, settings ...string) (*Server, error) {
	s := &Server{process: exec.Command(binary)}
	s.process.Env = append(append(os.Environ(), "LOCALAWS_LISTEN=127.0.0.1:0"), settings...)
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start localaws: %w", err)
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("start localaws: %w", err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var hello struct {
		Listening string `json:"listening"`
	}
	if err != nil || json.Unmarshal(line, &hello) != nil || hello.Listening == "" {
		s.Close()
		return nil, fmt.Errorf("start localaws: it said %q", line)
	}
	s.URL = hello.Listening
	return s, nil
}

// Close ends the process.
func (s *Server) Close() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// Config is an SDK configuration for the server; client names the caller in
// its counters.
func (s *Server) Config(client string) aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		BaseEndpoint: aws.String(s.URL),
		HTTPClient:   awsclient.Detached{Client: awshttp.NewBuildableClient()},
		Credentials:  credentials.NewStaticCredentialsProvider(client, Secret, ""),
	}
}

// Admin sends one request to the server's admin endpoint and decodes the answer
// into out, unless that is nil.
func (s *Server) Admin(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+"/_localaws/"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: status %d %s", method, path, response.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// Client is an SDK client for the server.
func (s *Server) Client(name string) *kinesis.Client {
	return put.Dial(s.Config(name), clientConnections)
}

const clientConnections = 4

// DeleteStream removes a stream.
func (s *Server) DeleteStream(ctx context.Context, name string) error {
	if _, err := s.Client("setup").DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &name}); err != nil {
		return fmt.Errorf("delete stream %q: %w", name, err)
	}
	return nil
}

// CreateStream makes a stream and waits until it is active.
func (s *Server) CreateStream(ctx context.Context, name string, shards int32) (*kinesis.Client, error) {
	client := s.Client("setup")
	if _, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}); err != nil {
		return nil, fmt.Errorf("create stream %q: %w", name, err)
	}
	waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 200*time.Millisecond
	})
	if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, 30*time.Second); err != nil {
		return nil, fmt.Errorf("create stream %q: %w", name, err)
	}
	return client, nil
}
