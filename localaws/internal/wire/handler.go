package wire

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Account is the id of the one account that localaws serves.
const Account = "000000000000"

// maxBody is above the largest request of either service: 16 MiB of
// BatchWriteItem, and 10 MiB of PutRecords once in base64.
const maxBody = 32 << 20

// Handler serves the AWS protocols on top of services.
type Handler struct {
	services map[string]Service
	hook     Hook
	secret   string
	buffers  sync.Pool
}

// NewHandler returns a handler for the services. hook may be nil. Where secret
// is not empty, every request has to be signed with it.
func NewHandler(services []Service, hook Hook, secret string) *Handler {
	byTarget := make(map[string]Service, len(services))
	for _, s := range services {
		byTarget[s.Target()] = s
	}
	return &Handler{services: byTarget, hook: hook, secret: secret, buffers: sync.Pool{
		New: func() any { b := make([]byte, 0, 16<<10); return &b },
	}}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	r := &Request{ID: newRequestID(), Account: Account, Began: time.Now()}
	w.Header()["X-Amzn-Requestid"] = []string{r.ID}
	in := h.buffer()
	defer h.release(in)
	service, auth, err := h.find(hr, r)
	if service != nil {
		w.Header().Set("Date", service.Now().UTC().Format(http.TimeFormat))
	}
	if err == nil {
		*in, err = readBody(w, hr, *in)
		r.Body = *in
	}
	if err == nil && h.secret != "" {
		err = h.verify(hr, service, auth, r)
	}
	if err != nil {
		h.writeError(w, r, err)
		return
	}
	h.serve(hr.Context(), w, service, r)
}

// verify checks the request's signature; a refusal is counted like a call.
func (h *Handler) verify(hr *http.Request, s Service, a authorization, r *Request) error {
	err := a.verify(h.secret, hr, r.Body, s.Name(), s.Now())
	if err != nil && h.hook != nil {
		_ = h.hook.After(hr.Context(), s, r, err) // nothing was carried out that could get lost
	}
	return err
}

// find finds the service, which may be there with an error, and fills the
// request from the headers.
func (h *Handler) find(hr *http.Request, r *Request) (service Service, a authorization, err error) {
	contentType := hr.Header.Get("Content-Type")
	var ok bool
	r.Encoding, ok = encodingOf(contentType)
	target, operation, _ := strings.Cut(hr.Header.Get("X-Amz-Target"), ".")
	if hr.Method != http.MethodPost || target == "" {
		return nil, a, Errorf("UnknownOperationException", "want a POST with an X-Amz-Target header; the admin endpoint is /_localaws/")
	}
	service = h.services[target]
	if service == nil {
		return nil, a, Errorf("UnknownOperationException", "localaws does not serve the target %q", target)
	}
	r.Operation = operation
	a, err = parseAuthorization(hr.Header.Get("Authorization"))
	r.Client, r.Region = a.client, a.region
	if err == nil && !ok {
		err = Errorf("SerializationException", "unknown content type %q", contentType)
	}
	return service, a, err
}

func (h *Handler) serve(ctx context.Context, w http.ResponseWriter, s Service, r *Request) {
	answer, err := h.call(ctx, s, r)
	if errors.Is(err, ErrDrop) {
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.writeError(w, r, err)
		return
	}
	if stream, ok := answer.(Streamer); ok {
		if err := stream.Stream(ctx, w); err != nil {
			panic(http.ErrAbortHandler)
		}
		return
	}
	out := h.buffer()
	defer h.release(out)
	*out, err = r.Encoding.append(*out, answer)
	if err != nil {
		h.writeError(w, r, err)
		return
	}
	writeBody(w, s, r, http.StatusOK, *out)
}

func (h *Handler) call(ctx context.Context, s Service, r *Request) (answer any, err error) {
	if h.hook != nil {
		err = h.hook.Before(ctx, s, r)
	}
	if err == nil {
		// As in AWS, a client that goes away stops nothing that has begun.
		answer, err = s.Serve(context.WithoutCancel(ctx), r)
	}
	if h.hook != nil {
		if late := h.hook.After(ctx, s, r, err); late != nil {
			err = late
		}
	}
	return answer, err
}

func (h *Handler) writeError(w http.ResponseWriter, r *Request, err error) {
	e := AsError(err)
	out, encodeErr := r.Encoding.append(nil, e.body())
	if encodeErr != nil {
		out = nil
	}
	writeBody(w, nil, r, e.status(), out)
}

func writeBody(w http.ResponseWriter, s Service, r *Request, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", string(r.Encoding))
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Encoding == JSON10 || (s != nil && s.Name() == "dynamodb") {
		header.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // no HTML; a client that went away needs no answer
}

func readBody(w http.ResponseWriter, hr *http.Request, into []byte) ([]byte, error) {
	if n := hr.ContentLength; n > int64(cap(into)) && n <= maxBody {
		into = make([]byte, 0, n+1)
	}
	src := http.MaxBytesReader(w, hr.Body, maxBody)
	for {
		if len(into) == cap(into) {
			into = append(into, 0)[:len(into)]
		}
		n, err := src.Read(into[len(into):cap(into)])
		into = into[:len(into)+n]
		if errors.Is(err, io.EOF) {
			return into, nil
		}
		if err != nil {
			return into, bodyError(err)
		}
	}
}

// bodyError tells a body that is too large from one that does not come.
func bodyError(err error) *Error {
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return &Error{Code: "RequestEntityTooLargeException", Message: "request body: " + err.Error(), Status: http.StatusRequestEntityTooLarge}
	}
	return &Error{Code: "RequestTimeoutException", Message: "request body: " + err.Error(), Status: http.StatusRequestTimeout}
}

func (h *Handler) buffer() *[]byte {
	b, ok := h.buffers.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	*b = (*b)[:0]
	return b
}

func (h *Handler) release(b *[]byte) {
	if cap(*b) <= 4<<20 {
		h.buffers.Put(b)
	}
}
