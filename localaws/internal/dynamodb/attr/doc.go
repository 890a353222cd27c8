// Package attr holds DynamoDB's data model: attribute values and items, their
// JSON form, their exact decimal numbers, their order, and their size in bytes
// as the service counts it.
//
// Values are immutable once decoded: an update builds new values and shares
// what it did not touch. That is what lets readers encode an item without
// holding a table's lock.
package attr
