package socket_test

import (
	"testing"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// curveOptions are those of a server under CURVE, which lets anybody in who knows
// its key, and of a client that does.
func curveOptions(t testing.TB) (server, client *socket.Options) {
	t.Helper()
	key := curveKey(t)
	mechanism, err := curve.Server(key)
	if err != nil {
		t.Fatal(err)
	}
	return &socket.Options{Mechanism: mechanism, Authenticator: curve.AllowAny}, curveClientOf(t, curveKey(t), key.Public())
}

func curveClientOf(t testing.TB, key *curve.SecretKey, server curve.PublicKey) *socket.Options {
	t.Helper()
	mechanism, err := curve.Client(key, server)
	if err != nil {
		t.Fatal(err)
	}
	return &socket.Options{Mechanism: mechanism}
}

func curveKey(t testing.TB) *curve.SecretKey {
	t.Helper()
	key, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}
