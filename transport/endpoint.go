package transport

import (
	"fmt"
	"strings"
)

// EndpointError says which part of an endpoint cannot be used, and why.
type EndpointError struct {
	Endpoint string // the whole endpoint, scheme included when it is known
	Part     string // the part at fault: "scheme", "host", "port", "path"
	Reason   string // what is wrong with it and what is accepted, as a clause after Part
	Err      error  // a sentinel that also holds, such as errors.ErrUnsupported; usually nil
}

// Error is one line: `endpoint "tcp://:5555": host is empty, want ...`.
func (e *EndpointError) Error() string {
	return fmt.Sprintf("endpoint %q: %s %s", e.Endpoint, e.Part, e.Reason)
}

// Unwrap returns Err.
func (e *EndpointError) Unwrap() error { return e.Err }

// Split cuts an endpoint at its first "://".
//
// The scheme must be a lower-case letter followed by lower-case letters,
// digits, '+', '-' or '.', the address must not be empty; anything else is an
// [*EndpointError]. Whether the scheme is known, and what the address means,
// is not decided here.
func Split(endpoint string) (scheme, address string, err error) {
	scheme, address, found := strings.Cut(endpoint, "://")
	switch {
	case !found:
		return "", "", &EndpointError{Endpoint: endpoint, Part: "scheme", Reason: `is not marked by "://", want scheme://address`}
	case scheme == "":
		return "", "", &EndpointError{Endpoint: endpoint, Part: "scheme", Reason: "is empty, want scheme://address"}
	case !isScheme(scheme):
		return "", "", &EndpointError{Endpoint: endpoint, Part: "scheme",
			Reason: fmt.Sprintf("%q is not a word, want lower-case letters, digits, '+', '-' or '.', a letter first", scheme)}
	case address == "":
		return "", "", &EndpointError{Endpoint: endpoint, Part: "address", Reason: `is empty, want something after "://"`}
	}
	return scheme, address, nil
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z'
		later := '0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'
		if !letter && (i == 0 || !later) {
			return false
		}
	}
	return s != ""
}
