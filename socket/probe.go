package socket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/session"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/transport"
)

// Probe connects to an endpoint, does the handshake, and says what is there:
// protocol version, socket type, identity, metadata. It sends no message, and is
// sent none that somebody else would have received: what it announces is a SUB
// without a subscription, and, when a peer refuses that before it has said what it
// is itself, a PUB, a PUSH and a REQ, to none of which a peer can give a message of
// its own accord. (But for the empty one of ZMQ_PROBE_ROUTER and the welcome message
// of an XPUB, which every peer gets.) With NULL, sockets say what they are at once,
// and one of a type that does not talk to SUB refuses the connection after that: it
// may report a peer of the wrong type. A DEALER, REQ, PUSH or PAIR that waits for
// the other side to speak first stays unknown: only by being sent a message could
// it be found out. Not over inproc; the time is bounded by ctx and HandshakeTimeout.
func Probe(ctx context.Context, endpoint string, opts *Options) (PeerInfo, error) {
	if ctx == nil {
		return PeerInfo{}, fail("probe", endpoint, errNilContext)
	}
	var errs []error
	for _, spec := range harmless {
		info, err := probe(ctx, endpoint, spec, opts)
		if err == nil {
			return info, nil
		}
		errs = append(errs, fmt.Errorf("announcing %s: %w", spec, err))
		if ctx.Err() != nil || !errors.Is(err, errUnanswered) {
			break
		}
	}
	return PeerInfo{}, fail("probe", endpoint, errors.Join(errs...))
}

// harmless are the types that are sent no message before they ask for one, together
// the peers of all types but those that can be sent nothing else.
var harmless = []*pattern.Spec{pattern.Sub, pattern.Pub, pattern.Push, pattern.Req}

// errUnanswered is for a peer that closed the connection in the handshake, as
// libzmq does with a socket type that it does not talk to.
var errUnanswered = errors.New("the peer closed the connection")

func probe(ctx context.Context, endpoint string, spec *pattern.Spec, opts *Options) (PeerInfo, error) {
	s, err := New(spec, opts)
	if err != nil {
		return PeerInfo{}, errors.Unwrap(err)
	}
	defer s.Close()
	t, address, err := s.schemes.find(endpoint, false)
	if err != nil {
		return PeerInfo{}, err
	}
	stream, ok := t.(transport.Stream)
	if !ok {
		return PeerInfo{}, fmt.Errorf("there is no handshake over inproc: %w", errors.ErrUnsupported)
	}
	conn, err := stream.Dial(ctx, address, s.opts.stream())
	if err != nil {
		return PeerInfo{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var deadline time.Time
	if t := s.opts.HandshakeTimeout; t > 0 {
		deadline = time.Now().Add(t)
	}
	began := time.Now()
	sess, err := session.Handshake(conn, &s.session, deadline)
	switch {
	case ctx.Err() != nil:
		return PeerInfo{}, ctx.Err()
	case errors.Is(err, ringwire.ErrProtocol), errors.Is(err, ringwire.ErrRejected):
		return PeerInfo{}, err
	case err != nil:
		return PeerInfo{}, fmt.Errorf("%w: %w", errUnanswered, err)
	}
	p := &peer{s: s, endpoint: endpoint, since: began}
	p.end = pipe.NewEnd(s.group, s.pipeConfig(false), nil, p)
	meta := sess.Properties()
	kind, _ := meta.Get(zmtp.PropertySocketType)
	identity, _ := meta.Get(zmtp.PropertyIdentity)
	p.end.Info = pipe.Info{
		Identity: identity, SocketType: string(kind), Local: addr(conn.LocalAddr()), Remote: addr(conn.RemoteAddr()),
		Mechanism: s.session.Mechanism.Name(), Minor31: sess.Minor31(), Metadata: meta,
	}
	s.group.Lock()
	defer s.group.Unlock()
	return s.describe(p), nil
}
