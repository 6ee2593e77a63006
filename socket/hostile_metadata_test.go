package socket_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestSEC05Metadata(t *testing.T) {
	lying := func(size uint32) []byte { // a value that declares more than follows
		return append(binary.BigEndian.AppendUint32([]byte("\x06X-Size"), size), "abc"...)
	}
	hostileEach(t, nil, func(a *hostileArena, network string) {
		peer := hostilePeerOf(a.victim.Type()).Name()
		own := hostileProperty("Socket-Type", peer)
		row := func(name string, why error, pieces ...[]byte) {
			kind := socket.HandshakeFailed
			if why == ringwire.ErrRejected {
				kind = socket.Rejected
			}
			ready := hostileCmd("READY", bytes.Join(pieces, nil)...)
			a.run(network, hostileRow{name, ready, kind, why}, hostileHello)
		}
		bad := ringwire.ErrProtocol
		row("empty name", bad, own, []byte{0, 0, 0, 0, 0})
		row("name runs over the end", bad, own, []byte("\xffshort"))
		row("name and no value", bad, own, []byte("\x03abc"))
		row("half a length", bad, own, []byte("\x03abc\x00\x00"))
		for _, size := range []uint32{4, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
			row("value too long", bad, own, lying(size))
		}
		row("no Socket-Type", bad, hostileProperty("Identity", "x"))
		row("nothing", bad)
		row("two Socket-Types", bad, own, hostileProperty("SOCKET-type", peer))
		row("two Identities", bad, own, hostileProperty("Identity", ""), hostileProperty("identity", "x"))
		row("identity of 256 bytes", bad, own, hostileProperty("Identity", strings.Repeat("i", 256)))
		row("300 properties", ringwire.ErrTooLarge, own, bytes.Repeat(hostileProperty("X", ""), 300))
		row("100,000 properties", ringwire.ErrTooLarge, own, bytes.Repeat([]byte("\x01X\x00\x00\x00\x00"), 100_000))
		row("65 KiB", ringwire.ErrTooLarge, own, hostileProperty("X-Big", strings.Repeat("b", 65<<10)))
		row("unknown type", ringwire.ErrRejected, hostileProperty("Socket-Type", "PEER"))
		row("empty type", ringwire.ErrRejected, hostileProperty("Socket-Type", ""))
		row("type in lower case", ringwire.ErrRejected, hostileProperty("Socket-Type", strings.ToLower(peer)))
		row("huge type", ringwire.ErrRejected, hostileProperty("Socket-Type", strings.Repeat("T", 60<<10)))
		if a.victim.Type() != pattern.Router { // a ROUTER talks to its own kind
			row("own type", ringwire.ErrRejected, hostileProperty("Socket-Type", a.victim.Type().Name()))
		}

		row("63 KiB", nil, own, hostileProperty("X-Big", strings.Repeat("b", 63<<10)))
		row("name of 255 bytes", nil, own, hostileProperty(strings.Repeat("n", 255), "v"))
		row("names that repeat", nil, own, hostileProperty("X-A", "1"), hostileProperty("X-A", "2"))
		row("name in upper case", nil, hostileProperty("SOCKET-TYPE", peer))
		row("any bytes", nil, own, hostileProperty("\x00\xff\n", "\x1b[31m\x00"))
		row("identity of 255 bytes", nil, own, hostileProperty("Identity", strings.Repeat("i", 255)))
		if a.victim.Type() == pattern.Router {
			row("identity of the kind that a ROUTER makes up", bad, own, hostileProperty("Identity", "\x00\x00\x00\x00\x01"))
			row("identity in use", ringwire.ErrRejected, own, hostileProperty("Identity", "good"))
		}
	})
}

// The largest metadata that the options take gets through, both ways.
func TestSEC05OwnMetadataAtTheLimit(t *testing.T) {
	big := map[string]string{"X-Big": strings.Repeat("b", 32<<10-len("X-Big")-5)}
	long := map[string]string{"X-" + strings.Repeat("n", 253): ""}
	for _, metadata := range []map[string]string{big, long} {
		opts := &socket.Options{Metadata: metadata, Identity: bytes.Repeat([]byte("i"), 255)}
		router := hostileSocket(t, pattern.Router, opts)
		defer router.Close()
		dealer := hostileSocket(t, pattern.Dealer, opts)
		defer dealer.Close()
		at := hostileBind(t, router, "tcp://127.0.0.1:0")
		if err := dealer.Connect("tcp://" + at); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
		defer cancel()
		for _, s := range []*socket.Socket{router, dealer} {
			if err := s.WaitPeers(ctx, 1); err != nil {
				t.Fatal(err)
			}
			peer := s.Peers()[0]
			for name, value := range metadata {
				if peer.Metadata[name] != value {
					t.Errorf("metadata of %.20q at the %v: got %d bytes, want %d", name, s.Type(), len(peer.Metadata[name]), len(value))
				}
			}
			if !bytes.Equal(peer.Identity, opts.Identity) {
				t.Errorf("identity at the %v: got %d bytes, want 255", s.Type(), len(peer.Identity))
			}
		}
	}
}

// What a peer claims about itself changes nothing that we know better.
func TestSEC19SpoofedMetadata(t *testing.T) {
	claims := []string{"User-Id", "root", "Peer-Address", "10.0.0.1:1", "Remote", "10.0.0.1:1", "Mechanism", "CURVE", "Principal", "root",
		"X-Real-Ip", "10.0.0.1", "Version", "9.9", "Endpoint", "tcp://10.0.0.1:1", "Connections", "7"}
	hostileEach(t, nil, func(a *hostileArena, network string) {
		c := a.raid(network, claims...)
		if a.victim.Type() == pattern.Router {
			a.takeover(network)
		}
		found := false
		for _, p := range a.victim.Peers() {
			if p.Remote != c.remote {
				continue
			}
			found = true
			if p.Mechanism != "NULL" || p.SocketType != hostilePeerOf(a.victim.Type()).Name() || p.Version != "3.1" || p.Connections != 1 ||
				!strings.HasPrefix(p.Endpoint, network+"://") || !strings.HasSuffix(p.Endpoint, a.at[network]) {
				a.t.Errorf("a peer that lies: got %+v", p)
			}
			if p.Metadata["User-Id"] != "root" {
				a.t.Errorf("what it claimed: got %q, want it kept apart as metadata", p.Metadata)
			}
		}
		if !found {
			a.t.Errorf("peer %s: not among %+v", c.remote, a.victim.Peers())
		}
		a.kept(c)
		if ev := a.end(c); ev.Mechanism != "NULL" || ev.Remote != c.remote {
			a.t.Errorf("event of a peer that lies: got %+v", ev)
		}
	})
}

// takeover has many newcomers claim the identity of the well-behaved peer.
func (a *hostileArena) takeover(network string) {
	a.t.Helper()
	for range 20 {
		c := a.dial(network)
		c.put(hostileHello, hostileReady("DEALER", "Identity", "good"))
		a.thrown(c, socket.Rejected, ringwire.ErrRejected)
	}
	a.beat()
}
