package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
)

// newKey and the other constructors fail the test.
func newKey(t *testing.T) *curve.SecretKey {
	t.Helper()
	k, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func serverOf(t *testing.T, key *curve.SecretKey) ringwire.Mechanism {
	t.Helper()
	m, err := curve.Server(key)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func clientOf(t *testing.T, key *curve.SecretKey, server curve.PublicKey) ringwire.Mechanism {
	t.Helper()
	m, err := curve.Client(key, server)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func userOf(t *testing.T, name, password string) ringwire.Mechanism {
	t.Helper()
	m, err := plain.Client(name, password)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMistakesOfPairs: two sockets that do not fit. Both say what is wrong, the
// server, which is bound, in an event, the client in the error of WaitPeers.
func TestMistakesOfPairs(t *testing.T) {
	server, client, other := newKey(t), newKey(t), newKey(t)
	// plain.Users says the same, and takes its time for it.
	users := func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		return ringwire.Verdict{Allow: c.Username == "ann" && c.Password == "right"}, nil
	}
	good := socket.Options{Mechanism: serverOf(t, server), Authenticator: curve.AllowKeys(client.Public())}
	for name, mistake := range map[string]struct {
		server, client socket.Options
		event, wait    string // what is said
	}{
		"the client has its own key for the server's": {
			server: good, client: socket.Options{Mechanism: clientOf(t, client, client.Public())},
			event: "the client has another key for the server than ours, want " + server.Public().String(),
			wait:  "the key that this client has for the server, " + client.Public().String()[:10] + "..., may not be the server's",
		},
		"the client has the server's key for its own": {
			server: good, client: socket.Options{Mechanism: clientOf(t, server, server.Public())},
			event: "the client with public key " + server.Public().String() + ": not allowed by the Authenticator",
			wait:  "it does not allow the client with public key " + server.Public().String(),
		},
		"the server has the client's key": {
			server: socket.Options{Mechanism: serverOf(t, client), Authenticator: curve.AllowAny},
			client: socket.Options{Mechanism: clientOf(t, client, server.Public())},
			event:  "the client has another key for the server than ours, want " + client.Public().String(),
			wait:   "the key that this client has for the server, " + server.Public().String()[:10] + "..., may not be the server's",
		},
		"another server's key": {
			server: good, client: socket.Options{Mechanism: clientOf(t, client, other.Public())},
			event: "the client has another key for the server than ours, want " + server.Public().String(),
			wait:  "the key that this client has for the server, " + other.Public().String()[:10] + "..., may not be the server's",
		},
		"a client that is not allowed": {
			server: good, client: socket.Options{Mechanism: clientOf(t, other, server.Public())},
			event: "the client with public key " + other.Public().String() + ": not allowed by the Authenticator",
			wait:  "it does not allow the client with public key " + other.Public().String(),
		},
		"a client without a mechanism": {
			server: good, client: socket.Options{},
			event: "the peer's mechanism is NULL, ours is CURVE, want the same on both sides, see option Mechanism",
			wait:  "the peer's mechanism is CURVE, ours is NULL, want the same on both sides, see option Mechanism",
		},
		"a server without a mechanism": {
			server: socket.Options{}, client: socket.Options{Mechanism: clientOf(t, client, server.Public())},
			event: "the peer's mechanism is CURVE, ours is NULL, want the same on both sides, see option Mechanism",
			wait:  "the peer's mechanism is NULL, ours is CURVE, want the same on both sides, see option Mechanism",
		},
		"PLAIN here, CURVE there": {
			server: good, client: socket.Options{Mechanism: userOf(t, "ann", "right")},
			event: "the peer's mechanism is PLAIN, ours is CURVE, want the same",
			wait:  "the peer's mechanism is CURVE, ours is PLAIN, want the same",
		},
		"two clients": {
			server: socket.Options{Mechanism: clientOf(t, server, client.Public())},
			client: socket.Options{Mechanism: clientOf(t, client, server.Public())},
			event:  "both sides are CURVE clients, want one of them to be the server",
			wait:   "both sides are CURVE clients, want one of them to be the server",
		},
		"two servers": {
			server: good, client: socket.Options{Mechanism: serverOf(t, client), Authenticator: curve.AllowAny},
			event: "both sides are CURVE servers, want one of them to be the client",
			wait:  "both sides are CURVE servers, want one of them to be the client",
		},
		"a wrong password": {
			server: socket.Options{Mechanism: plain.Server(), Authenticator: users}, client: socket.Options{Mechanism: userOf(t, "ann", "wrong")},
			event: `user "ann" with this password: not allowed by the Authenticator`,
			wait:  `it does not allow user "ann" with this password`,
		},
		"an unknown user": {
			server: socket.Options{Mechanism: plain.Server(), Authenticator: users}, client: socket.Options{Mechanism: userOf(t, "bob", "right")},
			event: `user "bob" with this password: not allowed by the Authenticator`,
			wait:  `it does not allow user "bob" with this password`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event, wait := misfit(t, mistake.server, mistake.client)
			if !strings.Contains(event, mistake.event) {
				t.Errorf("the server's event is\n     %s\nwant %s", event, mistake.event)
			}
			if !strings.Contains(wait, mistake.wait) {
				t.Errorf("the client's WaitPeers is\n     %s\nwant %s", wait, mistake.wait)
			}
		})
	}
}

// misfit joins two sockets that cannot be joined, and returns what both say.
func misfit(t *testing.T, server, client socket.Options) (event, wait string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pull, err := socket.New(pattern.Pull, &server)
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
	push, err := socket.New(pattern.Push, &client)
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	theirs := push.Events(ctx)
	ours := pull.Events(ctx)
	at, err := pull.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	if err := push.Connect(at); err != nil {
		t.Fatal(err)
	}
	for ev := range ours {
		if ev.Kind == socket.Rejected || ev.Kind == socket.HandshakeFailed {
			event = ev.Err.Error()
			break
		}
	}
	for ev := range theirs {
		if ev.Kind == socket.ConnectRetried { // it has failed, and is remembered
			break
		}
	}
	over, stop := context.WithCancel(ctx)
	stop()
	err = push.WaitPeers(over, 1)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("WaitPeers = %v, want the end of its context", err)
	}
	return event, err.Error()
}

// TestMistakesOfOne: what is wrong with one socket, a key or a file is an error of
// the call.
func TestMistakesOfOne(t *testing.T) {
	key := newKey(t)
	text := key.Public().String()
	dir := t.TempDir()
	certificate := &curve.Certificate{Public: key.Public(), Secret: key}
	if err := certificate.Write(filepath.Join(dir, "loose")); err != nil {
		t.Fatal(err)
	}
	loose := filepath.Join(dir, "loose_secret")
	if err := os.Chmod(loose, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, mistake := range map[string]struct {
		do   func() error
		want string
	}{
		"no Authenticator": {
			func() error {
				_, err := socket.New(pattern.Pull, &socket.Options{Mechanism: serverOf(t, key)})
				return err
			},
			"option Authenticator is nil with a CURVE server, want one that says who may connect, such as curve.AllowKeys, or curve.AllowAny, which lets everybody in",
		},
		"no Authenticator, PLAIN": {
			func() error {
				_, err := socket.New(pattern.Pull, &socket.Options{Mechanism: plain.Server()})
				return err
			},
			"option Authenticator is nil with a PLAIN server, want one that says who may connect, such as plain.Users",
		},
		"a key file that others can read": {
			func() error {
				_, err := curve.ReadCertificate(loose)
				return err
			},
			"others may read or replace the secret key in " + loose + ": its mode is 0644, want 0600, as chmod 600 makes it",
		},
		"a key with a character too few": {
			func() error {
				_, err := curve.ParsePublicKey(text[1:])
				return err
			},
			"a key of 39 characters, want 40 in Z85",
		},
		"a key with the end of its line": {
			func() error {
				_, err := curve.ParsePublicKey(text + "\n")
				return err
			},
			"a key of 41 characters, want 40 in Z85 and no newline behind it",
		},
		"a key that is not Z85": {
			func() error {
				_, err := curve.ParseSecretKey(text[:39] + "~")
				return err
			},
			"character 40 of a Z85 text is not in its alphabet",
		},
		"no key": {
			func() error {
				_, err := curve.Client(nil, key.Public())
				return err
			},
			"the client's secret key is nil, want one of NewSecretKey",
		},
		"no server's key": {
			func() error {
				_, err := curve.Client(key, curve.PublicKey{})
				return err
			},
			"the server's key is all zeros, want the public key of the server",
		},
		"a password for Users that is no hash": {
			func() error {
				_, err := plain.Users(map[string]string{"ann": "right"})
				return err
			},
			`the hash of user "ann": want pbkdf2-sha256$rounds$salt$key, as Hash makes it`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && strings.Contains(name, "others") {
				t.Skip("files have no modes here")
			}
			if err := mistake.do(); err == nil || !strings.Contains(err.Error(), mistake.want) {
				t.Errorf("got  %v\nwant %s", err, mistake.want)
			}
		})
	}
}
