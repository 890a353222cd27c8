package store

import (
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// isRefused tells whether DynamoDB will never take the request as it is.
func isRefused(err error) bool {
	switch wire.Code(err) {
	case "ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException", "RequestEntityTooLarge":
		return true
	}
	return false
}

// isUnusual tells whether an error is none of those that come with load, a bad
// item or a lost connection, such as one of credentials or clocks, which the
// SDK knows how to deal with.
func isUnusual(err error) bool {
	api, ok := wire.Refusal(err)
	if !ok {
		return false
	}
	return !isRefused(err) && !isThrottle(err) && api.ErrorFault() != smithy.FaultServer
}

func isThrottle(err error) bool {
	switch wire.Code(err) {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded":
		return true
	}
	return false
}
