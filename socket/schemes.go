package socket

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"errors"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
	"github.com/ringwire/ringwire/transport/ipc"
	"github.com/ringwire/ringwire/transport/tcp"
)

// schemes finds the transport of an endpoint.
type schemes map[string]transport.Transport

// newSchemes returns the built-in transports, with extra ones added or in
// their place.
func newSchemes(extra []transport.Transport) (schemes, error) {
	m := schemes{"tcp": tcp.Transport{}, "ipc": ipc.Transport{}, "inproc": inproc.Default}
	for _, t := range extra {
		switch t.(type) {
		case transport.Stream, *inproc.Network:
			m[t.Scheme()] = t
		default:
			return nil, fmt.Errorf("option Transports has a %T, want a transport.Stream or an *inproc.Network", t)
		}
	}
	return m, nil
}

// find splits an endpoint and checks its syntax.
func (m schemes) find(endpoint string, bind bool) (transport.Transport, string, error) {
	scheme, address, err := transport.Split(endpoint)
	if err != nil {
		return nil, "", err
	}
	switch t := m[scheme].(type) {
	case transport.Stream:
		return t, address, t.Check(address, bind)
	case *inproc.Network:
		return t, address, t.Check(address)
	}
	known := slices.Sorted(maps.Keys(m))
	reason := fmt.Sprintf("%q is unknown, want %s", scheme, strings.Join(known, ", "))
	if scheme == "tls+tcp" {
		reason += "; a transport of package tlstcp in Options.Transports adds it"
	}
	return nil, "", &transport.EndpointError{Endpoint: endpoint, Part: "scheme", Err: errors.ErrUnsupported, Reason: reason}
}
