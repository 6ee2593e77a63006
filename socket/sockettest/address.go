package sockettest

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/ringwire/ringwire/transport"
)

// scheme is that of all endpoints.
const scheme = "mem"

// addr is "host:port".
type addr string

func (addr) Network() string  { return scheme }
func (a addr) String() string { return string(a) }

func makeAddr(host string, port int) addr { return addr(net.JoinHostPort(host, strconv.Itoa(port))) }

// place is an address, parsed.
type place struct {
	host string
	port int // 0: to be chosen
}

// parse reads an address that own binds to or connects to. Its error is a
// *transport.EndpointError.
func parse(own, address string, bind bool) (place, error) {
	wrong := func(part, reason string) (place, error) {
		return place{}, &transport.EndpointError{Endpoint: scheme + "://" + address, Part: part, Reason: reason}
	}
	colon := strings.LastIndexByte(address, ':')
	if colon < 0 {
		return wrong("port", "is missing, want host:port")
	}
	name, digits := address[:colon], address[colon+1:]
	if bind && name == "*" {
		name = own
	}
	switch {
	case !isName(name):
		return wrong("host", fmt.Sprintf("%q is no name, want letters, digits, '-', '.' and '_'", name))
	case bind && name != own:
		return wrong("host", fmt.Sprintf("%q is another one, want %q or *", name, own))
	case bind && digits == "*":
		return place{host: name}, nil
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	switch {
	case bind && err != nil:
		return wrong("port", fmt.Sprintf("%q is no port, want 0 to 65535 or *", digits))
	case !bind && (err != nil || port == 0):
		return wrong("port", fmt.Sprintf("%q is no port, want 1 to 65535", digits))
	}
	return place{host: name, port: int(port)}, nil
}

func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && ('0' > c || c > '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != ""
}
