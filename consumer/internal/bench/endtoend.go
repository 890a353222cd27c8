package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keepertest"
)

// Of the end-to-end measurement.
const (
	endShards    = 4
	endPerSecond = 500
	endWait      = 30 * time.Second // for the last messages
)

// programs are what is run, built once.
type programs struct{ localaws, consumer string }

func build(dir string) (p programs, err error) {
	if p.localaws, err = awstest.Build(dir, "localaws"); err != nil {
		return p, err
	}
	if p.localaws == "" {
		return p, errors.New("end to end: no sibling folder localaws")
	}
	p.consumer, err = awstest.Build(dir, "consumer")
	return p, err
}

// endToEnd measures the time from put to stored, by polling and by fan-out.
func endToEnd(seconds int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	p, err := build(dir)
	if err != nil {
		return err
	}
	fmt.Printf("\nEnd to end through localaws: %d messages a second of 100 B to %d shards for %d s, one consumer with default settings.\n\n", endPerSecond, endShards, seconds)
	fmt.Println("| read mode | messages | p50 put to stored | p99 | most | processor time a message | peak RSS |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, mode := range []string{"polling", "fanout"} {
		if err := p.measure(mode, seconds); err != nil {
			return fmt.Errorf("end to end, %s: %w", mode, err)
		}
	}
	return nil
}

func (p programs) measure(mode string, seconds int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second+2*endWait)
	defer cancel()
	local, url, err := startLocalaws(p.localaws)
	if err != nil {
		return err
	}
	defer stop(local)
	cfg, err := clientTo(ctx, url)
	if err != nil {
		return err
	}
	shards, err := arrange(ctx, cfg)
	if err != nil {
		return err
	}
	keeper := keepertest.New("bench/1", time.Minute)
	keeper.Grant(grantAll(shards)...)
	keeping := httptest.NewServer(keeper)
	defer keeping.Close()
	clock := newClock(url, seconds*endPerSecond)
	watching := httptest.NewServer(clock)
	defer watching.Close()

	consumer := exec.Command(p.consumer)
	consumer.Stderr = os.Stderr
	consumer.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+url, "AWS_ENDPOINT_URL_DYNAMODB="+watching.URL, "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "CONSUMER_LEASEKEEPER_URL="+keeping.URL, "CONSUMER_LISTEN=127.0.0.1:0",
		"CONSUMER_LOG_LEVEL=error", "CONSUMER_READ_MODE="+mode)
	if err := consumer.Start(); err != nil {
		return fmt.Errorf("start consumer: %w", err)
	}
	defer stop(consumer)
	if err := clock.produce(ctx, kinesis.NewFromConfig(cfg)); err != nil {
		return err
	}
	if err := clock.wait(ctx); err != nil {
		return err
	}
	if err := consumer.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop consumer: %w", err)
	}
	if err := consumer.Wait(); err != nil {
		return fmt.Errorf("stop consumer: %w", err)
	}
	clock.print(mode, consumer.ProcessState)
	return nil
}

func grantAll(shards []string) (list []contract.Grant) {
	for i, s := range shards {
		list = append(list, contract.Grant{Stream: "bench", Shard: s, Generation: int64(i + 1), Start: contract.Start{Type: contract.TrimHorizon}})
	}
	return list
}

func startLocalaws(binary string) (*exec.Cmd, string, error) {
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "LOCALAWS_LISTEN=127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("start localaws: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start localaws: %w", err)
	}
	reader := bufio.NewReader(out)
	line, err := reader.ReadBytes('\n')
	var first struct{ Listening string }
	if err == nil {
		err = json.Unmarshal(line, &first)
	}
	if err != nil {
		stop(cmd)
		return nil, "", fmt.Errorf("start localaws: %w", err)
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return cmd, first.Listening, nil
}

func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func clientTo(ctx context.Context, url string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("eu-central-1"), config.WithBaseEndpoint(url),
		config.WithCredentialsProvider(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "producer", SecretAccessKey: "secret"}, nil
		})))
	if err != nil {
		return cfg, fmt.Errorf("load configuration: %w", err)
	}
	cfg.HTTPClient = awsclient.Detached{Client: awshttp.NewBuildableClient()} // localaws speaks plain HTTP
	return cfg, nil
}

// arrange makes the stream and the tables, and returns the shards.
func arrange(ctx context.Context, cfg aws.Config) ([]string, error) {
	k, d := kinesis.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	if _, err := k.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("bench"), ShardCount: aws.Int32(endShards)}); err != nil {
		return nil, fmt.Errorf("create stream: %w", err)
	}
	if err := kinesis.NewStreamExistsWaiter(k).Wait(ctx, &kinesis.DescribeStreamInput{StreamName: aws.String("bench")}, time.Minute); err != nil {
		return nil, fmt.Errorf("create stream: %w", err)
	}
	for _, name := range []string{"messages", "dead_letters"} {
		if _, err := d.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName: aws.String(name), BillingMode: ddb.BillingModePayPerRequest,
			AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
			KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
		}); err != nil {
			return nil, fmt.Errorf("create table: %w", err)
		}
		if err := dynamodb.NewTableExistsWaiter(d).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)}, time.Minute); err != nil {
			return nil, fmt.Errorf("create table: %w", err)
		}
	}
	out, err := k.ListShards(ctx, &kinesis.ListShardsInput{StreamName: aws.String("bench")})
	if err != nil {
		return nil, fmt.Errorf("list shards: %w", err)
	}
	var ids []string
	for _, s := range out.Shards {
		ids = append(ids, aws.ToString(s.ShardId))
	}
	return ids, nil
}
