package server

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// more lists the services beside Kinesis.
func more(o Options) []wire.Service {
	return []wire.Service{dynamodb.New(dynamodb.Options{Now: o.Now, StaleReads: o.StaleReads})}
}
