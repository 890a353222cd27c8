package store

// For the tests of this package.
var (
	ValidJSON  = validJSON
	AppendItem = appendItem
)
