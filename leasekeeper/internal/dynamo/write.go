package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

const allOld = types.ReturnValuesOnConditionCheckFailureAllOld

// request is one conditional write. Exactly one of put, update and delete says what.
type request struct {
	table     string
	key       item
	put       item
	update    string // an update expression
	delete    bool
	condition string // empty: none
	names     map[string]string
	values    item
}

// write attempts a request once and returns the item as it is now, or the item
// that was met where the condition failed.
func (t *Tables) write(ctx context.Context, doing string, r request) (item, lease.Answer) {
	ctx, cancel := context.WithTimeout(ctx, t.attempt)
	defer cancel()
	after, err := t.send(ctx, r)
	if err == nil {
		return after, lease.Answer{Outcome: lease.Applied}
	}
	if found, refused := met(err); refused {
		return found, lease.Answer{Outcome: lease.Refused}
	}
	return nil, failure(doing, err)
}

func (t *Tables) send(ctx context.Context, r request) (item, error) {
	var condition *string
	if r.condition != "" {
		condition = &r.condition
	}
	switch {
	case r.put != nil:
		_, err := t.api.PutItem(ctx, &dynamodb.PutItemInput{TableName: &r.table, Item: r.put, ConditionExpression: condition,
			ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values, ReturnValuesOnConditionCheckFailure: allOld})
		return r.put, err
	case r.delete:
		_, err := t.api.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &r.table, Key: r.key, ConditionExpression: condition,
			ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values, ReturnValuesOnConditionCheckFailure: allOld})
		return nil, err
	}
	out, err := t.api.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &r.table, Key: r.key, ConditionExpression: condition,
		UpdateExpression: aws.String(r.update), ExpressionAttributeNames: r.names, ExpressionAttributeValues: r.values,
		ReturnValues: types.ReturnValueAllNew, ReturnValuesOnConditionCheckFailure: allOld})
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

func (t *Tables) writeLease(ctx context.Context, w lease.LeaseWrite) lease.Answer {
	r := request{table: t.leases, key: key(leaseKey, w.Shard)}
	if w.Create != nil {
		r.put, r.condition = leaseItem(w.Create), "attribute_not_exists("+leaseKey+")"
	} else {
		r.values = item{}
		r.condition = leaseCondition(w.If, r.values)
		r.delete = w.Delete
		if w.Change != nil {
			r.update = leaseUpdate(w.Change, r.values)
		}
	}
	found, a := t.write(ctx, "write lease "+w.Shard, r)
	a.Lease = leaseRow(found)
	return a
}

// leaseCondition names owner and generation in every write (the fencing token),
// and the checkpoint as it was last known where the write carries one.
func leaseCondition(c lease.LeaseCondition, values item) string {
	parts := []string{"attribute_exists(" + leaseKey + ")", isNumber(leaseCounter, c.Counter, ":seen", values), isText(leaseOwner, c.Owner, ":owner", values)}
	if c.Checkpoint != nil {
		parts = append(parts, isText(checkpoint, c.Checkpoint.Sequence, ":stored", values), isNumber(checkpointSub, c.Checkpoint.Sub, ":storedSub", values))
	}
	return strings.Join(parts, " AND ")
}

// isText is the condition that [text] reads value: what is missing, or of
// another type, is read as empty. Whatever somebody blanked in a console is then
// met as it was read, and not refused for ever.
func isText(name, value, as string, values item) string {
	values[as] = s(value)
	if value != "" {
		return name + " = " + as
	}
	values[":string"] = s("S")
	return "(NOT attribute_type(" + name + ", :string) OR " + name + " = " + as + ")"
}

// isNumber is the condition that [number] reads value.
func isNumber(name string, value int64, as string, values item) string {
	values[as] = n(value)
	if value != 0 {
		return name + " = " + as
	}
	values[":number"] = s("N")
	return "(NOT attribute_type(" + name + ", :number) OR " + name + " = " + as + ")"
}

func leaseUpdate(c *lease.LeaseChange, values item) string {
	sets := []string{leaseCounter + " = :counter", ownerSwitches + " = :switches"}
	values[":counter"], values[":switches"] = n(c.Counter), n(c.OwnerSwitches)
	var removes []string
	if c.Owner == "" {
		removes = append(removes, leaseOwner, workerTable)
	} else {
		sets = append(sets, leaseOwner+" = :newOwner")
		values[":newOwner"] = s(c.Owner)
		if c.WorkerTable != "" {
			sets = append(sets, workerTable+" = :workerTable")
			values[":workerTable"] = s(c.WorkerTable)
		}
	}
	if c.Checkpoint != nil {
		sets = append(sets, checkpoint+" = :checkpoint", checkpointSub+" = :sub")
		values[":checkpoint"], values[":sub"] = s(c.Checkpoint.Sequence), n(c.Checkpoint.Sub)
	}
	if len(c.Children) > 0 {
		sets = append(sets, childShardIDs+" = :children")
		values[":children"] = &types.AttributeValueMemberSS{Value: c.Children}
	}
	if c.Rewind != nil {
		sets = append(sets, rewound+" = :rewound")
		values[":rewound"] = n(c.Rewind.ID)
		if c.Rewind.To == lease.AtTimestamp {
			sets = append(sets, initialTimestamp+" = :at")
			values[":at"] = n(c.Rewind.At.UnixMilli())
		}
	}
	if c.Behind != nil {
		waits := make(item, len(c.Behind))
		for parent, id := range c.Behind {
			waits[parent] = n(id)
		}
		sets = append(sets, behind+" = :behind")
		values[":behind"] = &types.AttributeValueMemberM{Value: waits}
	}
	if c.DropForeign {
		removes = append(removes, "checkpointOwner", "pendingCheckpoint", "pendingCheckpointSubSequenceNumber", "pendingCheckpointState")
	}
	update := "SET " + strings.Join(sets, ", ")
	if len(removes) > 0 {
		update += " REMOVE " + strings.Join(removes, ", ")
	}
	return update
}

func (t *Tables) writeWorker(ctx context.Context, w lease.WorkerWrite) lease.Answer {
	r := request{table: t.workers, key: key(workerKey, w.Worker)}
	if w.Create != nil {
		r.put, r.condition = workerItem(w.Create), "attribute_not_exists("+workerKey+")"
	} else {
		compare := " <> "
		if w.If.Evicted {
			compare = " = "
		}
		r.names = map[string]string{"#counter": counter, "#state": state}
		r.values = item{":seen": n(w.If.Counter), ":evicted": s(string(lease.Evicted))}
		r.condition = "#counter = :seen AND #state" + compare + ":evicted"
		r.delete = w.Delete
		if w.Put != nil {
			r.put = workerItem(w.Put)
		}
		if w.Evict {
			r.update = "SET #state = :evicted"
		}
	}
	found, a := t.write(ctx, "write worker "+w.Worker, r)
	a.Worker = workerRow(found)
	return a
}

func (t *Tables) writeStream(ctx context.Context, w lease.StreamWrite) lease.Answer {
	r := request{table: t.workers, key: key(workerKey, lease.StreamKey)}
	switch {
	case w.Create != nil:
		r.put, r.condition = streamItem(w.Create), "attribute_not_exists("+workerKey+")"
	case w.LeaseTable != "":
		r.values = item{":table": s(w.LeaseTable)}
		r.condition = "attribute_exists(" + workerKey + ") AND " + isText(leaseTable, "", ":none", r.values)
		r.update = "SET " + leaseTable + " = :table"
	case w.Request != nil:
		streamRequest(w.Request, &r)
	default:
		r.update, r.condition = "ADD "+shardMapVersion+" :one", "attribute_exists("+workerKey+")"
		r.values = item{":one": n(1)}
	}
	found, a := t.write(ctx, "write "+lease.StreamKey, r)
	a.Stream = streamRow(found)
	return a
}

// streamRequest changes what is asked of the fleet and touches nothing else of
// the row. A row that was never asked anything has no counter.
func streamRequest(w *lease.StreamRequest, r *request) {
	r.names = map[string]string{"#requests": requests, "#paused": paused, "#released": released, "#rewind": rewind}
	r.values = item{":next": n(w.Seen + 1), ":paused": b(w.Paused)}
	r.condition = "attribute_exists(" + workerKey + ") AND "
	if w.Seen == 0 {
		r.condition += "attribute_not_exists(#requests)"
	} else {
		r.condition += "#requests = :seen"
		r.values[":seen"] = n(w.Seen)
	}
	r.update = "SET #requests = :next, #paused = :paused"
	var removes []string
	if len(w.Released) == 0 {
		removes = append(removes, "#released")
	} else {
		r.update += ", #released = :released"
		r.values[":released"] = &types.AttributeValueMemberSS{Value: w.Released}
	}
	if w.Rewind == nil {
		removes = append(removes, "#rewind")
	} else {
		r.update += ", #rewind = :rewind"
		r.values[":rewind"] = rewindItem(w.Rewind)
	}
	if len(removes) > 0 {
		r.update += " REMOVE " + strings.Join(removes, ", ")
	}
}
