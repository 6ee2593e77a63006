package interop_test

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// gozeromqDefects is what TestGoZeroMQ leaves out, because go-zeromq/zmq4
// v0.17.0 cannot do it. Each row has a proof without us: between two sockets
// of that library, or against bytes that were written by hand. A proof that
// fails says that a newer version can do more.
var gozeromqDefects = []struct {
	name     string
	excluded string
	proof    func(t *testing.T)
}{
	{"PUSH: several peers", "balancing by their PUSH: it sends every message to every peer", proveBroadcast("PUSH", "PULL")},
	{"DEALER: several peers", "balancing by their DEALER: it sends every message to every peer", proveBroadcast("DEALER", "DEALER")},
	{"XPUB: subscriptions", "subscriptions as messages: their XPUB receives none", proveXPubDeaf},
	{"PING", "heartbeats of others towards it: a PING is given to the application, and not answered", provePingIsData},
	{"REP: empty frames", "empty frames in requests to their REP: what comes before the last one is lost", proveRepSplitsLast},
	{"no identity", "an anonymous peer: it always announces 36 characters of its own", proveIdentityInvented},
	{"SUB: duplicates", "a duplicate subscription that outlives one cancellation", proveSubForgets},
	{"reconnect", "their reconnecting to us: when the peer goes, Recv fails, and no connection follows", proveNoReconnect},
	{"linger", "their last messages before Close: PUB drops what it has queued", proveCloseDrops},
}

func TestGoZeroMQDefects(t *testing.T) {
	for _, row := range gozeromqDefects {
		t.Run(row.name, func(t *testing.T) {
			t.Logf("excluded: %s", row.excluded)
			row.proof(t)
		})
	}
}

func goRecv(t *testing.T, s zmq4.Socket, want ...string) {
	t.Helper()
	m, err := s.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if !equal(m.Frames, frames(want...)) {
		t.Fatalf("got %q, want %q", m.Frames, want)
	}
}

func goSend(t *testing.T, s zmq4.Socket, frames ...string) {
	t.Helper()
	if err := s.Send(zmq4.NewMsgFromString(frames)); err != nil {
		t.Fatal(err)
	}
}

func proveBroadcast(from, to string) func(t *testing.T) {
	return func(t *testing.T) {
		sender := goSocket(t, from)
		var receivers []zmq4.Socket
		for range 2 {
			r := goSocket(t, to)
			dialGo(t, sender, listenGo(t, r, "tcp://127.0.0.1:0"))
			receivers = append(receivers, r)
		}
		for i := range 10 {
			goSend(t, sender, fmt.Sprint(i))
		}
		for _, r := range receivers {
			for i := range 10 {
				goRecv(t, r, fmt.Sprint(i))
			}
		}
	}
}

func proveXPubDeaf(t *testing.T) {
	xpub, xsub := goSocket(t, "XPUB"), goSocket(t, "XSUB")
	dialGo(t, xsub, listenGo(t, xpub, "tcp://127.0.0.1:0"))
	goSend(t, xsub, "\x01topic")
	goSend(t, xsub, "no subscription")
	goRecv(t, xpub, "no subscription")
}

func provePingIsData(t *testing.T) {
	pull := goSocket(t, "PULL")
	r := dialRaw(t, listenGo(t, pull, "tcp://127.0.0.1:0"))
	r.handshake("PUSH")
	r.frame(flagCommand, "\x04PING\x00\x00context")
	goRecv(t, pull, "\x04PING\x00\x00context")
}

func proveRepSplitsLast(t *testing.T) {
	rep, req := goSocket(t, "REP"), goSocket(t, "REQ")
	dialGo(t, req, listenGo(t, rep, "tcp://127.0.0.1:0"))
	goSend(t, req, "lost", "", "arrives")
	goRecv(t, rep, "arrives")
}

func proveIdentityInvented(t *testing.T) {
	dealer := goSocket(t, "DEALER")
	r := dialRaw(t, listenGo(t, dealer, "tcp://127.0.0.1:0"))
	if id := r.handshake("ROUTER")["Identity"]; len(id) != 36 {
		t.Errorf("got identity %q, want 36 characters", id)
	}
}

func proveSubForgets(t *testing.T) {
	sub := goSocket(t, "SUB")
	for _, option := range []string{zmq4.OptionSubscribe, zmq4.OptionSubscribe, zmq4.OptionUnsubscribe} {
		if err := sub.SetOption(option, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if got := sub.(zmq4.Topics).Topics(); len(got) != 0 {
		t.Errorf("got topics %q, want none", got)
	}
}

func proveNoReconnect(t *testing.T) {
	push, pull := goSocket(t, "PUSH"), goSocket(t, "PULL")
	at := listenGo(t, push, "tcp://127.0.0.1:0")
	dialGo(t, pull, at)
	goSend(t, push, "first")
	goRecv(t, pull, "first")
	push.Close()
	if _, err := pull.Recv(); err != io.EOF {
		t.Errorf("got %v, want %v", err, io.EOF)
	}
	// Nobody comes to the socket of ours that takes the place.
	us := newSocket(t, pattern.Push, nil)
	seen := watch(t, us)
	mustBind(t, us, at)
	select {
	case e := <-seen.events:
		if e.Kind != socket.Listening {
			t.Errorf("got event %v, want only %v", e, socket.Listening)
		}
	case <-time.After(limit()):
		t.Error("no event")
	}
	select {
	case e := <-seen.events:
		t.Errorf("got event %v, want none", e)
	case <-time.After(500 * time.Millisecond): // twice its pause between attempts
	}
}

func proveCloseDrops(t *testing.T) {
	const n = 64
	pub, sub := goSocket(t, "PUB"), goSocket(t, "SUB")
	if err := sub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	dialGo(t, sub, listenGo(t, pub, "tcp://127.0.0.1:0"))
	eventually(t, "the subscription arrives", func() bool {
		return slices.Contains(pub.(zmq4.Topics).Topics(), "")
	})
	for range n {
		if err := pub.Send(zmq4.NewMsg(content[:1<<20])); err != nil {
			t.Fatal(err)
		}
	}
	pub.Close()
	got := 0
	for {
		if _, err := sub.Recv(); err != nil {
			break
		}
		got++
	}
	if got == n {
		t.Errorf("got all %d messages of 1 MiB, want fewer: Close does not wait", n)
	}
}

// TestGoZeroMQHeartbeats: we never send a PING to a peer of ZMTP 3.0, which
// go-zeromq would take for a message.
func TestGoZeroMQHeartbeats(t *testing.T) {
	us := newSocket(t, pattern.Push, &socket.Options{HeartbeatInterval: 5 * time.Millisecond})
	them := goSocket(t, "PULL")
	dialGo(t, them, mustBind(t, us, "tcp://127.0.0.1:0"))
	waitPeers(t, us, 1)
	if v := us.Peers()[0].Version; v != "3.0" {
		t.Errorf("got version %s, want 3.0", v)
	}
	<-time.After(100 * time.Millisecond) // time for twenty
	send(t, us, "message")
	goRecv(t, them, "message")
	if st := us.Stats(); st.Disconnects != 0 {
		t.Errorf("got %d disconnects, want none", st.Disconnects)
	}
}
