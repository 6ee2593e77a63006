package main

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/ipc"
	"github.com/ringwire/ringwire/transport/tcp"
)

// endpoint is where to bind or to connect.
type endpoint struct {
	address  string // with its scheme
	connects bool
}

const connectPrefix = "connect:"

func (e endpoint) String() string {
	if e.connects {
		return connectPrefix + e.address
	}
	return e.address
}

// parseEndpoint checks the syntax and does no I/O.
func parseEndpoint(t string) (endpoint, error) {
	var e endpoint
	e.address, e.connects = strings.CutPrefix(strings.TrimSpace(t), connectPrefix)
	return e, checkAddress(e.address, !e.connects)
}

// checkAddress refuses what cannot join two processes.
func checkAddress(address string, bind bool) error {
	scheme, rest, err := transport.Split(address)
	if err == nil {
		switch scheme {
		case "tcp":
			err = tcp.Transport{}.Check(rest, bind)
		case "ipc":
			err = ipc.Transport{}.Check(rest, bind)
		default:
			return &valueError{fmt.Sprintf("%q", address), "tcp://host:port or ipc://path"}
		}
	}
	if err != nil {
		if !strings.Contains(address, "://") && checkAddress("tcp://"+address, bind) == nil {
			return fmt.Errorf("is wrong: %w; tcp://%s?", err, address)
		}
		return fmt.Errorf("is wrong: %w", err)
	}
	return nil
}

// exposed says why a bound endpoint is reachable from other machines; it is
// empty if it is not. ipc has file permissions.
func (e endpoint) exposed() string {
	rest, ok := strings.CutPrefix(e.address, "tcp://")
	if e.connects || !ok {
		return ""
	}
	host, _, err := net.SplitHostPort(rest)
	if err != nil {
		host = rest
	}
	return exposedHost(host)
}

// reachable says of an address as it was bound, tcp:// or http:// with host and port,
// where to connect. Nobody connects to all addresses, and a peer without IPv6, as
// libzmq is by default, not even to "[::]".
func reachable(bound string) string {
	for _, all := range []string{"://[::]:", "://0.0.0.0:"} {
		if scheme, port, ok := strings.Cut(bound, all); ok {
			return scheme + "://127.0.0.1:" + port + " (or any address of this machine)"
		}
	}
	return bound
}

// exposedHost is the same of a host. Of names only localhost and those of
// loopback interfaces pass: what others resolve to may change.
func exposedHost(host string) string {
	if host == "" || host == "*" {
		return "every interface of this machine"
	}
	if host == "localhost" {
		return ""
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.Unmap().IsLoopback() {
			return ""
		}
		return "an address that is not loopback"
	}
	if i, err := net.InterfaceByName(host); err == nil && i.Flags&net.FlagLoopback != 0 {
		return ""
	}
	return "a name that may not be loopback"
}

// endpoints are those of one side.
type endpoints struct{ list []endpoint }

func (v *endpoints) isList() bool { return true }

func (v *endpoints) String() string {
	words := make([]string, len(v.list))
	for i, e := range v.list {
		words[i] = e.String()
	}
	return strings.Join(words, ",")
}

func (v *endpoints) parse(texts []string) error {
	var list []endpoint
	for _, t := range texts {
		e, err := parseEndpoint(t)
		if err != nil {
			return err
		}
		if slices.Contains(list, e) {
			return fmt.Errorf("has %s twice", e)
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return &valueError{"empty", "at least one endpoint"}
	}
	v.list = list
	return nil
}

// changes are what leads from v to next.
func (v *endpoints) changes(next *endpoints) (added, removed []endpoint) {
	for _, e := range next.list {
		if !slices.Contains(v.list, e) {
			added = append(added, e)
		}
	}
	for _, e := range v.list {
		if !slices.Contains(next.list, e) {
			removed = append(removed, e)
		}
	}
	return added, removed
}
