package kinesis

// consumer is a registered consumer of enhanced fan-out.
type consumer struct {
	name    string
	arn     string
	created int64
}
