package dynamodb

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

const (
	maxListTables = 100
	minName       = 3
	maxName       = 255
)

// tableName takes the name out of a table's ARN, which may stand for it.
func tableName(nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		if _, name, ok := strings.Cut(nameOrARN, ":table/"); ok {
			return name
		}
	}
	return nameOrARN
}

func checkName(given *string) (string, error) {
	if given == nil {
		return "", notNull("tableName")
	}
	name := tableName(*given)
	return name, checkResourceName("tableName", name)
}

func checkResourceName(member, name string) error {
	for i := range len(name) {
		c := name[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '-' {
			continue
		}
		return invalid("1 validation error detected: Value '" + name + "' at '" + member + "' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
	if len(name) < minName {
		return invalid("1 validation error detected: Value '" + name + "' at '" + member + "' failed to satisfy constraint: Member must have length greater than or equal to 3")
	}
	if len(name) > maxName {
		return invalid("1 validation error detected: Value '" + name + "' at '" + member + "' failed to satisfy constraint: Member must have length less than or equal to 255")
	}
	return nil
}

// table finds the table of an operation on items.
func (s *Service) table(given *string) (*table, error) {
	return s.find(given, func(string) string { return "Requested resource not found" })
}

// described finds the table of an operation on tables.
func (s *Service) described(given *string) (*table, error) {
	return s.find(given, func(name string) string { return "Requested resource not found: Table: " + name + " not found" })
}

func (s *Service) find(given *string, message func(name string) string) (*table, error) {
	name, err := checkName(given)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	t := s.tables[name]
	s.mu.RUnlock()
	if t == nil {
		return nil, exception("ResourceNotFoundException", message(name))
	}
	return t, nil
}

type tableInput struct{ TableName *string }

func (s *Service) describeTable(_ *wire.Request, in *tableInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	t.rlock()
	defer t.mu.RUnlock()
	return map[string]any{"Table": t.describe("ACTIVE")}, nil
}

func (s *Service) deleteTable(_ *wire.Request, in *tableInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	t.rlock()
	defer t.mu.RUnlock()
	if t.about.protected {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tables, t.name)
	return map[string]any{"TableDescription": t.describe("DELETING")}, nil
}

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   *int
}

func (s *Service) listTables(_ *wire.Request, in *listTablesInput) (any, error) {
	limit := maxListTables
	if in.Limit != nil {
		limit = *in.Limit
		if limit < 1 {
			return nil, tooSmall("limit", limit, 1)
		}
		if limit > maxListTables {
			return nil, tooLarge("limit", limit, maxListTables)
		}
	}
	s.mu.RLock()
	names := slices.Sorted(maps.Keys(s.tables))
	s.mu.RUnlock()
	at, found := slices.BinarySearch(names, in.ExclusiveStartTableName)
	if found {
		at++
	}
	names = names[at:]
	out := map[string]any{"TableNames": names}
	if len(names) > limit {
		out["TableNames"], out["LastEvaluatedTableName"] = names[:limit], names[limit-1]
	}
	if len(names) == 0 {
		out["TableNames"] = []string{}
	}
	return out, nil
}
