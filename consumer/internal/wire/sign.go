package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Of Signature Version 4: see "Create a signed AWS API request", IAM user guide.
const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	longTime   = "20060102T150405Z"
	shortTime  = "20060102"
)

// signing signs the requests of one operation as the SDK's signer does, which
// sorts and builds anew what is the same in all of them. A test compares the
// two.
type signing struct {
	accept, contentType, target string
	host, region, service       string

	mu     sync.Mutex
	secret string // what key was made of
	day    string
	key    []byte
}

// sign sets the headers of a signature; digest is of the body.
func (s *signing) sign(h http.Header, c aws.Credentials, length int, digest [sha256.Size]byte, now time.Time) {
	at := now.UTC().Format(longTime)
	day := at[:len(shortTime)]
	b := make([]byte, 0, 1024+len(c.SessionToken))
	b = append(b, "POST\n/\n\naccept-encoding:"...)
	b = append(b, s.accept...)
	names := "accept-encoding"
	if length > 0 {
		b = append(b, "\ncontent-length:"...)
		b = strconv.AppendInt(b, int64(length), 10)
		names += ";content-length"
	}
	names += ";content-type;host;x-amz-date;"
	b = append(b, "\ncontent-type:"...)
	b = append(b, s.contentType...)
	b = append(b, "\nhost:"...)
	b = append(b, s.host...)
	b = append(b, "\nx-amz-date:"...)
	b = append(b, at...)
	if c.SessionToken != "" {
		h["X-Amz-Security-Token"] = []string{c.SessionToken}
		b = append(b, "\nx-amz-security-token:"...)
		b = append(b, c.SessionToken...)
		names += "x-amz-security-token;"
	}
	names += "x-amz-target"
	b = append(b, "\nx-amz-target:"...)
	b = append(b, s.target...)
	b = append(b, "\n\n"...)
	b = append(b, names...)
	b = append(b, '\n')
	b = hex.AppendEncode(b, digest[:])
	canonical := sha256.Sum256(b)

	scope := day + "/" + s.region + "/" + s.service + "/" + terminator
	b = append(append(append(append(b[:0], algorithm+"\n"...), at...), '\n'), scope...)
	b = hex.AppendEncode(append(b, '\n'), canonical[:])
	mac := hmacOf(s.keyOf(c.SecretAccessKey, day), b)

	b = append(append(append(b[:0], algorithm+" Credential="...), c.AccessKeyID...), '/')
	b = append(append(append(b, scope...), ", SignedHeaders="...), names...)
	b = hex.AppendEncode(append(b, ", Signature="...), mac)
	h["X-Amz-Date"], h["Authorization"] = []string{at}, []string{string(b)}
}

// keyOf returns the signing key, which changes once a day and with the
// credentials.
func (s *signing) keyOf(secret, day string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil || s.secret != secret || s.day != day {
		key := hmacOf([]byte("AWS4"+secret), []byte(day))
		key = hmacOf(key, []byte(s.region))
		key = hmacOf(key, []byte(s.service))
		s.secret, s.day, s.key = secret, day, hmacOf(key, []byte(terminator))
	}
	return s.key
}

func hmacOf(key, data []byte) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write(data) // never fails
	return m.Sum(nil)
}
