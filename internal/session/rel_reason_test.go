package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// relEnding is a way in which a connection ends, or does not come about.
type relEnding struct {
	name   string
	spec   *pattern.Spec
	opts   socket.Options
	peer   string // socket type of the peer made by hand
	kind   socket.EventKind
	reason string
	end    func(t *testing.T, s *socket.Socket, n *memNet, c *memConn)
}

func relWrite(b []byte) func(*testing.T, *socket.Socket, *memNet, *memConn) {
	return func(t *testing.T, _ *socket.Socket, _ *memNet, c *memConn) {
		if _, err := c.Write(b); err != nil {
			t.Error(err)
		}
	}
}

var relEndings = []relEnding{
	{"silence", pattern.Pull, socket.Options{HeartbeatInterval: time.Second}, "PUSH", socket.Disconnected, "heartbeat",
		func(*testing.T, *socket.Socket, *memNet, *memConn) {}},
	{"the peer's TTL", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "heartbeat", relWrite(zmtp.AppendPing(nil, 10, nil))},
	{"a frame that is none", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "protocol", relWrite([]byte{0xff, 0, 0})},
	{"a message that is too large", pattern.Pull, socket.Options{MaxMessageSize: 10}, "PUSH", socket.Disconnected, "oversize",
		relWrite(append(zmtp.AppendMessageHeader(nil, 11, false), make([]byte, 11)...))},
	{"an ERROR", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "rejected",
		func(t *testing.T, _ *socket.Socket, _ *memNet, c *memConn) {
			b, err := zmtp.AppendError(nil, "no more")
			if err != nil {
				t.Fatal(err)
			}
			c.Write(b)
		}},
	{"a slow subscriber", pattern.Pub, socket.Options{SendHWM: 1, OnFull: socket.FullDisconnect, NoLinger: true}, "SUB", socket.Disconnected, "slow",
		func(t *testing.T, s *socket.Socket, _ *memNet, c *memConn) {
			if _, err := c.Write(zmtp.AppendSubscription(nil, "", true, true)); err != nil {
				t.Fatal(err)
			}
			if err := s.WaitSubscribers(t.Context(), "", 1); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				s.Send(t.Context(), make([]byte, 1000))
			}
		}},
	{"a newcomer", pattern.Router, socket.Options{}, "DEALER", socket.Disconnected, "identity",
		func(t *testing.T, _ *socket.Socket, n *memNet, _ *memConn) { relRaw(t, n, "x", "DEALER", "name") }},
	{"DisconnectPeer", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "DisconnectPeer",
		func(t *testing.T, s *socket.Socket, _ *memNet, _ *memConn) {
			if err := s.DisconnectPeer(s.Peers()[0].Peer); err != nil {
				t.Error(err)
			}
		}},
	{"Close", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "closed here",
		func(_ *testing.T, s *socket.Socket, _ *memNet, _ *memConn) { s.Close() }},
	{"Unbind", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "closed here",
		func(_ *testing.T, s *socket.Socket, _ *memNet, _ *memConn) { s.Unbind("mem://x") }},
	{"the peer's end", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "closed by the peer",
		func(_ *testing.T, _ *socket.Socket, _ *memNet, c *memConn) { c.Close() }},
	{"the peer's end within a message", pattern.Pull, socket.Options{}, "PUSH", socket.Disconnected, "closed by the peer",
		func(_ *testing.T, _ *socket.Socket, _ *memNet, c *memConn) { c.Write([]byte{0, 10, 1}); c.Close() }},
	{"a wrong type", pattern.Pull, socket.Options{}, "SUB", socket.Rejected, "rejected", nil},
	{"an unknown type", pattern.Pull, socket.Options{}, "NONE", socket.Rejected, "rejected", nil},
}

// TestEventReasons: for each way in which a connection that was accepted ends, the
// event is of its kind, has its reason, and says that the peer must come again, or
// that nothing follows when we no longer accept.
func TestEventReasons(t *testing.T) {
	for _, c := range relEndings {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				s := open(t, n, c.spec, c.opts)
				events := relWatch(s)
				relBind(t, s, "mem://x")
				raw := relRaw(t, n, "x", c.peer, "name")
				synctest.Wait()
				if c.end != nil {
					c.end(t, s, n, raw)
				}
				time.Sleep(5 * time.Second)
				synctest.Wait()
				list := events.of(c.kind)
				if len(list) != 1 {
					t.Fatalf("got %d events %v, want 1; %v", len(list), c.kind, events.list)
				}
				next := socket.NextAccept
				if c.name == "Close" || c.name == "Unbind" {
					next = socket.NextNothing
				}
				if ev := list[0]; ev.Reason() != c.reason || ev.Next != next || ev.Endpoint != "mem://x" {
					t.Errorf("got reason %q, next %q, endpoint %s, want %q, %q, mem://x; %v", ev.Reason(), ev.Next, ev.Endpoint, c.reason, next, ev.Err)
				}
				for _, ev := range events.of(socket.Accepted) {
					if ev.Next != socket.NextHandshake || ev.Reason() != "" {
						t.Errorf("Accepted: got next %q, reason %q, want the handshake, none", ev.Next, ev.Reason())
					}
				}
			})
		})
	}
}

// TestEventReasonsOfHandshakes: a handshake that is not finished says why, too.
func TestEventReasonsOfHandshakes(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		do           func(c net.Conn)
	}{
		{"silence", "timeout", func(net.Conn) {}},
		{"not ours", "protocol", func(c net.Conn) { io.WriteString(c, "GET / HTTP/1.1\r\n\r\n") }},
		{"an end", "closed by the peer", func(c net.Conn) { c.(*memConn).CloseWrite() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				s := open(t, n, pattern.Pull, socket.Options{})
				events := relWatch(s)
				relBind(t, s, "mem://x")
				conn, err := n.Dial(t.Context(), "x", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				c.do(conn)
				time.Sleep(time.Minute)
				synctest.Wait()
				list := events.of(socket.HandshakeFailed)
				if len(list) != 1 || list[0].Reason() != c.reason || list[0].Next != socket.NextAccept {
					t.Errorf("got %v, want one, %q, %q", list, c.reason, socket.NextAccept)
				}
			})
		})
	}
}

// relBroken is a network on which nobody can be dialed, for a reason.
type relBroken struct {
	*memNet
	err error
}

func (b relBroken) Dial(context.Context, string, *transport.Options) (net.Conn, error) {
	return nil, fmt.Errorf("dial: %w", b.err)
}

// TestEventReasonsOfDials: an attempt to connect that fails says why and that another
// follows, unless none does.
func TestEventReasonsOfDials(t *testing.T) {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{syscall.ECONNREFUSED, "refused"}, {syscall.ECONNRESET, "reset"}, {syscall.EPIPE, "reset"},
		{syscall.EMFILE, "no files left"}, {syscall.ENFILE, "no files left"},
		{&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}, "name"},
		{&net.DNSError{Err: "i/o timeout", Name: "x", IsTimeout: true}, "name"},
		{os.ErrDeadlineExceeded, "timeout"}, {context.DeadlineExceeded, "timeout"},
		{&net.OpError{Op: "dial", Err: &net.AddrError{Err: "odd"}}, "other"}, {errors.New("odd"), "other"},
	} {
		for _, again := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				opts, next := socket.Options{}, socket.NextReconnect
				if !again {
					opts.ReconnectMin, next = -1, socket.NextNothing
				}
				s := relOpen(t, relBroken{newMemNet(), c.err}, pattern.Push, opts)
				events := relWatch(s)
				relConnect(t, s, "mem://x")
				time.Sleep(time.Second)
				synctest.Wait()
				list, retried := events.of(socket.ConnectFailed), events.of(socket.ConnectRetried)
				if len(list) == 0 || !again && len(list) != 1 || again != (len(retried) > 0) {
					t.Fatalf("%v: got %d failed, %d retried, again %v", c.err, len(list), len(retried), again)
				}
				if ev := list[0]; ev.Reason() != c.reason || ev.Next != next {
					t.Errorf("%v: got reason %q, next %q, want %q, %q", c.err, ev.Reason(), ev.Next, c.reason, next)
				}
				for _, ev := range retried {
					if ev.Retry <= 0 || ev.Next != socket.NextReconnect || ev.Reason() != c.reason {
						t.Errorf("%v: retried says %v, %q, %q", c.err, ev.Retry, ev.Next, ev.Reason())
					}
				}
			})
		}
	}
}

// TestEventNextOfConnecting: who connects says that it connects again, after a loss
// and after a refusal, or that it does not.
func TestEventNextOfConnecting(t *testing.T) {
	for _, again := range []bool{true, false} {
		for _, kind := range []string{"PULL", "PUB"} {
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				l, err := n.Listen(t.Context(), "x", nil)
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				opts, next := socket.Options{}, socket.NextReconnect
				if !again {
					opts.ReconnectMin, next = -1, socket.NextNothing
				}
				s := open(t, n, pattern.Push, opts)
				events := relWatch(s)
				relConnect(t, s, "mem://x")
				c, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				relGreet(t, c, kind, "")
				synctest.Wait()
				c.Close()
				synctest.Wait()
				ended, reason := socket.Disconnected, "closed by the peer"
				if kind == "PUB" {
					ended, reason = socket.Rejected, "rejected"
				}
				list := events.of(ended)
				if len(list) != 1 || list[0].Next != next || list[0].Reason() != reason {
					t.Errorf("%s, again %v: got %v, want one, %q, %q", kind, again, list, next, reason)
				}
			})
		}
	}
}
