package infra

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Statement is one statement of an IAM policy.
type Statement struct {
	Sid      string
	Effect   string
	Action   oneOrMany
	Resource oneOrMany
}

// oneOrMany is a JSON string or a list of them, as IAM has it.
type oneOrMany []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMany) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return fmt.Errorf("read string or list: %w", err)
	}
	*o = many
	return nil
}

// Statements returns the statements of a role policy; none when the policy is
// known only after apply.
func (r Resource) Statements() ([]Statement, error) {
	text := r.Text("policy")
	if text == "" {
		return nil, nil
	}
	var policy struct{ Statement []Statement }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil, fmt.Errorf("read policy of %s: %w", r.Address, err)
	}
	return policy.Statement, nil
}

// Granted returns the actions of the given services that a plan's role policy of
// this name grants.
func (p Plan) Granted(name string, services ...string) (map[string]bool, error) {
	granted := map[string]bool{}
	for _, r := range p.OfType("aws_iam_role_policy") {
		if r.Name != name {
			continue
		}
		statements, err := r.Statements()
		if err != nil {
			return nil, err
		}
		for _, s := range statements {
			for _, action := range s.Action {
				service, _, _ := strings.Cut(action, ":")
				if contains(services, service) {
					granted[action] = true
				}
			}
		}
	}
	return granted, nil
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
