// Package awstest gives tests a localaws process of their own.
package awstest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
)

// Server is a localaws process.
type Server struct {
	tb  testing.TB
	URL string
}

// Build builds the program in a folder of the repository into dir, once for
// a test binary when called from TestMain. It returns an empty path if the
// folder is not there.
func Build(dir, folder string) (string, error) {
	_, file, _, _ := runtime.Caller(0)
	source := filepath.Join(filepath.Dir(file), "..", "..", "..", folder)
	if _, err := os.Stat(filepath.Join(source, "go.mod")); err != nil {
		return "", nil //nolint:nilerr // not there: the tests skip
	}
	binary := filepath.Join(dir, folder)
	cmd := exec.Command("go", "build", "-C", source, "-o", binary, ".")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", folder, err, out)
	}
	return binary, nil
}

// Main is TestMain's work for a package whose tests need localaws: it sets binary,
// runs them and returns the exit code.
func Main(m *testing.M, binary *string) int {
	dir, err := os.MkdirTemp("", "consumer-test")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		*binary, err = Build(dir, "localaws")
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return m.Run()
}

// Start starts the localaws binary for one test, and skips the test if there is
// none.
func Start(tb testing.TB, binary string) *Server {
	tb.Helper()
	if binary == "" {
		tb.Skip("no sibling folder localaws")
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "LOCALAWS_LISTEN=127.0.0.1:0", "LOCALAWS_SECRET=secret", "LOCALAWS_STALE_READS=1s")
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		tb.Fatalf("read localaws's first line: %v", err)
	}
	var first struct{ Listening string }
	if err := json.Unmarshal(line, &first); err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, URL: first.Listening}
	tb.Cleanup(s.unrefused)
	return s
}

// unrefused fails the test if a call was not signed or written as it has to be:
// the SDK's client steps in for a direct call that is refused, so that nothing
// else shows it.
func (s *Server) unrefused() {
	for _, c := range s.Counters().Calls {
		if c.Refused > 0 {
			s.tb.Errorf("%d of %d %s by %s were refused for their signature or form", c.Refused, c.Calls, c.Operation, c.Client)
		}
	}
}

// Errors returns how many calls of an operation were answered with an error.
func (s *Server) Errors(operation string) int {
	s.tb.Helper()
	n := 0
	for _, c := range s.Counters().Calls {
		if c.Operation == operation {
			n += c.Errors
		}
	}
	return n
}

// Config returns the SDK's configuration for a client of this name.
func (s *Server) Config(client string) aws.Config {
	return Config(s.URL, client, awsclient.Detached{Client: awshttp.NewBuildableClient()})
}

// Config returns the SDK's configuration for a client of this name of the server
// at url. It calls through via; nil is the SDK's own.
func Config(url, client string, via aws.HTTPClient) aws.Config {
	return aws.Config{
		HTTPClient: via, Region: "eu-central-1", BaseEndpoint: &url,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: client, SecretAccessKey: "secret"}, nil
		}),
	}
}

// Environ returns variables that make a process a client of this name.
func (s *Server) Environ(client string) []string {
	return []string{"AWS_ENDPOINT_URL=" + s.URL, "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=" + client, "AWS_SECRET_ACCESS_KEY=secret"}
}

// Kinesis and DynamoDB return clients for arranging and looking.
func (s *Server) Kinesis() *kinesis.Client { return kinesis.NewFromConfig(s.Config("test")) }

// DynamoDB returns a client for arranging and looking.
func (s *Server) DynamoDB() *dynamodb.Client { return dynamodb.NewFromConfig(s.Config("test")) }

// Stream makes a stream.
func (s *Server) Stream(name string, shards int32) {
	s.tb.Helper()
	ctx := context.Background()
	if _, err := s.Kinesis().CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}); err != nil {
		s.tb.Fatal(err)
	}
	s.Active(name)
}

// Active waits until a stream can be used, or changed again.
func (s *Server) Active(stream string) {
	s.tb.Helper()
	w := kinesis.NewStreamExistsWaiter(s.Kinesis(), func(o *kinesis.StreamExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := w.Wait(context.Background(), &kinesis.DescribeStreamInput{StreamName: &stream}, 30*time.Second); err != nil {
		s.tb.Fatal(err)
	}
}

// Table makes a table with the hash key id.
func (s *Server) Table(name string) {
	s.tb.Helper()
	ctx := context.Background()
	_, err := s.DynamoDB().CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	w := dynamodb.NewTableExistsWaiter(s.DynamoDB(), func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := w.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second); err != nil {
		s.tb.Fatal(err)
	}
}

// Put puts messages, data by data under its key, 500 at a time.
func (s *Server) Put(stream string, entries ...types.PutRecordsRequestEntry) {
	s.tb.Helper()
	for len(entries) > 0 {
		n := min(500, len(entries))
		out, err := s.Kinesis().PutRecords(context.Background(), &kinesis.PutRecordsInput{StreamName: &stream, Records: entries[:n]})
		if err != nil || aws.ToInt32(out.FailedRecordCount) > 0 {
			s.tb.Fatalf("put records: %v, %d failed", err, aws.ToInt32(out.FailedRecordCount))
		}
		entries = entries[n:]
	}
}

// Mark puts a message and returns when it arrived: later than all before it.
func (s *Server) Mark(stream string) time.Time {
	s.tb.Helper()
	begin := time.Now()
	Eventually(s.tb, "another millisecond", func() bool { return time.Since(begin) > 2*time.Millisecond })
	ctx, client := context.Background(), s.Kinesis()
	put, err := client.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: aws.String("mark"), Data: []byte(`"mark"`)})
	if err != nil {
		s.tb.Fatal(err)
	}
	it, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &stream, ShardId: put.ShardId, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: put.SequenceNumber,
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	out, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	if err != nil || len(out.Records) == 0 {
		s.tb.Fatalf("read the mark: %v, %d records", err, len(out.Records))
	}
	return aws.ToTime(out.Records[0].ApproximateArrivalTimestamp)
}

// Entry returns an entry for Put.
func Entry(key, data string) types.PutRecordsRequestEntry {
	return types.PutRecordsRequestEntry{PartitionKey: &key, Data: []byte(data)}
}

// Items returns everything in a table.
func (s *Server) Items(table string) []map[string]ddb.AttributeValue {
	s.tb.Helper()
	var items []map[string]ddb.AttributeValue
	pages := dynamodb.NewScanPaginator(s.DynamoDB(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			s.tb.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

// Count returns how many items a table has.
func (s *Server) Count(table string) int { return len(s.Items(table)) }

// Shards returns the ids of a stream's shards.
func (s *Server) Shards(stream string) []string {
	s.tb.Helper()
	out, err := s.Kinesis().ListShards(context.Background(), &kinesis.ListShardsInput{StreamName: &stream})
	if err != nil {
		s.tb.Fatal(err)
	}
	var ids []string
	for _, shard := range out.Shards {
		ids = append(ids, aws.ToString(shard.ShardId))
	}
	return ids
}

// Fault adds a fault rule.
func (s *Server) Fault(rule string) { s.admin(http.MethodPost, "faults", rule) }

// NoFaults removes all fault rules.
func (s *Server) NoFaults() { s.admin(http.MethodDelete, "faults", "") }

// Limits sets the service limits.
func (s *Server) Limits(limits string) { s.admin(http.MethodPut, "limits", limits) }

// Counters are what localaws has counted.
type Counters struct {
	Calls []struct {
		Service, Operation, Client string
		Calls, Errors, Throttles   int
		Refused                    int // for the signature or the form
	}
	Tables map[string]struct{ Puts, Overwrites, Deletes int }
}

// Counters returns what localaws has counted.
func (s *Server) Counters() Counters {
	s.tb.Helper()
	var c Counters
	if err := json.Unmarshal([]byte(s.admin(http.MethodGet, "counters", "")), &c); err != nil {
		s.tb.Fatal(err)
	}
	return c
}

func (s *Server) admin(method, what, body string) string {
	s.tb.Helper()
	req, err := http.NewRequest(method, s.URL+"/_localaws/"+what, strings.NewReader(body))
	if err != nil {
		s.tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		s.tb.Fatalf("%s %s: %d %s %v", method, what, resp.StatusCode, data, err)
	}
	return string(data)
}

// patience bounds a wait for what should come: against hanging, not against a
// machine that has more to do.
const patience = 4 * time.Minute

// Eventually waits until ok returns true, and fails the test if it does not
// within four minutes.
func Eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			tb.Fatalf("waited %s for: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
