package interop_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestLinger: what was sent before a Close arrives after it, ours at libzmq
// and libzmq's at ours.
func TestLinger(t *testing.T) {
	py := startPython(t)
	const n = 1000
	for _, side := range sides {
		for _, transport := range transports {
			t.Run(side+"/"+transport, func(t *testing.T) {
				here := &python{py.process, t}
				pull := here.open(t.Name()+"pull", "PULL", nil)
				push := newSocket(t, pattern.Push, &socket.Options{Linger: limit()})
				if side == "bind" {
					pull.connect(mustBind(t, push, anywhere(t, transport)))
					waitPeers(t, push, 1) // a socket that binds has no queue before
				} else {
					mustConnect(t, push, pull.bind(anywhere(t, transport)))
				}
				for i := range n {
					send(t, push, fmt.Sprint(i))
				}
				if err := push.Close(); err != nil {
					t.Fatal(err)
				}
				for i, got := range pull.recvEach(n) {
					want(t, got, fmt.Sprint(i))
				}
				pull.close()

				own := startPython(t) // its last socket is closed
				theirs := own.open("push", "PUSH", nil)
				ours := newSocket(t, pattern.Pull, nil)
				if side == "bind" {
					theirs.connect(mustBind(t, ours, anywhere(t, transport)))
				} else {
					mustConnect(t, ours, theirs.bind(anywhere(t, transport)))
				}
				var bodies []string
				for i := range n {
					bodies = append(bodies, fmt.Sprint(i))
				}
				theirs.sendEach(bodies...)
				theirs.linger()
				for i := range n {
					want(t, recv(t, ours), fmt.Sprint(i))
				}
			})
		}
	}
}

// TestLingerUnread: what we do not read any more must not destroy what we have
// sent, as closing a TCP connection with unread bytes does.
func TestLingerUnread(t *testing.T) {
	py := startPython(t)
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			them := (&python{py.process, t}).open(t.Name(), "DEALER", nil)
			us := newSocket(t, pattern.Dealer, &socket.Options{RecvHWM: 1})
			mustConnect(t, us, them.bind(anywhere(t, transport)))
			waitPeers(t, us, 1)
			unread := make([]string, 900) // more than one read takes, less than libzmq's high-water mark
			for i := range unread {
				unread[i] = strings.Repeat("u", 500)
			}
			them.sendEach(unread...)
			eventually(t, "something arrives", func() bool { return us.Stats().Arrived > 0 })
			ours := &plan{role: roleOut, shapes: [][]int{{1 << 20}, {1 << 20}, {1 << 20}, {1 << 20}, {1}}}
			theirs := *ours
			theirs.role = roleInto
			wait := (&pyCounterpart{pySocket: them}).begin(&theirs)
			if err := ours.run(within(t), &ringwireParty{s: us}); err != nil {
				t.Fatal(err)
			}
			if err := us.Close(); err != nil {
				t.Fatal(err)
			}
			if err := wait(); err != nil {
				t.Error(err)
			}
			them.close()
		})
	}
}

// incompatible are pairs of socket types that must refuse each other, with a
// libzmq type that ours does talk to.
var incompatible = []struct {
	ours  *pattern.Spec
	wrong string
	right string
}{
	{pattern.Pull, "SUB", "PUSH"},
	{pattern.Pull, "PULL", "PUSH"},
	{pattern.Pull, "PUB", "PUSH"},
	{pattern.Pull, "PAIR", "PUSH"},
	{pattern.Pull, "STREAM", "PUSH"},
	{pattern.Rep, "REP", "REQ"},
	{pattern.Rep, "ROUTER", "REQ"},
	{pattern.Dealer, "REQ", "DEALER"},
	{pattern.Router, "REP", "DEALER"},
	{pattern.Sub, "SUB", "XPUB"},
	{pattern.Sub, "DEALER", "XPUB"},
	{pattern.Pair, "DEALER", "PAIR"},
}

// TestIncompatibleTypes: each is refused, with an event that says why, and
// others on the same socket notice nothing.
func TestIncompatibleTypes(t *testing.T) {
	py := startPython(t)
	for _, row := range incompatible {
		for _, side := range sides {
			t.Run(row.ours.Name()+"-"+row.wrong+"/"+side, func(t *testing.T) {
				here := &python{py.process, t}
				us := newSocket(t, row.ours, &socket.Options{ReconnectMin: time.Millisecond, HandshakeTimeout: time.Second})
				seen := watch(t, us)
				if us.Type().Subscribes() {
					subscribe(t, us, "")
				}
				right := here.open(t.Name()+"right", row.right, nil)
				wrong := here.open(t.Name()+"wrong", row.wrong, nil)
				if side == "bind" {
					at := mustBind(t, us, anywhere(t, "tcp"))
					right.connect(at)
					waitPeers(t, us, 1)
					wrong.connect(at)
				} else {
					mustConnect(t, us, right.bind(anywhere(t, "tcp")))
					waitPeers(t, us, 1)
					mustConnect(t, us, wrong.bind(anywhere(t, "tcp")))
				}
				// A STREAM does not speak ZMTP at all. libzmq may close before
				// we have read what it is.
				kind := socket.Rejected
				if row.wrong == "STREAM" {
					kind = socket.HandshakeFailed
				}
				if e := seen.await(kind); e.Err == nil || kind == socket.Rejected && !errors.Is(e.Err, ringwire.ErrRejected) {
					t.Errorf("got event %v, want one with the reason", e)
				}
				if row.right == "XPUB" {
					want(t, right.recv(), "\x01")
				}
				for i := range 10 {
					talk(t, us, right, row.right, fmt.Sprint(i))
				}
				if st := us.Stats(); st.Peers != 1 || st.Disconnects != 0 {
					t.Errorf("got %d peers, %d disconnects, want 1, 0", st.Peers, st.Disconnects)
				}
				right.close()
				wrong.close()
			})
		}
	}
}

// talk sends one message from the libzmq socket to ours; a REQ gets it back.
func talk(t *testing.T, us *socket.Socket, them *pySocket, kind, body string) {
	t.Helper()
	them.send(body)
	got := recv(t, us)
	if us.Type() == pattern.Router {
		got = got[1:]
	}
	want(t, got, body)
	if kind == "REQ" {
		send(t, us, body)
		want(t, them.recv(), body)
	}
}
