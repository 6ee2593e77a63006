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
// protocol version, socket type, identity, metadata. It sends no message. It
// announces a DEALER, and when a peer refuses that without a word, a SUB and a
// PUSH. tcp and ipc; the time is bounded by ctx and HandshakeTimeout.
func Probe(ctx context.Context, endpoint string, opts *Options) (PeerInfo, error) {
	if ctx == nil {
		return PeerInfo{}, fail("probe", endpoint, errNilContext)
	}
	var errs []error
	for _, spec := range []*pattern.Spec{pattern.Dealer, pattern.Sub, pattern.Push} {
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
