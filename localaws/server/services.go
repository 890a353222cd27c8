package server

import "github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"

// more lists the services beside Kinesis.
func more(_ Options) []wire.Service {
	return nil
}
