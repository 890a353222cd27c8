package dynamo

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/held"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Attributes of the lease table: the KCL's names, and four of ours.
const (
	leaseKey         = "leaseKey"
	leaseOwner       = "leaseOwner"
	leaseCounter     = "leaseCounter"
	checkpoint       = "checkpoint"
	checkpointSub    = "checkpointSubSequenceNumber"
	ownerSwitches    = "ownerSwitchesSinceCheckpoint"
	parentShardID    = "parentShardId"
	childShardIDs    = "childShardIds"
	startingHashKey  = "startingHashKey"
	endingHashKey    = "endingHashKey"
	entityType       = "entityType"
	initialTimestamp = "initialTimestamp"
	rewound          = "rewound"
	behind           = "behind"
	workerTable      = "workerTable"
)

// Attributes of the worker table.
const (
	workerKey        = "workerId"
	counter          = "counter"
	state            = "state"
	leaseDuration    = "leaseDurationMs"
	ready            = "ready"
	maxLeases        = "maxLeases"
	heldLeases       = "held"
	startedAt        = "startedAt"
	version          = "version"
	expiresAt        = "expiresAt"
	streamARN        = "streamArn"
	streamCreatedAt  = "streamCreatedAt"
	leaseTable       = "leaseTable"
	shardMapVersion  = "shardMapVersion"
	initialPosition  = "initialPosition"
	streamTimestamp  = "initialTimestamp"
	requests         = "requests"
	paused           = "paused"
	released         = "released"
	rewind           = "rewind"
	rewindID         = "id"
	rewindTo         = "to"
	rewindAt         = "at"
	rewindShards     = "shards"
	entityTypeLeases = "LEASE"
)

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(v, 10)}
}
func b(v bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: v} }

func text(i item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func number(i item, name string) int64 {
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		parsed, err := strconv.ParseInt(v.Value, 10, 64)
		if err == nil {
			return parsed
		}
	}
	return 0
}

func flag(i item, name string) bool {
	v, ok := i[name].(*types.AttributeValueMemberBOOL)
	return ok && v.Value
}

func set(i item, name string) []string {
	v, ok := i[name].(*types.AttributeValueMemberSS)
	if !ok {
		return nil
	}
	sorted := slices.Clone(v.Value)
	slices.Sort(sorted)
	return sorted
}

func numbers(i item, name string) map[string]int64 {
	m, ok := i[name].(*types.AttributeValueMemberM)
	if !ok {
		return nil
	}
	all := make(map[string]int64, len(m.Value))
	for key := range m.Value {
		all[key] = number(m.Value, key)
	}
	return all
}

func millis(i item, name string) time.Time {
	if ms := number(i, name); ms != 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

// leaseRow reads a row of the lease table; nil for no item and for an item of
// another entityType, as the KCL 3 keeps beside its leases.
func leaseRow(i item) *lease.Row {
	if len(i) == 0 {
		return nil
	}
	if kind := text(i, entityType); kind != "" && kind != entityTypeLeases {
		return nil
	}
	return &lease.Row{
		Shard: text(i, leaseKey), Owner: text(i, leaseOwner), Counter: number(i, leaseCounter),
		Checkpoint:    lease.Checkpoint{Sequence: text(i, checkpoint), Sub: number(i, checkpointSub)},
		OwnerSwitches: number(i, ownerSwitches), Parents: set(i, parentShardID), Children: set(i, childShardIDs),
		HashStart: text(i, startingHashKey), HashEnd: text(i, endingHashKey), InitialTimestamp: millis(i, initialTimestamp),
		Rewound: number(i, rewound), Behind: numbers(i, behind), WorkerTable: text(i, workerTable),
	}
}

// leaseItem writes a whole row, as it begins.
func leaseItem(row *lease.Row) item {
	i := item{
		leaseKey: s(row.Shard), leaseCounter: n(row.Counter), checkpoint: s(row.Checkpoint.Sequence),
		checkpointSub: n(row.Checkpoint.Sub), ownerSwitches: n(row.OwnerSwitches),
	}
	for name, value := range map[string]string{leaseOwner: row.Owner, startingHashKey: row.HashStart, endingHashKey: row.HashEnd} {
		if value != "" {
			i[name] = s(value)
		}
	}
	for name, values := range map[string][]string{parentShardID: row.Parents, childShardIDs: row.Children} {
		if len(values) > 0 {
			i[name] = &types.AttributeValueMemberSS{Value: values}
		}
	}
	if !row.InitialTimestamp.IsZero() {
		i[initialTimestamp] = n(row.InitialTimestamp.UnixMilli())
	}
	return i
}

var errNoHeld = errors.New("held is missing or no binary")

func workerRow(i item) *lease.Worker {
	if len(i) == 0 {
		return nil
	}
	row := &lease.Worker{
		ID: text(i, workerKey), Counter: number(i, counter), State: lease.State(text(i, state)),
		Duration: time.Duration(number(i, leaseDuration)) * time.Millisecond, Ready: flag(i, ready),
		MaxLeases: int(number(i, maxLeases)), StartedAt: millis(i, startedAt), Version: text(i, version),
		ExpiresAt: time.Unix(number(i, expiresAt), 0).UTC(), Requests: number(i, requests),
	}
	if v, ok := i[heldLeases].(*types.AttributeValueMemberB); ok {
		row.Held, row.HeldErr = held.Decode(v.Value)
	} else {
		row.HeldErr = errNoHeld
	}
	if row.HeldErr != nil {
		row.HeldErr = fmt.Errorf("worker %s: %w", row.ID, row.HeldErr)
	}
	return row
}

func workerItem(row *lease.Worker) item {
	i := item{
		workerKey: s(row.ID), counter: n(row.Counter), state: s(string(row.State)),
		leaseDuration: n(row.Duration.Milliseconds()), ready: b(row.Ready), maxLeases: n(int64(row.MaxLeases)),
		startedAt: n(row.StartedAt.UnixMilli()), expiresAt: n(row.ExpiresAt.Unix()),
		heldLeases: &types.AttributeValueMemberB{Value: held.Encode(row.Held)},
	}
	if row.Version != "" {
		i[version] = s(row.Version)
	}
	if row.Requests != 0 {
		i[requests] = n(row.Requests)
	}
	return i
}

func streamRow(i item) *lease.Stream {
	if len(i) == 0 {
		return nil
	}
	return &lease.Stream{
		ARN: text(i, streamARN), CreatedAt: millis(i, streamCreatedAt), ShardMapVersion: number(i, shardMapVersion),
		LeaseTable: text(i, leaseTable), InitialPosition: text(i, initialPosition), InitialTimestamp: millis(i, streamTimestamp),
		Requests: number(i, requests), Paused: flag(i, paused), Released: set(i, released), Rewind: rewindOf(i),
	}
}

func rewindOf(i item) *lease.Rewind {
	m, ok := i[rewind].(*types.AttributeValueMemberM)
	if !ok {
		return nil
	}
	return &lease.Rewind{ID: number(m.Value, rewindID), To: text(m.Value, rewindTo), At: millis(m.Value, rewindAt), Shards: set(m.Value, rewindShards)}
}

func rewindItem(r *lease.Rewind) types.AttributeValue {
	m := item{rewindID: n(r.ID), rewindTo: s(r.To), rewindShards: &types.AttributeValueMemberSS{Value: r.Shards}}
	if !r.At.IsZero() {
		m[rewindAt] = n(r.At.UnixMilli())
	}
	return &types.AttributeValueMemberM{Value: m}
}

func streamItem(row *lease.Stream) item {
	i := item{
		workerKey: s(lease.StreamKey), streamARN: s(row.ARN), streamCreatedAt: n(row.CreatedAt.UnixMilli()),
		shardMapVersion: n(row.ShardMapVersion), initialPosition: s(row.InitialPosition),
	}
	if row.LeaseTable != "" {
		i[leaseTable] = s(row.LeaseTable)
	}
	if !row.InitialTimestamp.IsZero() {
		i[streamTimestamp] = n(row.InitialTimestamp.UnixMilli())
	}
	return i
}
