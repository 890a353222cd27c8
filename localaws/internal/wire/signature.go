package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Of Signature Version 4: see "Create a signed AWS API request", IAM user guide.
const (
	algorithm     = "AWS4-HMAC-SHA256"
	terminator    = "aws4_request"
	amzTime       = "20060102T150405Z"
	signatureLife = 5 * time.Minute
)

const (
	errSignature = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
		"Consult the service documentation for details."
	codeSignature  = "InvalidSignatureException"
	codeIncomplete = "IncompleteSignatureException"
)

// authorization is a header of Signature Version 4,
//
//	AWS4-HMAC-SHA256 Credential=<key id>/<date>/<region>/<service>/aws4_request, SignedHeaders=<names>, Signature=<hex>
type authorization struct {
	client, day, region, service string

	headers   []string // the names that are signed, as they stand there
	signature string
}

// parseAuthorization reads a header as far as its credential, which it must
// have; what else is missing only the check of the signature misses.
func parseAuthorization(header string) (authorization, error) {
	var a authorization
	if header == "" {
		return a, Errorf("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	members := make(map[string]string, 3)
	for member := range strings.SplitSeq(strings.TrimPrefix(header, algorithm), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		members[name] = value
	}
	if members["Credential"] == "" {
		return a, Errorf(codeIncomplete, "Authorization header requires 'Credential' parameter.")
	}
	parts := strings.Split(members["Credential"], "/")
	n := len(parts)
	if n < 5 || parts[0] == "" {
		return a, Errorf(codeIncomplete, "Credential must have at least 5 slash-delimited elements")
	}
	a = authorization{client: strings.Join(parts[:n-4], "/"), day: parts[n-4], region: parts[n-3], service: parts[n-2], signature: members["Signature"]}
	if names := members["SignedHeaders"]; names != "" {
		a.headers = strings.Split(names, ";")
	}
	return a, nil
}

// verify checks a signature over the request as it was received, and its date
// against the service's clock.
func (a *authorization) verify(secret string, r *http.Request, body []byte, service string, now time.Time) error {
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(amzTime, date)
	switch {
	case a.signature == "" || len(a.headers) == 0:
		return Errorf(codeIncomplete, "Authorization header requires 'Signature' and 'SignedHeaders' parameters.")
	case err != nil:
		return Errorf(codeIncomplete, "Date must be in ISO-8601 'basic format'. Got '%s'.", date)
	case at.Format("20060102") != a.day:
		return Errorf(codeSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.", a.day, at.Format("20060102"))
	case a.service != service:
		return Errorf(codeSignature, "Credential should be scoped to correct service: '%s'.", service)
	case at.Before(now.Add(-signatureLife)):
		return Errorf(codeSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)", date, now.Add(-signatureLife).UTC().Format(amzTime), now.UTC().Format(amzTime))
	case at.After(now.Add(signatureLife)):
		return Errorf(codeSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)", date, now.Add(signatureLife).UTC().Format(amzTime), now.UTC().Format(amzTime))
	}
	if name := a.unsigned(r.Header); name != "" {
		return Errorf(codeSignature, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
	}
	if want := a.sign(secret, date, a.canonical(r, body)); !hmac.Equal([]byte(want), []byte(a.signature)) {
		return Errorf(codeSignature, errSignature)
	}
	return nil
}

// unsigned returns a header that has to be signed and is not; "" if there is
// none.
func (a *authorization) unsigned(h http.Header) string {
	if !slices.Contains(a.headers, "host") {
		return "host"
	}
	for name := range h {
		name = strings.ToLower(name)
		if (name == "content-type" || strings.HasPrefix(name, "x-amz-")) && !slices.Contains(a.headers, name) {
			return name
		}
	}
	return ""
}

// canonical is the canonical form of a request.
func (a *authorization) canonical(r *http.Request, body []byte) []byte {
	path := (&url.URL{Path: r.URL.EscapedPath()}).EscapedPath() // escaped once more, as everywhere but in S3
	b := append([]byte(r.Method+"\n"+path+"\n"), strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")...)
	b = append(b, '\n')
	for _, name := range a.headers {
		b = append(append(append(append(b, name...), ':'), headerValue(r, name)...), '\n')
	}
	b = append(append(append(b, '\n'), strings.Join(a.headers, ";")...), '\n')
	digest := sha256.Sum256(body)
	return hex.AppendEncode(b, digest[:])
}

// headerValue is a header as it is signed: values joined by commas, without
// needless spaces.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// sign returns the signature of a canonical request in hexadecimal digits.
func (a *authorization) sign(secret, date string, canonical []byte) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.day, a.region, a.service, terminator} {
		key = hmacOf(key, part)
	}
	digest := sha256.Sum256(canonical)
	scope := a.day + "/" + a.region + "/" + a.service + "/" + terminator
	return hex.EncodeToString(hmacOf(key, algorithm+"\n"+date+"\n"+scope+"\n"+hex.EncodeToString(digest[:])))
}

func hmacOf(key []byte, data string) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(data)) // never fails
	return m.Sum(nil)
}
