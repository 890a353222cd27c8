package app

import "time"

// For the tests of this package.
var (
	Tuned    = tuned
	NewWatch = newWatch
)

// IdleConnections is idleConnections.
const IdleConnections = idleConnections

// Look is look.
func (w *watch) Look() { w.look(time.Now()) }

// Ready is ready.
func (w *watch) Ready() error { return w.ready() }

// Live is live.
func (w *watch) Live() error { return w.live() }
