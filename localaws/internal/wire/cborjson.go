package wire

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of a CBOR request.
const maxDepth = 32

var errShortCBOR = errors.New("decode cbor: unexpected end of body")

// cborToJSON rewrites a CBOR body as the JSON of the same request: byte strings
// become base64, and tag 1 (milliseconds) becomes seconds.
func cborToJSON(body []byte) ([]byte, error) {
	d := cborDecoder{in: body, out: make([]byte, 0, len(body)*2)}
	if len(body) == 0 {
		return []byte("{}"), nil
	}
	if err := d.item(0); err != nil {
		return nil, err
	}
	return d.out, nil
}

type cborDecoder struct {
	in  []byte
	out []byte
}

// head reads the head of an item. indefinite is true for a length left open.
func (d *cborDecoder) head() (major, info byte, n uint64, indefinite bool, err error) {
	if len(d.in) == 0 {
		return 0, 0, 0, false, errShortCBOR
	}
	major, info = d.in[0]&0xe0, d.in[0]&0x1f
	d.in = d.in[1:]
	switch {
	case info < 24:
		return major, info, uint64(info), false, nil
	case info == 31:
		return major, info, 0, true, nil
	case info > 27:
		return 0, 0, 0, false, fmt.Errorf("decode cbor: reserved length %d", info)
	}
	size := 1 << (info - 24)
	if len(d.in) < size {
		return 0, 0, 0, false, errShortCBOR
	}
	var wide [8]byte
	copy(wide[8-size:], d.in[:size])
	d.in = d.in[size:]
	return major, info, binary.BigEndian.Uint64(wide[:]), false, nil
}

func (d *cborDecoder) item(depth int) error {
	if depth > maxDepth {
		return errors.New("decode cbor: nested too deeply")
	}
	major, info, n, indefinite, err := d.head()
	if err != nil {
		return err
	}
	switch major {
	case cborUint:
		d.out = strconv.AppendUint(d.out, n, 10)
	case cborNegint:
		d.out = strconv.AppendInt(d.out, -1-int64(n), 10)
	case cborBytes, cborText:
		return d.text(major, n, indefinite)
	case cborArray, cborMap:
		return d.collection(major, n, indefinite, depth)
	case cborTag:
		return d.tag(n, depth)
	default:
		return d.simple(info, n)
	}
	return nil
}

func (d *cborDecoder) raw(major byte, n uint64, indefinite bool) ([]byte, error) {
	if !indefinite {
		if n > uint64(len(d.in)) {
			return nil, errShortCBOR
		}
		part := d.in[:n]
		d.in = d.in[n:]
		return part, nil
	}
	var whole []byte
	for !d.atBreak() {
		m, _, size, open, err := d.head()
		if err != nil {
			return nil, err
		}
		if m != major || open {
			return nil, errors.New("decode cbor: bad chunk of a string")
		}
		part, err := d.raw(major, size, false)
		if err != nil {
			return nil, err
		}
		whole = append(whole, part...)
	}
	return whole, nil
}

func (d *cborDecoder) text(major byte, n uint64, indefinite bool) error {
	raw, err := d.raw(major, n, indefinite)
	if err != nil {
		return err
	}
	if major == cborBytes {
		d.out = append(d.out, '"')
		d.out = base64.StdEncoding.AppendEncode(d.out, raw)
		d.out = append(d.out, '"')
		return nil
	}
	d.out, err = jsontext.AppendQuote(d.out, raw)
	return err
}

// atBreak consumes the end mark of an indefinite item if it is next.
func (d *cborDecoder) atBreak() bool {
	if len(d.in) > 0 && d.in[0] == 0xff {
		d.in = d.in[1:]
		return true
	}
	return false
}

func (d *cborDecoder) collection(major byte, n uint64, indefinite bool, depth int) error {
	open, end := byte('['), byte(']')
	if major == cborMap {
		open, end = '{', '}'
	}
	d.out = append(d.out, open)
	for i := uint64(0); indefinite || i < n; i++ {
		if indefinite && d.atBreak() {
			break
		}
		if i > 0 {
			d.out = append(d.out, ',')
		}
		if major == cborMap {
			if err := d.key(); err != nil {
				return err
			}
		}
		if err := d.item(depth + 1); err != nil {
			return err
		}
	}
	d.out = append(d.out, end)
	return nil
}

func (d *cborDecoder) key() error {
	major, _, n, indefinite, err := d.head()
	if err != nil {
		return err
	}
	if major != cborText {
		return errors.New("decode cbor: a key of a map is no text")
	}
	err = d.text(major, n, indefinite)
	d.out = append(d.out, ':')
	return err
}

func (d *cborDecoder) tag(number uint64, depth int) error {
	start := len(d.out)
	if err := d.item(depth + 1); err != nil || number != 1 {
		return err
	}
	ms, err := strconv.ParseFloat(string(d.out[start:]), 64)
	if err != nil {
		return errors.New("decode cbor: a time is no number")
	}
	d.out = strconv.AppendFloat(d.out[:start], ms/1000, 'g', -1, 64)
	return nil
}

func (d *cborDecoder) simple(info byte, n uint64) error {
	switch info {
	case 20:
		d.out = append(d.out, "false"...)
	case 21:
		d.out = append(d.out, "true"...)
	case 22, 23:
		d.out = append(d.out, "null"...)
	case 26:
		return d.float(float64(math.Float32frombits(uint32(n))))
	case 27:
		return d.float(math.Float64frombits(n))
	default:
		return fmt.Errorf("decode cbor: no form for simple value %d", info)
	}
	return nil
}

func (d *cborDecoder) float(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return errors.New("decode cbor: not a finite number")
	}
	d.out = strconv.AppendFloat(d.out, f, 'g', -1, 64) // 'f' makes 309 digits of nine bytes
	return nil
}
