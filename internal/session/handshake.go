package session

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	ringwire "github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// Handshake exchanges greetings and runs the mechanism, until the absolute
// deadline (none if zero). On failure the caller closes conn. It keeps config,
// which must not change any more.
func Handshake(conn net.Conn, config *Config, deadline time.Time) (*Session, error) {
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	s := &Session{
		config:  config,
		conn:    conn,
		dec:     zmtp.NewDecoder(zmtp.Limits{MaxMessage: security.DefaultHandshakeBytes}),
		closing: make(chan struct{}),
	}
	if err := s.greet(); err != nil {
		return nil, timeoutError(fmt.Errorf("greeting: %w", err))
	}
	if err := s.secure(); err != nil {
		return nil, timeoutError(fmt.Errorf("%s handshake: %w", config.Mechanism.Name(), err))
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	s.dec.SetLimits(config.Limits)
	if s.sink = s.dec; !s.mech.Clear() {
		s.unseal()
	}
	s.spin.Init(config.SpinTurns)
	s.lease.init(s)
	s.tail.init(s)
	s.io = newConduit(conn)
	return s, nil
}

// timeoutError says what a deadline in a handshake means.
func timeoutError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the peer did not finish it in time: %w", err)
	}
	return err
}

// greet sends our whole greeting at once and reads the peer's in whatever
// pieces it comes, never more than belongs to it. A peer that is not one of
// ours is refused at the first byte that shows it.
func (s *Session) greet() error {
	var out [zmtp.GreetingSize]byte
	g := zmtp.Greeting{Major: zmtp.VersionMajor, Minor: zmtp.VersionMinor, Mechanism: s.config.Mechanism.Name()}
	_, g.AsServer = s.config.Mechanism.(security.Judging)
	if _, err := s.conn.Write(zmtp.AppendGreeting(out[:0], g)); err != nil {
		return err
	}
	var in [zmtp.GreetingSize]byte
	for n := 0; ; {
		peer, size, err := zmtp.ParseGreeting(in[:n])
		if err != nil {
			return err
		}
		if size > 0 {
			if peer.Mechanism != g.Mechanism {
				return fmt.Errorf("the peer's mechanism is %s, ours is %s, want the same on both sides, see option Mechanism: %w",
					peer.Mechanism, g.Mechanism, ringwire.ErrRejected)
			}
			if g.AsServer && peer.AsServer {
				return fmt.Errorf("both sides are %s servers, want one of them to be the client: %w", g.Mechanism, ringwire.ErrRejected)
			}
			s.minor31 = peer.AtLeast31()
			return nil
		}
		k, err := s.conn.Read(in[n:])
		if n += k; k == 0 && err != nil {
			return hungUp(cutOff(err), g.Mechanism)
		}
	}
}

// hungUp adds to the end of a greeting, before the peer's mechanism was seen, what it
// may mean. libzmq closes the connection when it sees another mechanism than its own,
// often before a byte of its greeting was sent.
func hungUp(err error, mechanism string) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w; the peer's mechanism was not seen, ours is %s: libzmq hangs up like this when the two differ, see option Mechanism", err, mechanism)
}

// secure runs the mechanism's commands. What the peer sent behind them stays
// in the decoder, or is the first of what is sealed.
func (s *Session) secure() error {
	if err := s.admit(); err != nil {
		return err
	}
	s.mech = s.config.Mechanism.New(s.config.Metadata, security.Limits{})
	out, err := s.mech.Start(nil)
	if err != nil {
		return err
	}
	var m msg.Message
	for left := security.DefaultHandshakeBytes; ; {
		out, err = s.judge(out)
		if len(out) > 0 { // an error may leave the mechanism's last word
			if _, werr := s.conn.Write(out); werr != nil && err == nil {
				return werr
			}
			out = out[:0]
		}
		if err != nil {
			return err
		}
		if s.mech.Done() {
			return nil
		}
		item, ierr := s.dec.Next(&m)
		switch {
		case ierr != nil:
			return ierr
		case item == zmtp.Message:
			return fmt.Errorf("a message before the handshake was complete: %w", ringwire.ErrProtocol)
		case item == zmtp.Command:
			if out, err = s.mech.Handle(out, s.dec.Command()); err != nil {
				if len(out) > 0 {
					s.conn.Write(out) // the mechanism's last word; we close either way
				}
				return err
			}
			continue
		}
		if left <= 0 {
			return fmt.Errorf("more than %d bytes: %w", security.DefaultHandshakeBytes, ringwire.ErrTooLarge)
		}
		space := s.dec.Space()
		n, err := s.conn.Read(space[:min(len(space), left)])
		s.dec.Filled(n)
		if left -= n; n == 0 && err != nil {
			return s.explained(cutOff(err))
		}
	}
}

// explained adds to the end of a handshake what it may mean.
func (s *Session) explained(err error) error {
	if e, ok := s.mech.(security.Explainer); ok {
		if why := e.Explain(); why != "" {
			return fmt.Errorf("%w; %s", err, why)
		}
	}
	return err
}

// locate fills in what the transport knows of the peer.
func (s *Session) locate(c *ringwire.Credentials) {
	c.Address = s.remote()
	switch conn := s.conn.(type) {
	case *net.UnixConn:
		c.Process = process(conn)
	case interface{ PeerCertificate() ([]byte, string) }:
		c.Certificate, c.Subject = conn.PeerCertificate()
	}
}

// admit asks about a peer of NULL, which proves nothing but where it is and what the
// transport has verified. For what it is told if it is not let in see judge.
func (s *Session) admit() error {
	c := ringwire.Credentials{Mechanism: s.config.Mechanism.Name()}
	s.locate(&c)
	if _, null := s.config.Mechanism.(security.Null); !null || s.config.Judge == nil {
		s.peer = c.Subject
		return nil
	}
	v, reason := s.config.Judge(c)
	if v.Allow && reason == nil {
		s.peer = v.Principal
		return nil
	}
	if out, err := zmtp.AppendError(nil, security.DeniedReason); err == nil && told(reason) {
		s.conn.Write(out) // we close either way
	}
	return because(fmt.Errorf("the peer at %s: not allowed by the Authenticator: %w", s.remote(), ringwire.ErrRejected), reason)
}

// judge answers a mechanism that asks for a verdict. A peer that is refused is sent
// an ERROR, after which libzmq never comes back. One of which nothing could be found
// out is not: it may be let in the next time (RFC 27 has status 300 for that).
func (s *Session) judge(out []byte) ([]byte, error) {
	asker, ok := s.mech.(security.Asker)
	if !ok {
		return out, nil
	}
	c, pending := asker.Pending()
	if !pending {
		return out, nil
	}
	s.locate(&c)
	var v ringwire.Verdict
	var reason error
	if s.config.Judge != nil {
		v, reason = s.config.Judge(c)
	}
	v.Allow = v.Allow && reason == nil
	s.peer = v.Principal
	before := len(out)
	out, err := asker.Verdict(out, v)
	if !told(reason) {
		out = out[:before]
	}
	return out, because(err, reason)
}

// told reports whether a peer that is not let in for this reason is sent an ERROR.
func told(reason error) bool { return reason == nil || errors.Is(reason, ringwire.ErrRejected) }

// because adds to an error why the peer was not let in. The peer is not told.
func because(err, reason error) error {
	if err == nil || reason == nil {
		return err
	}
	return fmt.Errorf("%w: %w", err, reason)
}

func (s *Session) remote() string {
	if a := s.conn.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// unseal puts what opens sealed frames in front of the decoder.
func (s *Session) unseal() {
	o := new(opener)
	o.init(s.mech, s.dec, s.config.Limits)
	for rest := s.dec.Rest(); len(rest) > 0; {
		n := copy(o.Space(), rest)
		o.Filled(n)
		rest = rest[n:]
	}
	s.opener, s.sink = o, o
}

// cutOff makes the end of the stream the error that it is at this point.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
