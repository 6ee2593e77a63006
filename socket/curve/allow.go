package curve

import (
	"context"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
)

// AllowKeys is an Authenticator that lets in the clients with these public keys.
// The principal is the key in Z85.
func AllowKeys(keys ...PublicKey) func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
	set := make(map[PublicKey]bool, len(keys))
	for _, k := range keys {
		set[k] = true
	}
	return func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		key, err := keyOf(c)
		if err != nil {
			return ringwire.Verdict{}, err
		}
		return ringwire.Verdict{Allow: set[key], Principal: key.String()}, nil
	}
}

// AllowAny is an Authenticator that lets every client in that knows the server's
// key: the traffic is encrypted, and nobody is kept out. The principal is the
// client's key in Z85.
func AllowAny(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
	key, err := keyOf(c)
	if err != nil {
		return ringwire.Verdict{}, err
	}
	return ringwire.Verdict{Allow: true, Principal: key.String()}, nil
}

func keyOf(c ringwire.Credentials) (PublicKey, error) {
	if c.Mechanism == "NULL" {
		return PublicKey{}, errors.New("curve: a peer of NULL has no key: the socket's Options.Mechanism is missing, want one of Server")
	}
	if c.Mechanism != "CURVE" || len(c.PublicKey) != KeySize {
		return PublicKey{}, fmt.Errorf("curve: credentials of %s with a key of %d bytes, want CURVE and %d", c.Mechanism, len(c.PublicKey), KeySize)
	}
	return PublicKey(c.PublicKey), nil
}
