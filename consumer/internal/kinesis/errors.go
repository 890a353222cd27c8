package kinesis

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// classify maps the SDK's errors to the reader's.
func classify(err error) error {
	api, ok := wire.Refusal(err)
	if !ok {
		return err
	}
	switch api.ErrorCode() {
	case "ExpiredIteratorException":
		return fmt.Errorf("%w: %w", reader.ErrExpired, err)
	case "ProvisionedThroughputExceededException", "LimitExceededException", "ThrottlingException", "KMSThrottlingException":
		return fmt.Errorf("%w: %w", reader.ErrThrottled, err)
	case "ResourceNotFoundException":
		return fmt.Errorf("%w: %w", reader.ErrNoShard, err)
	case "AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException", "KMSAccessDeniedException",
		"KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "KMSOptInRequired":
		return fmt.Errorf("%w: %w", reader.ErrRefused, api) // without the SDK's words around it
	}
	return err
}

// misplaced maps the error of a start at a sequence number that the service does
// not take: all else in such a request it has taken before.
func misplaced(at reader.Start, err error) error {
	var invalid *types.InvalidArgumentException
	if (at.After != "" || at.Type == contract.AtSequenceNumber) && errors.As(err, &invalid) {
		return fmt.Errorf("%w: %w", reader.ErrPosition, invalid) // without the SDK's words around it
	}
	return err
}

// untaken maps the error of an iterator that the service does not take. The
// Kinesis Client Library gets another one then, too: PrefetchRecordsPublisher.
func untaken(err error) error {
	var invalid *types.InvalidArgumentException
	if errors.As(err, &invalid) {
		return fmt.Errorf("%w: %w", reader.ErrIterator, invalid) // without the SDK's words around it
	}
	return err
}

// subscribeError maps the errors of a subscription, which may come as an event.
func subscribeError(err error) error {
	var inUse *types.ResourceInUseException
	if errors.As(err, &inUse) || strings.Contains(err.Error(), "ResourceInUseException") {
		return fmt.Errorf("%w: %w", reader.ErrInUse, err)
	}
	return classify(err)
}

// isUnusual tells whether an error is none of those that a reader deals with,
// such as one of credentials or clocks, which the SDK's client knows, or of an
// answer that only the SDK's client understands.
func isUnusual(err error) bool {
	if errors.Is(err, errIndirect) || errors.Is(err, errAnswer) {
		return true
	}
	api, ok := wire.Refusal(err)
	if !ok || api.ErrorFault() == smithy.FaultServer {
		return false
	}
	err = classify(err)
	return !errors.Is(err, reader.ErrExpired) && !errors.Is(err, reader.ErrThrottled) && !errors.Is(err, reader.ErrNoShard)
}

// isOfCaller tells whether an error is of the caller's credentials or clock, or
// of how it calls: it says nothing about the encoding of the request.
func isOfCaller(err error) bool {
	if errors.Is(err, errIndirect) {
		return true
	}
	switch wire.Code(err) {
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch",
		"AuthFailure", "UnrecognizedClientException", "InvalidClientTokenId", "IncompleteSignatureException", "AccessDeniedException":
		return true
	}
	return false
}
