package app

// For the tests of this package.
var Tuned = tuned

// IdleConnections is idleConnections.
const IdleConnections = idleConnections
