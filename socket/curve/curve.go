// Package curve is ZMTP's CURVE mechanism (RFC 26), which encrypts and
// authenticates every message: keys, certificate files, and what lets clients in.
//
//	serverKey, err := curve.NewSecretKey()
//	if err != nil {
//		return err
//	}
//	clientKey, err := curve.NewSecretKey()
//	if err != nil {
//		return err
//	}
//
//	server, err := curve.Server(serverKey)
//	if err != nil {
//		return err
//	}
//	rep, err := socket.New(pattern.Rep, &socket.Options{
//		Mechanism: server, Authenticator: curve.AllowKeys(clientKey.Public()),
//	})
//	if err != nil {
//		return err
//	}
//	defer rep.Close()
//
//	client, err := curve.Client(clientKey, serverKey.Public())
//	if err != nil {
//		return err
//	}
//	req, err := socket.New(pattern.Req, &socket.Options{Mechanism: client})
//	if err != nil {
//		return err
//	}
//	defer req.Close()
//
// A server has a key pair whose public half its clients know; each client has one
// of its own, by which the server knows it. Which side is the server has nothing
// to do with which side binds. CURVE hides what is sent, not how much, when, and
// between which kinds of sockets.
package curve

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/security"
)

// KeySize is the size of keys in bytes; as Z85 text they have 40 characters.
const KeySize = security.KeySize

// PublicKey is a public key. It prints, and is written to JSON and text, as Z85.
type PublicKey [KeySize]byte

// ParsePublicKey reads a key of 40 Z85 characters.
func ParsePublicKey(text string) (PublicKey, error) {
	b, err := decodeKey(text)
	return PublicKey(b), err
}

func decodeKey(text string) (key [KeySize]byte, err error) {
	if len(text) != KeySize/4*5 {
		space := ""
		switch trimmed := strings.TrimSpace(text); {
		case strings.TrimRight(text, "\r\n") != text:
			space = " and no newline behind it"
		case trimmed != text:
			space = " and no white space around it"
		}
		return key, fmt.Errorf("curve: a key of %d characters, want %d in Z85%s", len(text), KeySize/4*5, space)
	}
	b, err := DecodeZ85(text)
	copy(key[:], b)
	return key, err
}

// String is the key in Z85.
func (k PublicKey) String() string { return EncodeZ85(k[:]) }

// MarshalText is String.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParsePublicKey.
func (k *PublicKey) UnmarshalText(text []byte) (err error) {
	*k, err = ParsePublicKey(string(text))
	return err
}

// SecretKey is a secret key, and with it the public one. It is passed by pointer,
// and nothing prints, logs or marshals its secret half but Text.
type SecretKey struct{ pair *security.KeyPair }

// NewSecretKey makes a random key. (zmq_curve_keypair.)
func NewSecretKey() (*SecretKey, error) {
	var b [KeySize]byte
	if _, err := rand.Read(b[:]); err != nil {
		return nil, fmt.Errorf("curve: make a key: %w", err)
	}
	defer clear(b[:])
	return newSecretKey(b[:])
}

func newSecretKey(b []byte) (*SecretKey, error) {
	pair, err := security.NewKeyPair(b)
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	return &SecretKey{pair}, nil
}

// ParseSecretKey reads a secret key of 40 Z85 characters.
func ParseSecretKey(text string) (*SecretKey, error) {
	b, err := decodeKey(text)
	if err != nil {
		return nil, err
	}
	defer clear(b[:])
	return newSecretKey(b[:])
}

// Public is the public key. (zmq_curve_public.)
func (k *SecretKey) Public() PublicKey { return PublicKey(k.pair.Public()) }

// Text is the secret key in Z85: the one way to see it.
func (k *SecretKey) Text() string {
	b := k.pair.Secret()
	defer clear(b)
	return EncodeZ85(b)
}

// String says whose secret it is.
func (k *SecretKey) String() string {
	return fmt.Sprintf("secret key, redacted, of public key %s", k.Public())
}

// Format is String, whatever the verb.
func (k *SecretKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// MarshalText is an error: a secret does not belong in a document by accident.
func (k *SecretKey) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("curve: %s is not marshalled: Text has it", k)
}

// MarshalJSON is an error, see MarshalText.
func (k *SecretKey) MarshalJSON() ([]byte, error) { return k.MarshalText() }

// LogValue is String.
func (k *SecretKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

var _ json.Marshaler = (*SecretKey)(nil)

// Client is the client's side: its own key, and the server's. A server's key that
// cannot be one is an error. (ZMQ_CURVE_PUBLICKEY, ZMQ_CURVE_SECRETKEY,
// ZMQ_CURVE_SERVERKEY.)
func Client(key *SecretKey, server PublicKey) (ringwire.Mechanism, error) {
	if key == nil {
		return nil, fmt.Errorf("curve: the client's secret key is nil, want one of NewSecretKey")
	}
	if server == (PublicKey{}) {
		return nil, fmt.Errorf("curve: the server's key is all zeros, want the public key of the server")
	}
	m, err := security.NewCurveClient(key.pair, server)
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	return m, nil
}

// Server is the server's side. With more than one key clients may know any of
// them, as while a key is being changed. Its socket must have an Authenticator:
// AllowKeys, AllowAny, or one of your own. (ZMQ_CURVE_SERVER.)
func Server(keys ...*SecretKey) (ringwire.Mechanism, error) {
	pairs := make([]*security.KeyPair, len(keys))
	for i, k := range keys {
		if k == nil {
			return nil, fmt.Errorf("curve: secret key %d of the server is nil, want one of NewSecretKey", i)
		}
		pairs[i] = k.pair
	}
	m, err := security.NewCurveServer(pairs...)
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	return m, nil
}
