package attack

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/nacl/box"
)

// keyPair is a Curve25519 key pair.
type keyPair struct{ public, secret [32]byte }

func newKeyPair() (k keyPair) {
	public, secret, err := box.GenerateKey(rand.Reader)
	if err != nil {
		panic(fmt.Sprintf("crypto/rand does not fail: %v", err))
	}
	return keyPair{*public, *secret}
}

// shared is the key of boxes between k and the owner of a public key.
func (k *keyPair) shared(public []byte) *[32]byte {
	var key [32]byte
	box.Precompute(&key, (*[32]byte)(public), &k.secret)
	return &key
}

// Prefixes of nonces (RFC 26).
const (
	nonceHello    = "CurveZMQHELLO---"
	nonceWelcome  = "WELCOME-"
	nonceInitiate = "CurveZMQINITIATE"
	nonceVouch    = "VOUCH---"
	nonceReady    = "CurveZMQREADY---"
	nonceClient   = "CurveZMQMESSAGEC"
	nonceServer   = "CurveZMQMESSAGES"

	curveCookie  = 96
	curveWelcome = 144 // the box
)

func nonce(prefix string, rest []byte) *[24]byte {
	var n [24]byte
	copy(n[copy(n[:], prefix):], rest)
	return &n
}

func counter(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// curveShake is a client's handshake, a step at a time, with everything that can be
// wrong in it as a field.
type curveShake struct {
	own       keyPair // long-term
	server    [32]byte
	transient keyPair
	response  [32]byte // the server's transient key
	cookie    []byte
	traffic   *[32]byte

	// What to say instead of the truth.
	claims   []byte // transient key in HELLO
	version  byte   // in HELLO
	vouchFor []byte // transient key in the vouch
	vouchTo  []byte // server's key in the vouch
	last     uint64 // nonce of INITIATE
}

func newCurveShake(own keyPair, server [32]byte) *curveShake {
	s := &curveShake{own: own, server: server, transient: newKeyPair(), version: 1, last: 2}
	s.claims, s.vouchFor, s.vouchTo = s.transient.public[:], s.transient.public[:], s.server[:]
	return s
}

// hello is the data of HELLO.
func (s *curveShake) hello() []byte {
	data := make([]byte, 2+72, 200)
	data[0] = s.version
	data = append(data, s.claims...)
	data = append(data, counter(1)...)
	return box.SealAfterPrecomputation(data, make([]byte, 64), nonce(nonceHello, counter(1)), s.transient.shared(s.server[:]))
}

// welcome reads the data of WELCOME.
func (s *curveShake) welcome(data []byte) error {
	if len(data) != 16+curveWelcome {
		return fmt.Errorf("WELCOME of %d bytes", len(data))
	}
	plain, ok := box.OpenAfterPrecomputation(nil, data[16:], nonce(nonceWelcome, data[:16]), s.transient.shared(s.server[:]))
	if !ok {
		return errors.New("the box of WELCOME does not open")
	}
	s.response, s.cookie = [32]byte(plain), plain[32:]
	s.traffic = s.transient.shared(s.response[:])
	return nil
}

// initiate is the data of INITIATE.
func (s *curveShake) initiate(meta []byte) []byte {
	var random [16]byte
	rand.Read(random[:]) // it never fails
	inside := append(append([]byte(nil), s.own.public[:]...), random[:]...)
	vouched := append(append([]byte(nil), s.vouchFor...), s.vouchTo...)
	inside = box.SealAfterPrecomputation(inside, vouched, nonce(nonceVouch, random[:]), s.own.shared(s.response[:]))
	inside = append(inside, meta...)
	data := append(append([]byte(nil), s.cookie...), counter(s.last)...)
	return box.SealAfterPrecomputation(data, inside, nonce(nonceInitiate, counter(s.last)), s.traffic)
}

// curveTraffic seals and opens the frames of a connection that is ready.
type curveTraffic struct {
	key  *[32]byte
	next uint64 // nonce of the next frame
}

// seal is the frame on the wire.
func (t *curveTraffic) seal(flags byte, body []byte) []byte {
	inner := flags & flagMore
	if flags&flagCommand != 0 {
		inner |= 2
	}
	n := t.next
	t.next++
	data := append([]byte("\x07MESSAGE"), counter(n)...)
	return frame(0, box.SealAfterPrecomputation(data, append([]byte{inner}, body...), nonce(nonceClient, counter(n)), t.key))
}

// open is what is in a frame's body.
func (t *curveTraffic) open(body []byte) (flags byte, plain []byte, err error) {
	if len(body) < 33 {
		return 0, nil, fmt.Errorf("MESSAGE of %d bytes", len(body))
	}
	plain, ok := box.OpenAfterPrecomputation(nil, body[16:], nonce(nonceServer, body[8:16]), t.key)
	if !ok {
		return 0, nil, errors.New("the box of a MESSAGE does not open")
	}
	flags = plain[0] & flagMore
	if plain[0]&2 != 0 {
		flags |= flagCommand
	}
	return flags, plain[1:], nil
}
