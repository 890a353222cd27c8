// Command consumer reads the shards of a Kinesis stream that the leasekeeper
// beside it grants, and writes one DynamoDB item for each message.
//
// To do something else with the messages, set NewHandler: README.md shows how.
package main

import (
	"os"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = "dev"

func main() {
	os.Exit(app.Main(app.Program{Version: version}))
}
