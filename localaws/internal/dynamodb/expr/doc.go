// Package expr is DynamoDB's expression language: conditions and filters, key
// conditions, updates and projections, parsed with their placeholders resolved,
// and applied to items.
//
// The legacy parameters (Expected, AttributeUpdates, KeyConditions and so on)
// are turned into the same trees, so that there is one evaluator.
package expr
