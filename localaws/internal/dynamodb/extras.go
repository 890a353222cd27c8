package dynamodb

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// What a client asks of a table beside its items: backups are accepted and
// remembered, not made.

type continuousBackupsInput struct {
	TableName                        *string
	PointInTimeRecoverySpecification *struct{ PointInTimeRecoveryEnabled bool }
}

func (s *Service) describeContinuousBackups(_ *wire.Request, in *tableInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	t.rlock()
	defer t.mu.RUnlock()
	return t.backups(), nil
}

func (s *Service) updateContinuousBackups(_ *wire.Request, in *continuousBackupsInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	if in.PointInTimeRecoverySpecification == nil {
		return nil, notNull("pointInTimeRecoverySpecification")
	}
	t.lock()
	defer t.mu.Unlock()
	t.about.recovery = in.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled
	return t.backups(), nil
}

func (t *table) backups() map[string]any {
	recovery := map[string]any{"PointInTimeRecoveryStatus": "DISABLED"}
	if t.about.recovery {
		recovery = map[string]any{
			"PointInTimeRecoveryStatus":  "ENABLED",
			"EarliestRestorableDateTime": wire.Time{Time: t.created},
			"LatestRestorableDateTime":   wire.Time{Time: t.now()},
		}
	}
	return map[string]any{"ContinuousBackupsDescription": map[string]any{
		"ContinuousBackupsStatus":        "ENABLED",
		"PointInTimeRecoveryDescription": recovery,
	}}
}

type tagInput struct {
	ResourceArn string
	Tags        []tag
	TagKeys     []string
}

// tagged finds the table of an ARN.
func (s *Service) tagged(arn string) (*table, error) {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":table/") {
		return nil, invalid("Invalid TableArn: Invalid ResourceArn provided as input " + arn)
	}
	return s.find(&arn, func(string) string { return "Requested resource not found: ResourcArn: " + arn + " not found" })
}

func (s *Service) tagResource(_ *wire.Request, in *tagInput) (any, error) {
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	t.lock()
	defer t.mu.Unlock()
	for _, tag := range in.Tags {
		t.about.tags[tag.Key] = tag.Value
	}
	return nil, nil
}

func (s *Service) untagResource(_ *wire.Request, in *tagInput) (any, error) {
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	t.lock()
	defer t.mu.Unlock()
	for _, key := range in.TagKeys {
		delete(t.about.tags, key)
	}
	return nil, nil
}

func (s *Service) listTagsOfResource(_ *wire.Request, in *tagInput) (any, error) {
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	t.rlock()
	defer t.mu.RUnlock()
	tags := []tag{}
	for _, key := range slices.Sorted(maps.Keys(t.about.tags)) {
		tags = append(tags, tag{key, t.about.tags[key]})
	}
	return map[string]any{"Tags": tags}, nil
}

type emptyInput struct{}

func (s *Service) describeLimits(*wire.Request, *emptyInput) (any, error) {
	const account, table = 80000, 40000 // the defaults of a new account
	return map[string]any{
		"AccountMaxReadCapacityUnits": account, "AccountMaxWriteCapacityUnits": account,
		"TableMaxReadCapacityUnits": table, "TableMaxWriteCapacityUnits": table,
	}, nil
}
