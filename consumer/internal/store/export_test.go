package store

// For the tests of this package.
var (
	AppendJSON = appendJSON
	AppendItem = appendItem
)
