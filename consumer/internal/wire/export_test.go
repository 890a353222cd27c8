package wire

// For the tests of this package.

// Request is request.
var Request = (*Direct).request

// General makes d sign by the SDK's signer.
func General(d *Direct) *Direct {
	d.signing = nil
	return d
}

// IsFast tells whether d signs itself.
func IsFast(d *Direct) bool { return d.signing != nil }

// HasConns tells whether d has connections of its own.
func HasConns(d *Direct) bool { return d.conns != nil }
