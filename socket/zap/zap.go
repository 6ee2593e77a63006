// Package zap asks a handler of the ZeroMQ Authentication Protocol (ZAP 1.0, RFC
// 27) who may connect, for programs that have one: a REP or ROUTER socket bound to
// inproc://zeromq.zap.01 in the same process. New programs need none of it: a
// socket.Authenticator is a function.
package zap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// Endpoint is where a handler is bound.
const Endpoint = "inproc://zeromq.zap.01"

// version is ZAP's.
const version = "1.0"

// The status codes of a reply.
const (
	statusOK        = "200"
	statusTemporary = "300"
	statusDenied    = "400"
	statusError     = "500"
)

var last atomic.Uint64 // number of the last request of this process

// Authenticator returns a socket.Authenticator that asks the handler at Endpoint,
// for the given domain, which must not be empty: RFC 27 has domains tell one
// service from another. Transports are those of the handler's socket, if it has a
// private inproc network; none: the process-wide one.
//
// Everything but a well-formed 200 denies: another status, a reply that is not what
// RFC 27 says, no reply in time, no handler. Only after a 400 is the peer told so;
// after all else it may try again. The principal is the reply's user id.
func Authenticator(domain string, transports ...transport.Transport) (socket.Authenticator, error) {
	if domain == "" {
		return nil, errors.New("zap: the domain is empty, want a name such as \"global\"")
	}
	return func(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		v, err := ask(ctx, domain, transports, c)
		if err != nil {
			return ringwire.Verdict{}, fmt.Errorf("zap: %w", err)
		}
		return v, nil
	}, nil
}

func ask(ctx context.Context, domain string, transports []transport.Transport, c ringwire.Credentials) (ringwire.Verdict, error) {
	s, err := socket.New(pattern.Req, &socket.Options{Transports: transports, NoLinger: true})
	if err != nil {
		return ringwire.Verdict{}, err
	}
	defer s.Close()
	if err := s.Connect(Endpoint); err != nil {
		return ringwire.Verdict{}, err
	}
	id := strconv.FormatUint(last.Add(1), 10)
	m, err := s.Do(ctx, request(id, domain, c)...)
	if err != nil {
		return ringwire.Verdict{}, fmt.Errorf("no answer from a handler at %s: %w", Endpoint, err)
	}
	defer m.Release()
	return reply(m, id)
}

// request is what RFC 27 asks, behind the empty frame that a REQ adds.
func request(id, domain string, c ringwire.Credentials) [][]byte {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		host = c.Address
	}
	frames := [][]byte{[]byte(version), []byte(id), []byte(domain), []byte(host), nil, []byte(c.Mechanism)}
	switch c.Mechanism {
	case "PLAIN":
		frames = append(frames, []byte(c.Username), []byte(c.Password))
	case "CURVE":
		frames = append(frames, c.PublicKey)
	}
	return frames
}

// reply takes a handler at its word only if it says exactly what it must.
func reply(m *ringwire.Message, id string) (ringwire.Verdict, error) {
	if n := m.Len(); n != 6 {
		return ringwire.Verdict{}, fmt.Errorf("a reply of %d frames, want 6", n)
	}
	if got := string(m.Frame(0)); got != version {
		return ringwire.Verdict{}, fmt.Errorf("a reply of version %.20q, want %q", got, version)
	}
	if got := string(m.Frame(1)); got != id {
		return ringwire.Verdict{}, fmt.Errorf("a reply to request %.20q, want %q", got, id)
	}
	status, text := string(m.Frame(2)), m.Frame(3)
	switch status {
	case statusOK:
		return ringwire.Verdict{Allow: true, Principal: string(m.Frame(4))}, nil
	case statusDenied:
		return ringwire.Verdict{}, fmt.Errorf("status %s: %.100q: %w", status, text, ringwire.ErrRejected)
	case statusTemporary, statusError:
		return ringwire.Verdict{}, fmt.Errorf("status %s: %.100q", status, text)
	}
	return ringwire.Verdict{}, fmt.Errorf("a reply with status %.20q, want 200, 300, 400 or 500", status)
}
