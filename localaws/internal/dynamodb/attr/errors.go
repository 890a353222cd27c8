package attr

// Invalid is the message of a ValidationException.
type Invalid string

// Error returns the message.
func (i Invalid) Error() string { return string(i) }

// Malformed is the message of a SerializationException: the JSON is not of the
// shape that the operation's model has.
type Malformed string

// Error returns the message.
func (m Malformed) Error() string { return string(m) }
