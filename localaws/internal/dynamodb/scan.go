package dynamodb

import (
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

const maxSegments = 1_000_000

type scanInput struct {
	readInput
	ScanFilter    map[string]comparison
	Segment       *int
	TotalSegments *int
}

func (s *Service) scan(r *wire.Request, in *scanInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	scope, err := in.scope(in.FilterExpression, in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	defer t.reading(in.ConsistentRead)()
	v, err := in.view(t)
	if err != nil {
		return nil, err
	}
	w := walk{view: v}
	if w.low, w.high, err = in.segment(); err != nil {
		return nil, err
	}
	if err := in.prepare(&w, scope, in.ScanFilter); err != nil {
		return nil, err
	}
	return in.run(r, &w)
}

// segment is the part of the index that the segment of a parallel scan covers:
// keys begin with 64 bits of hash, which the segments share out evenly.
func (in *scanInput) segment() (low, high string, err error) {
	segment, total := in.Segment, in.TotalSegments
	switch {
	case segment == nil && total == nil:
		return "", "", nil
	case segment == nil:
		return "", "", invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case total == nil:
		return "", "", invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case *total < 1:
		return "", "", tooSmall("totalSegments", *total, 1)
	case *total > maxSegments:
		return "", "", tooLarge("totalSegments", *total, maxSegments)
	case *segment < 0:
		return "", "", tooSmall("segment", *segment, 0)
	case *segment >= *total:
		return "", "", invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: " +
			strconv.Itoa(*segment) + " is not less than TotalSegments: " + strconv.Itoa(*total))
	}
	return boundary(*segment, *total), boundary(*segment+1, *total), nil
}

// boundary is where segment i of n begins; "" is the end of everything.
func boundary(i, n int) string {
	if i == n {
		return ""
	}
	at, _ := bits.Div64(uint64(i), 0, uint64(n))
	return string(binary.BigEndian.AppendUint64(nil, at))
}
