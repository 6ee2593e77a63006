package socket_test

import (
	"context"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// TestSEC19SpoofedUnderCURVE: who a peer is under CURVE is its key, whatever it claims in
// the metadata that it is, and where it is what the connection says.
func TestSEC19SpoofedUnderCURVE(t *testing.T) {
	server, _ := curveOptions(t)
	key := curveKey(t)
	mechanism, err := curve.Server(key)
	if err != nil {
		t.Fatal(err)
	}
	server.Mechanism = mechanism
	pull := hostileSocket(t, pattern.Pull, server)
	defer pull.Close()
	events := hostileWatch(pull)
	own := hostileKey(t)
	principal := curve.PublicKey(own.Public()).String()
	c := hostileDial(t, "tcp", hostileBind(t, pull, "tcp://127.0.0.1:0"))
	sealed := c.hello(own, key.Public(), hostileMeta("PUSH",
		"User-Id", "root", "Peer-Address", "10.0.0.1:1", "Principal", "root", "Mechanism", "NULL", "Remote", "10.0.0.1:1", "X-Mine", "kept"))
	sealed.finish()
	ready := events.wait(t, "ready", func(e *socket.Event) bool { return e.Kind == socket.Ready })
	if ready.Principal != principal || ready.Remote != c.remote || ready.Mechanism != "CURVE" {
		t.Errorf("the event has principal %q at %s by %s, want %q at %s by CURVE", ready.Principal, ready.Remote, ready.Mechanism, principal, c.remote)
	}
	sealed.put(sealed.seal(0, []byte("x")))
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	m, err := pull.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Peer().Principal(); got != principal {
		t.Errorf("the message is of principal %q, want %q", got, principal)
	}
	p := pull.Peers()[0]
	if p.Principal != principal || p.Remote != c.remote || p.Mechanism != "CURVE" {
		t.Errorf("the peer is %+v, want principal %q at %s by CURVE", p, principal, c.remote)
	}
	if p.Metadata["User-Id"] != "root" || p.Metadata["X-Mine"] != "kept" {
		t.Errorf("what it claimed: got %q, want it kept apart as metadata", p.Metadata)
	}
}

// TestSEC19IdentityOfAnother: an identity belongs to the principal that has it. Nobody
// else takes it over, not even with RouterHandover or from a peer that does not answer;
// the same principal does.
func TestSEC19IdentityOfAnother(t *testing.T) {
	for _, handover := range []bool{false, true} {
		server, _ := curveOptions(t)
		key := curveKey(t)
		mechanism, err := curve.Server(key)
		if err != nil {
			t.Fatal(err)
		}
		server.Mechanism, server.RouterHandover, server.HandshakeTimeout = mechanism, handover, 10*time.Minute
		router := hostileSocket(t, pattern.Router, server)
		defer router.Close()
		events := hostileWatch(router)
		at := hostileBind(t, router, "tcp://127.0.0.1:0")
		alice, mallory := hostileKey(t), hostileKey(t)
		ready := func(c *hostileConn) func(*socket.Event) bool {
			return func(e *socket.Event) bool { return e.Kind == socket.Ready && e.Remote == c.remote }
		}
		owner := hostileDial(t, "tcp", at) // which reads nothing, and answers no PING
		owner.hello(alice, key.Public(), hostileMeta("DEALER", "Identity", "alice")).finish()
		events.wait(t, "the owner", ready(owner))

		thief := hostileDial(t, "tcp", at)
		s := thief.hello(mallory, key.Public(), hostileMeta("DEALER", "Identity", "alice"))
		s.finish()
		thief.closed()
		ev := events.wait(t, "the refusal", func(e *socket.Event) bool { return hostileEnds(e.Kind) && e.Remote == thief.remote })
		if ev.Kind != socket.Rejected {
			t.Errorf("handover=%v: another principal with the identity: got %v with %v, want it rejected", handover, ev.Kind, ev.Err)
		}
		if gone := events.find(func(e *socket.Event) bool {
			return e.Remote == owner.remote && e.Kind != socket.Ready && e.Kind != socket.Accepted
		}); len(gone) > 0 {
			t.Errorf("handover=%v: the owner was disturbed: %v", handover, gone)
		}
		if err := router.TrySend([]byte("alice"), []byte("secret")); err != nil {
			t.Errorf("handover=%v: to the owner: %v", handover, err)
		}
		if st := router.Stats(); st.Peers != 1 {
			t.Errorf("handover=%v: %d peers, want 1", handover, st.Peers)
		}
		if !handover {
			continue
		}
		again := hostileDial(t, "tcp", at)
		again.hello(alice, key.Public(), hostileMeta("DEALER", "Identity", "alice")).finish()
		events.wait(t, "the owner, again", ready(again))
	}
}
