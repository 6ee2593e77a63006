package security

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	//lint:ignore SA1019 secretbox computes a subkey for every message that is the same for all: see direction
	"golang.org/x/crypto/poly1305"
	//lint:ignore SA1019 secretbox computes a subkey for every message that is the same for all: see direction
	"golang.org/x/crypto/salsa20/salsa"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// Traffic of a CURVE connection (RFC 26, MESSAGE): each frame becomes one frame
// with 33 more bytes in it. The outer flags are those of a message, as libzmq
// sends them, though RFC 37 says commands; MORE and whether it is a command are
// inside the box.
const (
	messageName   = "\x07MESSAGE"
	messageHead   = len(messageName) + 8 // and the counter
	messageExtra  = messageHead + boxOverhead + 1
	boxMore       = 0x01
	boxCommand    = 0x02 // not the frame's bit: libzmq's
	fromClient    = "CurveZMQMESSAGEC"
	fromServer    = "CurveZMQMESSAGES"
	streamBlock   = 64
	streamPolyKey = 32
)

var errNonces = errors.New("security: every nonce of this CURVE connection was used")

// direction is the cipher of one direction of a connection. The first 16 bytes
// of its nonces never change, so XSalsa20's subkey is computed once; secretbox
// would compute it for every message.
type direction struct {
	key     [32]byte
	counter uint64 // of the last message
}

func newDirection(shared *[32]byte, prefix string, counter uint64) (d direction) {
	var in [16]byte
	copy(in[:], prefix)
	salsa.HSalsa20(&d.key, &in, shared, &salsa.Sigma)
	d.counter = counter
	return d
}

// seal appends the wire form of a frame with these flags and body.
func (d *direction) seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	if d.counter == math.MaxUint64 {
		return dst, errNonces
	}
	d.counter++
	dst = zmtp.AppendHeader(dst, 0, messageExtra+len(body))
	dst = append(dst, messageName...)
	dst = binary.BigEndian.AppendUint64(dst, d.counter)
	at := len(dst)
	dst = append(dst, make([]byte, boxOverhead+1)...) // the compiler allocates nothing here
	dst = append(dst, body...)
	dst[at+boxOverhead] = flags

	var nonce [16]byte // counter of the message, then of its blocks of key stream
	binary.BigEndian.PutUint64(nonce[:], d.counter)
	text := dst[at+boxOverhead:]
	var block [streamBlock]byte
	n := copy(block[streamPolyKey:], text)
	salsa.XORKeyStream(block[:], block[:], &nonce, &d.key)
	copy(text, block[streamPolyKey:])
	if n < len(text) {
		nonce[8] = 1
		salsa.XORKeyStream(text[n:], text[n:], &nonce, &d.key)
	}
	poly1305.Sum((*[poly1305.TagSize]byte)(dst[at:]), text, (*[32]byte)(block[:streamPolyKey]))
	return dst, nil
}

// open appends the plain body of a frame. Its counter must be higher than that
// of any frame before: a frame cannot come twice, or out of order.
func (d *direction) open(dst, body []byte) (out []byte, flags byte, err error) {
	if len(body) < messageExtra || string(body[:len(messageName)]) != messageName {
		return dst, 0, fmt.Errorf("a frame of %d bytes is no MESSAGE: %w", len(body), ringwire.ErrProtocol)
	}
	counter := binary.BigEndian.Uint64(body[len(messageName):])
	if counter <= d.counter {
		return dst, 0, fmt.Errorf("MESSAGE with nonce %d after %d: %w", counter, d.counter, ringwire.ErrProtocol)
	}
	tag, text := body[messageHead:messageHead+boxOverhead], body[messageHead+boxOverhead:]

	var nonce [16]byte
	binary.BigEndian.PutUint64(nonce[:], counter)
	var block [streamBlock]byte
	n := copy(block[streamPolyKey:], text)
	salsa.XORKeyStream(block[:], block[:], &nonce, &d.key)
	if !poly1305.Verify((*[poly1305.TagSize]byte)(tag), text, (*[32]byte)(block[:streamPolyKey])) {
		return dst, 0, fmt.Errorf("the box of a MESSAGE does not open: %w", ringwire.ErrProtocol)
	}
	d.counter = counter
	switch inner := block[streamPolyKey]; inner {
	case 0:
	case boxMore:
		flags = zmtp.FlagMore
	case boxCommand:
		flags = zmtp.FlagCommand
	default:
		return dst, 0, fmt.Errorf("MESSAGE with flags %#x: %w", inner, ringwire.ErrProtocol)
	}
	dst = append(dst, block[streamPolyKey+1:streamPolyKey+n]...)
	if n < len(text) {
		at := len(dst)
		dst = append(dst, text[n:]...)
		nonce[8] = 1
		salsa.XORKeyStream(dst[at:], dst[at:], &nonce, &d.key)
	}
	return dst, flags, nil
}
