package interop_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

var identities = []struct{ name, identity string }{
	{"none", ""},
	{"one byte", "A"},
	{"text", "worker-17"},
	{"binary", "\x01\x00\xff\xfe\x00\x80"},
	{"255 bytes", strings.Repeat("i", 255)},
}

// checkIdentity holds the first frame that a ROUTER finds to what the peer
// calls itself, or to a number that was made up.
func checkIdentity(t *testing.T, got, identity string) {
	t.Helper()
	if identity == "" {
		if len(got) != 5 || got[0] != 0 {
			t.Fatalf("got identity %q, want 5 bytes that begin with a zero", got)
		}
	} else if got != identity {
		t.Fatalf("got identity %q, want %q", got, identity)
	}
}

// TestIdentities: what each side calls itself is how the other's ROUTER
// addresses it.
func TestIdentities(t *testing.T) {
	py := startPython(t)
	for _, row := range identities {
		for _, side := range sides {
			t.Run(row.name+"/"+side, func(t *testing.T) {
				here := &python{py.process, t}
				join := func(us *socket.Socket, them *pySocket) {
					if side == "bind" {
						them.connect(mustBind(t, us, anywhere(t, "tcp")))
					} else {
						mustConnect(t, us, them.bind(anywhere(t, "tcp")))
					}
				}
				var opts socket.Options
				if row.identity != "" {
					opts.Identity = []byte(row.identity)
				}
				dealer := newSocket(t, pattern.Dealer, &opts)
				router := here.open(t.Name()+"router", "ROUTER", settings{"ROUTER_MANDATORY": 1})
				join(dealer, router)
				send(t, dealer, "hello")
				got := router.recv()
				checkIdentity(t, got[0], row.identity)
				router.send(got[0], "answer")
				want(t, recv(t, dealer), "answer")
				router.close()

				set := settings{}
				if row.identity != "" {
					set["ROUTING_ID"] = row.identity
				}
				theirs := here.open(t.Name()+"dealer", "DEALER", set)
				ours := newSocket(t, pattern.Router, nil)
				join(ours, theirs)
				theirs.send("hello")
				got = recv(t, ours)
				checkIdentity(t, got[0], row.identity)
				if peers := ours.Peers(); len(peers) != 1 || string(peers[0].Identity) != row.identity || string(peers[0].Address) != got[0] {
					t.Errorf("got peers %+v, want one with identity %q, address %q", peers, row.identity, got[0])
				}
				send(t, ours, got[0], "answer")
				want(t, theirs.recv(), "answer")
				theirs.close()
			})
		}
	}
}

// TestDropUnroutable: a ROUTER of ours with libzmq peers and a name that
// nobody has.
func TestDropUnroutable(t *testing.T) {
	py := startPython(t)
	for _, drop := range []bool{true, false} {
		t.Run(fmt.Sprint(drop), func(t *testing.T) {
			here := &python{py.process, t}
			us := newSocket(t, pattern.Router, &socket.Options{DropUnroutable: drop})
			at := mustBind(t, us, anywhere(t, "tcp"))
			them := here.open(t.Name(), "DEALER", settings{"ROUTING_ID": "known"})
			them.connect(at)
			waitPeers(t, us, 1)
			const n = 100
			for i := range n {
				err := us.Send(within(t), []byte("unknown"), []byte("x"))
				switch {
				case drop && err != nil:
					t.Fatalf("unknown identity: got %v, want a silent drop", err)
				case !drop && !errors.Is(err, ringwire.ErrHostUnreachable):
					t.Fatalf("unknown identity: got %v, want %v", err, ringwire.ErrHostUnreachable)
				}
				send(t, us, "known", fmt.Sprint(i))
			}
			for i, got := range them.recvEach(n) {
				want(t, got, fmt.Sprint(i))
			}
			dropped := int64(0)
			if drop {
				dropped = n
			}
			if got := us.Stats().SendDropped; got.NoRoute != dropped || got.Total() != dropped {
				t.Errorf("got drops %+v, want %d without a route and no others", got, dropped)
			}
			// A peer that goes becomes unroutable.
			them.close()
			eventually(t, "the peer is gone", func() bool { return us.Stats().Peers == 0 })
			if err := us.Send(within(t), []byte("known"), []byte("x")); drop != (err == nil) {
				t.Errorf("send to a peer that went: got %v", err)
			}
		})
	}
}
