package kinesis

// Convert is for the tests of this package.
var Convert = convert
