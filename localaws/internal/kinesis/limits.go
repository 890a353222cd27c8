package kinesis

// Limits are the service's limits per shard
// (https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html).
type Limits struct {
	Enforce            bool `json:"enforce"`
	RecordsPerSecond   int  `json:"records_per_second"`
	BytesPerSecond     int  `json:"bytes_per_second"`
	ReadsPerSecond     int  `json:"reads_per_second"`
	ReadBytesPerSecond int  `json:"read_bytes_per_second"`
}

// DefaultLimits are those of the service, not enforced.
func DefaultLimits() Limits {
	return Limits{RecordsPerSecond: 1000, BytesPerSecond: 1 << 20, ReadsPerSecond: 5, ReadBytesPerSecond: 2 << 20}
}

// Settings implements admin.Tuner.
func (s *Service) Settings() any { return s.options.Limits }

// Tune implements admin.Tuner.
func (s *Service) Tune([]byte) error { return nil }
