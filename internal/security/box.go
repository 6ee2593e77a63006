package security

import (
	"crypto/ecdh"
	"fmt"
	"io"

	"golang.org/x/crypto/nacl/secretbox"
	//lint:ignore SA1019 box.Precompute has HSalsa20, too, but takes keys of low order
	"golang.org/x/crypto/salsa20/salsa"

	"github.com/ringwire/ringwire"
)

// KeySize is the size of CURVE's keys, public and secret, in bytes.
const KeySize = 32

// boxOverhead is what a box adds to what it holds.
const boxOverhead = secretbox.Overhead

// KeyPair is a Curve25519 key pair. It is passed by pointer and prints without
// its secret half.
type KeyPair struct {
	secret *ecdh.PrivateKey
	public [KeySize]byte
}

// NewKeyPair makes a key pair of 32 secret bytes.
func NewKeyPair(secret []byte) (*KeyPair, error) {
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("secret key of %d bytes, want %d", len(secret), KeySize)
	}
	return &KeyPair{key, [KeySize]byte(key.PublicKey().Bytes())}, nil
}

// generate makes a key pair of random bytes.
func generate(random io.Reader) (*KeyPair, error) {
	var secret [KeySize]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return nil, fmt.Errorf("make a transient key: %w", err)
	}
	return NewKeyPair(secret[:])
}

// Public is the public key.
func (k *KeyPair) Public() [KeySize]byte { return k.public }

// Secret is the secret key, a copy.
func (k *KeyPair) Secret() []byte { return k.secret.Bytes() }

// Format prints no secret, whatever the verb.
func (k *KeyPair) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "key pair with public key %s..., secret key redacted", EncodeZ85(k.public[:8]))
}

// shared is the key of boxes between k and the owner of a public key: NaCl's
// crypto_box_beforenm. A public key of low order, with which anybody could know
// the shared key, is refused: box.Precompute of x/crypto takes it.
func (k *KeyPair) shared(public []byte) (*[32]byte, error) {
	peer, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("public key of %d bytes, want %d: %w", len(public), KeySize, ringwire.ErrProtocol)
	}
	point, err := k.secret.ECDH(peer)
	if err != nil {
		return nil, fmt.Errorf("public key of low order: %w", ringwire.ErrProtocol)
	}
	var key, in [32]byte
	copy(in[:], point)
	var zeros [16]byte
	salsa.HSalsa20(&key, &zeros, &in, &salsa.Sigma)
	return &key, nil
}

// longNonce is a nonce of a prefix of 8 bytes and 16 others, shortNonce one of a
// prefix of 16 bytes and a counter.
func longNonce(prefix string, rest []byte) *[24]byte {
	var n [24]byte
	copy(n[copy(n[:], prefix):], rest)
	return &n
}

func shortNonce(prefix string, counter []byte) *[24]byte { return longNonce(prefix, counter) }

// seal appends a box.
func seal(dst, plain []byte, nonce *[24]byte, key *[32]byte) []byte {
	return secretbox.Seal(dst, plain, nonce, key)
}

// unbox returns what is in a box.
func unbox(box []byte, nonce *[24]byte, key *[32]byte, what string) ([]byte, error) {
	plain, ok := secretbox.Open(nil, box, nonce, key)
	if !ok {
		return nil, fmt.Errorf("the box of %s does not open: %w", what, ringwire.ErrProtocol)
	}
	return plain, nil
}
