package socket_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestSEC06MaxHandshakes: many who say nothing do not keep out one that speaks, long
// before their handshakes run out of time; each that had to make room is told of.
func TestSEC06MaxHandshakes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	const limit, silent = 4, 12
	pull := tokenOpen(t, pattern.Pull, socket.Options{MaxHandshakes: limit, HandshakeTimeout: 100 * confGuard})
	next := confNew(t, "tcp").Events(pull)
	at := tokenBind(t, pull, "tcp://127.0.0.1:0")
	for range silent {
		confDial(t, at)
	}
	push := tokenOpen(t, pattern.Push, socket.Options{ReconnectMin: -1})
	tokenConnect(t, push, at)
	if err := push.Send(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := pull.Recv(ctx); err != nil {
		t.Fatalf("%v; %+v", err, pull.Stats())
	}
	for range silent - limit {
		if ev := next(socket.Rejected); !errors.Is(ev.Err, ringwire.ErrRejected) || !strings.Contains(ev.Err.Error(), "MaxHandshakes") || ev.Remote == "" {
			t.Errorf("got %+v, want a refusal that names MaxHandshakes and the address", ev)
		}
	}
	if st := pull.Stats(); st.Refused < silent-limit || st.Refused > silent {
		t.Errorf("%d are counted as refused, want %d to %d", st.Refused, silent-limit, silent)
	}
}

// TestMaxConnectionsPerAddressRefuses: it is an event and a counter.
func TestMaxConnectionsPerAddressRefuses(t *testing.T) {
	pull := tokenOpen(t, pattern.Pull, socket.Options{MaxConnectionsPerAddress: 2})
	next := confNew(t, "tcp").Events(pull)
	at := tokenBind(t, pull, "tcp://127.0.0.1:0")
	for range 2 {
		confDial(t, at).handshake(1, "Socket-Type", "PUSH")
		next(socket.Ready)
	}
	confDial(t, at).wantEnd()
	if ev := next(socket.Rejected); !strings.Contains(ev.Err.Error(), "MaxConnectionsPerAddress") || ev.Next != socket.NextAccept {
		t.Errorf("got %+v", ev)
	}
	if st := pull.Stats(); st.Refused != 1 || st.HandshakesFailed != 1 || st.Peers != 2 {
		t.Errorf("got %+v, want 1 refused of 1 failed, 2 peers", st)
	}
}

// TestSEC09MaxSubscriptions: a peer that wants more topics, or more bytes of them,
// than it may have loses its connection, with an event; what it has already, and
// cancels, cost it nothing.
func TestSEC09MaxSubscriptions(t *testing.T) {
	const most = 10
	for _, test := range []struct {
		spec *pattern.Spec
		opts socket.Options
	}{
		{pattern.Pub, socket.Options{}}, {pattern.XPub, socket.Options{}}, {pattern.XPub, socket.Options{XPubManual: true}},
	} {
		for _, long := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/manual=%v/long=%v", test.spec, test.opts.XPubManual, long), func(t *testing.T) {
				opts := test.opts
				opts.MaxSubscriptions = most
				pub := tokenOpen(t, test.spec, opts)
				next := confNew(t, "tcp").Events(pub)
				raw := confDial(t, tokenBind(t, pub, "tcp://127.0.0.1:0"))
				raw.handshake(1, "Socket-Type", "SUB")
				next(socket.Ready)
				topic := func(i int) string {
					if long {
						return fmt.Sprintf("%d %s", i, make([]byte, 200)) // three of them fit
					}
					return fmt.Sprint(i)
				}
				allowed := most
				if long {
					allowed = 3
				}
				for round := range 3 { // the same again and again
					for i := range allowed {
						raw.command("SUBSCRIBE", topic(i))
					}
					if round == 1 && !opts.XPubManual {
						raw.command("CANCEL", topic(0))
					}
				}
				raw.command("PING", "\x00\x00still here")
				raw.wantCommand("PONG", "still here")
				raw.command("SUBSCRIBE", topic(most))
				if ev := next(socket.Disconnected); !errors.Is(ev.Err, ringwire.ErrRejected) || !strings.Contains(ev.Err.Error(), "MaxSubscriptions") {
					t.Errorf("got %+v, want a refusal that names MaxSubscriptions", ev)
				}
			})
		}
	}
}
