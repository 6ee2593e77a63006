package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/session"
	"github.com/ringwire/ringwire/transport"
)

// stable is how long a connection must have lasted for the back-off to start
// anew: a peer that refuses us after the handshake must not be asked ten times
// a second.
const stable = time.Second

// dialer keeps one connecting endpoint connected. Its goroutine dials, reads
// the connection while there is one, and backs off between attempts. For
// inproc it has no goroutine: see inproc.go.
type dialer struct {
	// Immutable after Connect.
	s        *Socket
	endpoint string
	address  string
	stream   transport.Stream // nil: inproc
	network  inprocNetwork    // nil: a stream
	identity []byte           // ConnectPeer's name for the peer
	ctx      context.Context  // ends with the endpoint
	cancel   context.CancelFunc
	gone     chan struct{} // closed when the goroutine has ended

	inproc inprocState

	// Guarded by the socket's mu.
	peer    *peer // its end survives connections; for inproc, each has its own
	refusal error // why the last attempt failed, nil if it did not
}

// run is the dialer's goroutine.
func (d *dialer) run() {
	defer close(d.gone)
	delay := d.s.opts.ReconnectMin
	failed, everReady := 0, false
	for d.ctx.Err() == nil {
		began := time.Now()
		ready, err := d.attempt()
		if d.ctx.Err() != nil {
			break
		}
		if d.s.isClosing() && !d.queued() {
			break // nothing is left to deliver
		}
		if ready {
			failed, everReady = 0, true
		} else {
			if failed++; failed >= manyAttempts && !everReady {
				d.s.doctor.warn(trapNeverConnected, slog.String("endpoint", d.endpoint), slog.Any("err", err))
			}
		}
		if d.s.opts.ReconnectMin < 0 {
			<-d.ctx.Done()
			break
		}
		if ready && time.Since(began) >= stable {
			delay = d.s.opts.ReconnectMin
		}
		// Full jitter: peers that lost the same server must not come back in
		// step.
		wait := time.Duration(rand.Int64N(int64(delay)) + 1)
		if ready && delay == d.s.opts.ReconnectMin {
			wait = min(wait, d.s.opts.ReconnectMin)
		}
		d.retried(wait, err)
		select {
		case <-time.After(wait):
		case <-d.ctx.Done():
		}
		delay = min(2*delay, d.s.opts.ReconnectMax)
	}
}

// next is what comes after a connection that ended.
func (d *dialer) next() Next {
	if d.s.opts.ReconnectMin < 0 || d.ctx.Err() != nil {
		return NextNothing
	}
	return NextReconnect
}

func (d *dialer) retried(wait time.Duration, err error) {
	d.s.events.emit(Event{Kind: ConnectRetried, Endpoint: d.endpoint, Retry: wait, Next: NextReconnect, Err: err})
}

// queued reports whether messages wait for the endpoint's next connection.
func (d *dialer) queued() bool {
	d.s.group.Lock()
	defer d.s.group.Unlock()
	return d.peer.end.Queued()
}

// attempt makes one connection and serves it to its end.
func (d *dialer) attempt() (ready bool, err error) {
	conn, err := d.dialed()
	if err == nil {
		ready, err = d.s.serve(d.ctx, d.ctx, conn, d.peer)
	}
	if !ready && d.ctx.Err() == nil {
		d.refused(err)
	}
	return ready, err
}

func (d *dialer) dialed() (conn net.Conn, err error) {
	apart(func() { conn, err = d.dial() })
	return conn, err
}

func (d *dialer) dial() (net.Conn, error) {
	ctx := d.ctx
	if t := d.s.opts.ConnectTimeout; t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	conn, err := d.stream.Dial(ctx, d.address, d.s.opts.stream())
	if err != nil {
		if d.ctx.Err() == nil {
			d.s.events.emit(Event{Kind: ConnectFailed, Endpoint: d.endpoint, Next: d.next(), Err: err})
		}
		return nil, err
	}
	if d.s.opts.RequireSecure && beyond(conn.RemoteAddr()) && !d.s.encrypts(d.stream) {
		conn.Close()
		err := fmt.Errorf("%s: %w", addr(conn.RemoteAddr()), errInsecure)
		d.s.events.emit(Event{Kind: ConnectFailed, Endpoint: d.endpoint, Next: d.next(), Err: err})
		return nil, err
	}
	d.s.tally.connects.Add(1)
	d.s.events.emit(Event{Kind: Connected, Endpoint: d.endpoint, Local: addr(conn.LocalAddr()), Remote: addr(conn.RemoteAddr()), Next: NextHandshake})
	return conn, nil
}

// refused remembers why the attempt failed, for WaitPeers, until one does not. A
// peer that does not want us may say so, or only close the connection.
func (d *dialer) refused(err error) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.refusal = err
}

// newPeer makes the end that the endpoint's messages are queued at.
func (d *dialer) newPeer() *peer {
	s := d.s
	p := &peer{s: s, endpoint: d.endpoint, dialer: d}
	p.end = pipe.NewEnd(s.group, s.pipeConfig(true), s.intake, p)
	p.end.Info.Endpoint = d.endpoint
	return p
}

// serve runs a connection from its handshake to its end, and closes it. p is
// the peer it belongs to. It reports whether it was ever ready, and why it
// ended. The end of shaking ends a handshake in progress, the end of living
// the connection.
func (s *Socket) serve(shaking, living context.Context, conn net.Conn, p *peer) (ready bool, err error) {
	local, remote := addr(conn.LocalAddr()), addr(conn.RemoteAddr())
	var sess *session.Session
	sess, err = s.introduced(shaking, conn, p, local, remote)
	if err != nil {
		conn.Close()
		s.unwelcome(shaking, p, local, remote, err)
		return false, err
	}
	stop := func() bool { return true }
	if living != s.ctx {
		stop = context.AfterFunc(living, func() { sess.Close(errStopped) })
	} else if living.Err() != nil { // else stopSessions finds it
		sess.Close(errStopped)
	}
	err = sess.Run()
	stop()
	s.lose(p, err)
	return true, err
}

// introduced makes the peer behind conn ready.
func (s *Socket) introduced(shaking context.Context, conn net.Conn, p *peer, local, remote string) (sess *session.Session, err error) {
	apart(func() {
		stop := context.AfterFunc(shaking, func() { conn.Close() })
		sess, err = s.shake(conn, p, local, remote)
		if p.entrant != nil {
			err = p.entrant.shaken(err)
			if p.entrant.evicted != nil {
				s.tally.refused.Add(1)
			}
		}
		stop()
		if err == nil {
			err = s.welcome(p, sess, p.dialer != nil)
		}
	})
	return sess, err
}

// apart runs f on a goroutine of its own and waits for it. The stack that a
// handshake needs goes with that goroutine; the one that then waits for years
// keeps a small one.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// unwelcome tells of a connection that did not become a peer.
func (s *Socket) unwelcome(shaking context.Context, p *peer, local, remote string, err error) {
	if p.dialer == nil {
		s.remove(p, pipe.PeerGone)
	}
	if shaking.Err() != nil {
		return // it was us
	}
	kind := HandshakeFailed
	if errors.Is(err, ringwire.ErrRejected) {
		kind = Rejected
	}
	s.tally.failed.Add(1)
	if p.listener != nil {
		p.listener.refused(remote, err)
	}
	s.events.emit(Event{Kind: kind, Endpoint: p.endpoint, Local: local, Remote: remote, Next: p.next(), Err: err})
}

// shake does the handshake.
func (s *Socket) shake(conn net.Conn, p *peer, local, remote string) (*session.Session, error) {
	var deadline time.Time
	if t := s.opts.HandshakeTimeout; t > 0 {
		deadline = time.Now().Add(t)
	}
	sess, err := session.Handshake(conn, &s.session, deadline)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.tally.timeouts.Add(1)
		}
		return nil, err
	}
	sess.Bind(p.end)
	return sess, s.learn(p, sess, local, remote)
}

func addr(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
