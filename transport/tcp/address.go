package tcp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ringwire/ringwire/transport"
)

// place is a host and a port, as written.
type place struct {
	host string     // "" for "*"; without brackets
	ip   netip.Addr // valid when host is an address
	port uint16     // 0 also for "*"
}

// named says that host is neither a wildcard nor an address.
func (p *place) named() bool { return p.host != "" && !p.ip.IsValid() }

// target is a whole address.
type target struct {
	place
	source *place // nil without "SRC;"
}

// role is where in an address a place stands, which decides what it may be.
type role int

const (
	bound  role = iota // behind tcp:// on a bind
	source             // before ';' on a connect
	remote             // behind tcp:// or ';' on a connect
)

// hostWant and portWant say what each role accepts, for error texts.
var (
	hostWant = [...]string{
		bound:  "*, an address, a name or an interface",
		source: "*, an address or an interface",
		remote: "an address or a name",
	}
	portWant = [...]string{bound: "0 to 65535 or *", source: "0 to 65535 or *", remote: "1 to 65535"}
)

// parse reads an address without any I/O. Its error is an EndpointError.
func parse(address string, bind bool) (target, error) {
	var parsed target
	if bind {
		where, part, reason := parsePlace(address, bound)
		if reason == "" {
			return target{place: where}, nil
		}
		return parsed, wrong(address, part, reason)
	}
	before, after, sourced := strings.Cut(address, ";")
	if !sourced {
		before, after = "", address
	}
	if sourced {
		where, part, reason := parsePlace(before, source)
		if reason != "" {
			return target{}, wrong(address, "source "+part, reason)
		}
		parsed.source = &where
	}
	where, part, reason := parsePlace(after, remote)
	if reason != "" {
		return target{}, wrong(address, part, reason)
	}
	parsed.place = where
	return parsed, nil
}

func wrong(address, part, reason string) error {
	return &transport.EndpointError{Endpoint: "tcp://" + address, Part: part, Reason: reason}
}

// parsePlace reads HOST:PORT. An empty reason means success.
func parsePlace(s string, as role) (where place, part, reason string) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 || strings.HasSuffix(s, "]") {
		return where, "port", "is missing, want host:port"
	}
	host, port := s[:colon], s[colon+1:]
	if reason := where.parseHost(host, as); reason != "" {
		return place{}, "host", reason
	}
	if reason := where.parsePort(port, as); reason != "" {
		return place{}, "port", reason
	}
	return where, "", ""
}

func (p *place) parsePort(s string, as role) (reason string) {
	want := portWant[as]
	switch {
	case s == "":
		return "is empty, want " + want
	case s == "*" && as != remote:
		return ""
	case s == "*":
		return "is *, which only a bind or a source can use, want " + want
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return fmt.Sprintf("%q is not a decimal number, want %s", s, want)
		}
	}
	number, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return fmt.Sprintf("%q is out of range, want %s", s, want)
	}
	if number == 0 && as == remote {
		return "is 0, which only a bind or a source can use, want " + want
	}
	p.port = uint16(number)
	return ""
}

func (p *place) parseHost(s string, as role) (reason string) {
	want := hostWant[as]
	switch {
	case s == "":
		return "is empty, want " + want
	case s == "*" && as != remote:
		return ""
	case s == "*":
		return "is *, which only a bind or a source can use, want " + want
	case s[0] == '[':
		return p.parseIPv6(s)
	case strings.Contains(s, ":"):
		return fmt.Sprintf("%q has a colon, want an IPv6 address in brackets, as in [::1]:5555", s)
	case strings.Trim(s, "0123456789.") == "":
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return fmt.Sprintf("%q is not an IPv4 address, want four numbers of 0 to 255", s)
		}
		p.host, p.ip = s, ip
		return ""
	}
	if reason := checkName(s, as); reason != "" {
		return fmt.Sprintf("%q %s, want %s", s, reason, want)
	}
	p.host = s
	return ""
}

func (p *place) parseIPv6(s string) (reason string) {
	inside, closed := strings.CutSuffix(s[1:], "]")
	if !closed {
		return fmt.Sprintf("%q has no closing bracket, want [IPv6]", s)
	}
	ip, err := netip.ParseAddr(inside)
	if err != nil || !ip.Is6() {
		return fmt.Sprintf("%q is not an IPv6 address, want one in the brackets", s)
	}
	if zone := ip.Zone(); zone != "" {
		reason := checkName(zone, source)
		if strings.Trim(zone, "0") == "" {
			reason = "is 0"
		}
		if reason != "" {
			return fmt.Sprintf("%q has a zone that %s, want the name or the number of an interface", s, reason)
		}
	}
	p.ip = ip.Unmap()
	p.host = p.ip.String()
	return ""
}

// maxName is the longest host name that DNS can carry (RFC 1035 2.3.4), with
// a final dot.
const maxName = 254

// checkName accepts what a resolver may be asked; where an interface is
// possible it also accepts what systems let interfaces be called.
func checkName(s string, as role) (reason string) {
	if len(s) > maxName {
		return fmt.Sprintf("is %d bytes long, more than a name can have", len(s))
	}
	if !utf8.ValidString(s) {
		return "is not UTF-8"
	}
	for _, r := range s {
		plain := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '-' || r == '_'
		interfaceOnly := as != remote && unicode.IsPrint(r) && !strings.ContainsRune(`*%[]/\;`, r)
		if !plain && !interfaceOnly {
			return fmt.Sprintf("contains %q", r)
		}
	}
	if strings.TrimSpace(s) != s {
		return "begins or ends with a space"
	}
	return ""
}
