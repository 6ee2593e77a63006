package typed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ringwire/ringwire"
)

// What Client and Server say to each other is an empty frame, which ends the envelope
// of any devices in between, a header, and a body that depends on its kind:
//
//	offset  bytes
//	0       1      version, 1
//	1       1      kind: 'Q' request, 'C' cancel, 'R' reply, 'E' error
//	2       8      number of the request, big-endian
//	10      8      'Q' only: microseconds until the client gives up, big-endian; 0: never
//
//	'Q'  one frame, the request's value
//	'C'  nothing
//	'R'  one frame, the reply's value
//	'E'  two frames, a code and a text
const (
	wireVersion = 1

	kindRequest = 'Q'
	kindCancel  = 'C'
	kindReply   = 'R'
	kindError   = 'E'

	headerSize        = 10
	requestHeaderSize = 18
)

// header is what the header frame says.
type header struct {
	kind    byte
	number  uint64
	timeout time.Duration // of a request; 0: none
}

func (h header) append(dst []byte) []byte {
	dst = append(dst, wireVersion, h.kind)
	dst = binary.BigEndian.AppendUint64(dst, h.number)
	if h.kind == kindRequest {
		// Rounded up: something is left of a timeout that is not 0.
		dst = binary.BigEndian.AppendUint64(dst, uint64((h.timeout+time.Microsecond-1)/time.Microsecond))
	}
	return dst
}

// parseHeader reads a header. With an error, the number is what could be read of it.
func parseHeader(b []byte) (h header, err error) {
	if len(b) >= headerSize {
		h.kind, h.number = b[1], binary.BigEndian.Uint64(b[2:])
	}
	size := headerSize
	if len(b) > 1 && b[1] == kindRequest {
		size = requestHeaderSize
	}
	switch {
	case len(b) > 0 && b[0] != wireVersion:
		return h, fmt.Errorf("not a typed request, see docs/typed.md: header has version %d, want %d", b[0], wireVersion)
	case len(b) != size:
		return h, fmt.Errorf("header has %d bytes, want %d", len(b), size)
	}
	if h.kind == kindRequest {
		micros := binary.BigEndian.Uint64(b[headerSize:])
		h.timeout = time.Duration(min(micros, math.MaxInt64/uint64(time.Microsecond))) * time.Microsecond
	}
	return h, nil
}

// envelope is the index of the empty frame at the end of the envelope, or -1.
func envelope(m *ringwire.Message) int {
	for i := range m.Len() {
		if len(m.Frame(i)) == 0 {
			return i
		}
	}
	return -1
}

// Codes of an Error that the library gives. Handlers may use others.
const (
	CodeHandler    = "handler"     // the handler returned an error that is no *Error
	CodePanic      = "panic"       // the handler panicked; the server's log says more
	CodeBadRequest = "bad-request" // the server could not read the request
	CodeBusy       = "busy"        // the server has too many requests waiting
	CodeStopping   = "stopping"    // the server is shutting down and takes no more requests
	CodeCancelled  = "cancelled"   // the handler was cancelled
	CodeDeadline   = "deadline"    // the handler's time was over
)

// Error is an error that crosses the wire: what Client.Call returns when the server
// answered with an error. A handler that returns one, or an error that wraps one,
// chooses its code and text; any other error arrives as CodeHandler and its text. It is
// context.DeadlineExceeded for CodeDeadline, and context.Canceled for CodeCancelled.
type Error struct {
	Code string
	Text string
}

func (e *Error) Error() string { return "typed: the server answered " + e.Code + ": " + e.Text }

// Is makes the codes of contexts the errors of contexts.
func (e *Error) Is(target error) bool {
	return e.Code == CodeDeadline && target == context.DeadlineExceeded ||
		e.Code == CodeCancelled && target == context.Canceled
}

// toWire is the form of a handler's error that the client is told.
func toWire(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	code := CodeHandler
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		code = CodeDeadline
	case errors.Is(err, context.Canceled):
		code = CodeCancelled
	}
	return &Error{code, err.Error()}
}

// ErrLost is what Client.Call returns when the connection to the server was lost after
// the request had been sent: it may have been handled, or not.
var ErrLost = errors.New("typed: connection lost, the request may have been handled or not")
