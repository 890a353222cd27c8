// Package awstest gives tests a local Kinesis and DynamoDB: the sibling module
// localaws, built once and run as a process of its own.
package awstest

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awsclient"
)

// AWS is a running localaws.
type AWS struct {
	t        testing.TB
	Endpoint string
}

// Start runs localaws until the test ends. It skips the test where the sibling
// folder is absent.
func Start(t testing.TB) *AWS {
	t.Helper()
	command := exec.Command(build(t))
	command.Env = append(os.Environ(), "LOCALAWS_LISTEN=127.0.0.1:0", "LOCALAWS_SECRET=secret", "LOCALAWS_STALE_READS=1s")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start localaws: %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	var first struct {
		Listening string `json:"listening"`
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &first)
	}
	if err != nil {
		t.Fatalf("read the first line of localaws: %v", err)
	}
	return &AWS{t: t, Endpoint: first.Listening}
}

// build compiles localaws into the user's cache of this checkout; go build
// makes it anew only where something changed.
func build(t testing.TB) string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("find the source folder")
	}
	source := filepath.Join(filepath.Dir(file), "..", "..", "..", "localaws")
	if _, err := os.Stat(filepath.Join(source, "go.mod")); err != nil {
		t.Skip("needs the sibling folder localaws")
	}
	binary := filepath.Join(t.TempDir(), "localaws")
	command := exec.Command("go", "build", "-C", source, "-o", binary, ".")
	command.Env = append(os.Environ(), "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build localaws: %v\n%s", err, out)
	}
	return binary
}

// Config is the SDK's configuration for the client of the given name.
func (a *AWS) Config(client string) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: &a.Endpoint, HTTPClient: awsclient.Detached{Client: awshttp.NewBuildableClient()},
		Credentials: credentials.NewStaticCredentialsProvider(client, "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// DynamoDB is a client of the given name.
func (a *AWS) DynamoDB(client string) *dynamodb.Client {
	return dynamodb.NewFromConfig(a.Config(client))
}

// Kinesis is a client of the given name.
func (a *AWS) Kinesis(client string) *kinesis.Client { return kinesis.NewFromConfig(a.Config(client)) }

// Limits sets the service's limits and clockwork.
func (a *AWS) Limits(limits string) {
	a.t.Helper()
	a.admin(http.MethodPut, "limits", limits)
}

// Fault adds a rule by which calls fail.
func (a *AWS) Fault(rule string) {
	a.t.Helper()
	a.admin(http.MethodPost, "faults", rule)
}

func (a *AWS) admin(method, what, body string) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, a.Endpoint+"/_localaws/"+what, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusMultipleChoices {
		a.t.Fatalf("%s %s %s: %s", method, what, body, response.Status)
	}
}

// Table creates a table with a string hash key.
func (a *AWS) Table(name, hashKey string) {
	a.t.Helper()
	_, err := a.DynamoDB("test").CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: &hashKey, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &hashKey, AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		a.t.Fatalf("create table %s: %v", name, err)
	}
}

// Stream creates a stream and waits until it is active.
func (a *AWS) Stream(name string, shards int32) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client := a.Kinesis("test")
	if _, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}); err != nil {
		a.t.Fatalf("create stream %s: %v", name, err)
	}
	waiter := kinesis.NewStreamExistsWaiter(client, func(o *kinesis.StreamExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 100*time.Millisecond
	})
	if err := waiter.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &name}, 10*time.Second); err != nil {
		a.t.Fatalf("wait for stream %s: %v", name, err)
	}
}
