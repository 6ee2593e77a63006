package security

import (
	"errors"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

func plainPair(t testing.TB, username, password string) (client, server Conn) {
	t.Helper()
	c, err := NewPlainClient(username, password)
	if err != nil {
		t.Fatal(err)
	}
	return c.New(zmtp.Metadata{{Name: "Socket-Type", Value: []byte("PUSH")}}, Limits{}),
		new(PlainServer).New(zmtp.Metadata{{Name: "Socket-Type", Value: []byte("PULL")}}, Limits{})
}

// TestPlainHandshake: RFC 24, with names and passwords of every length.
func TestPlainHandshake(t *testing.T) {
	for _, n := range []int{0, 1, 255} {
		client, server := plainPair(t, strings.Repeat("u", n), strings.Repeat("p", n))
		if err := run(t, client, server, -1, nil); err != nil {
			t.Fatal(err)
		}
		if !client.Done() || !server.Done() || !client.Clear() || !server.Clear() {
			t.Fatal("not done, or not in the clear")
		}
		if kind, _ := server.Peer().Get("Socket-Type"); string(kind) != "PUSH" {
			t.Errorf("the server learned %q, want PUSH", server.Peer())
		}
	}
	if _, err := NewPlainClient(strings.Repeat("u", 256), ""); err == nil {
		t.Error("a username of 256 bytes: got nil, want an error (SEC-12)")
	}
	if _, err := NewPlainClient("", strings.Repeat("p", 256)); err == nil {
		t.Error("a password of 256 bytes: got nil, want an error (SEC-12)")
	}
}

// TestPlainLengths: HELLO's length is exact, WELCOME has nothing in it.
func TestPlainLengths(t *testing.T) {
	for n := range 2 {
		for _, change := range []func([]byte) []byte{
			func(b []byte) []byte { return b[:len(b)-1] },
			func(b []byte) []byte { return append(b, 0) },
		} {
			client, server := plainPair(t, "user", "secret")
			if err := run(t, client, server, n, change); !errors.Is(err, ringwire.ErrProtocol) {
				t.Errorf("command %d of another size: got %v, want a protocol error", n, err)
			}
		}
	}
}

// TestPlainDenied: who is not let in is told so, and the verdict sees what it said.
func TestPlainDenied(t *testing.T) {
	client, server := plainPair(t, "user", "secret")
	wire, _ := client.Start(nil)
	server.Start(nil)
	h, _, _ := zmtp.ParseHeader(wire)
	if _, err := server.Handle(nil, wire[h.Len:]); err != nil {
		t.Fatal(err)
	}
	c, asks := server.(Asker).Pending()
	if !asks || c.Username != "user" || c.Password != "secret" || c.Mechanism != PlainName {
		t.Fatalf("asks %v about %+v", asks, c)
	}
	if _, err := server.Handle(nil, []byte("\x08INITIATE")); !errors.Is(err, ringwire.ErrProtocol) {
		t.Errorf("INITIATE before the verdict: got %v, want a protocol error", err)
	}
	_, server = plainPair(t, "", "")
	server.Start(nil)
	server.Handle(nil, wire[h.Len:])
	wire, err := server.(Asker).Verdict(nil, ringwire.Verdict{})
	if !errors.Is(err, ringwire.ErrRejected) || strings.Contains(err.Error(), "secret") {
		t.Errorf("the server says %v, want ErrRejected without the password", err)
	}
	// As RFC 24 has it, and as libzmq's server writes it.
	other, _ := plainPair(t, "", "")
	other.Start(nil)
	for name, err := range map[string]error{
		"ours":     second(step(client, wire, same)),
		"libzmq's": second(other.Handle(nil, []byte("^RROR\x03400"))),
	} {
		if !errors.Is(err, ringwire.ErrRejected) || !strings.Contains(err.Error(), "400") {
			t.Errorf("of %s ERROR the client says %v, want ErrRejected with 400", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
