// Command imagecheck is what images-test.sh runs in the network namespace of the
// containers it tests: it creates the stream and the tables, and waits until
// every message is stored. For images-platforms.sh it looks at what was published.
//
//	imagecheck create SHARDS
//	imagecheck await MESSAGES
//	imagecheck index REPOSITORY VERSION REVISION EMULATOR
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

const timeout = 90 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "imagecheck:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if len(args) == 5 && args[0] == "index" {
		return index(ctx, infra.Repository(args[1]), args[2], args[3], args[4])
	}
	if len(args) != 2 {
		return fmt.Errorf("want create SHARDS, await MESSAGES or index REPOSITORY VERSION REVISION EMULATOR, got %q", args)
	}
	number, err := strconv.ParseInt(args[1], 10, 32)
	if err != nil {
		return fmt.Errorf("read number: %w", err)
	}
	url := os.Getenv("AWS_ENDPOINT_URL")
	server := awslocal.Connect(url, url)
	if args[0] == "create" {
		return server.CreateAll(ctx, int32(number))
	}
	return await(ctx, server, int(number))
}

// await waits until the table holds want messages and the stream no other, then
// says how many there are. More or fewer is an error.
func await(ctx context.Context, server *awslocal.Server, want int) error {
	reader := verify.NewStreamReader(server.Kinesis, awslocal.Stream)
	read := func(ctx context.Context) (verify.Report, error) {
		return verify.Tables(ctx, reader, server.DynamoDB, awslocal.MessagesTable, awslocal.DeadLetterTable)
	}
	report, err := verify.WaitStored(ctx, want, 200*time.Millisecond, read)
	if err != nil {
		return fmt.Errorf("wait for %d messages: %w (%s)", want, err, report)
	}
	if !report.Clean() {
		return fmt.Errorf("messages are not what was produced: %s", report)
	}
	fmt.Println(report)
	return nil
}
