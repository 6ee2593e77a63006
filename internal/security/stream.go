package security

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

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
	streamWide    = 4 * streamBlock // what is done at once
	streamFull    = 2 * streamBlock // from what on that is faster than one block after another
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

// keystream XORs the key stream of a message into text, which begins with the
// streamPolyKey bytes that become the key of its tag, and spills over the end, for
// which text has room: see pad.
func (d *direction) keystream(text []byte, counter uint64) {
	var nonce [16]byte // counter of the message, then of its blocks
	binary.BigEndian.PutUint64(nonce[:], counter)
	text = text[:pad(len(text))]
	salsa.XORKeyStream(text, text, &nonce, &d.key)
}

// pad is how many bytes keystream works on for n. The library copies what is no
// whole block aside and back. It does four blocks side by side, in less time than
// two after one another, since each of those waits for itself.
func pad(n int) int {
	n = (n + streamBlock - 1) &^ (streamBlock - 1)
	if n%streamWide >= streamFull {
		n = (n + streamWide - 1) &^ (streamWide - 1)
	}
	return n
}

// seal appends the wire form of a frame with these flags and body.
func (d *direction) seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	if d.counter == math.MaxUint64 {
		return dst, errNonces
	}
	d.counter++
	dst = zmtp.AppendHeader(dst, 0, messageExtra+len(body))
	at, size := len(dst), messageExtra+len(body)
	dst = slices.Grow(dst, pad(size))[:at+size]

	// What is in front of the flags on the wire is as long as the key of the tag,
	// whose place it takes: all is done where it belongs.
	frame := dst[at:]
	*(*[streamPolyKey]byte)(frame) = [streamPolyKey]byte{}
	frame[streamPolyKey] = flags
	copy(frame[streamPolyKey+1:], body)
	d.keystream(frame, d.counter)
	key := [streamPolyKey]byte(frame)
	poly1305.Sum((*[poly1305.TagSize]byte)(frame[messageHead:]), frame[streamPolyKey:], &key)
	copy(frame, messageName)
	binary.BigEndian.PutUint64(frame[len(messageName):], d.counter)
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
	at, size := len(dst), len(body)-messageExtra
	dst = slices.Grow(dst, pad(len(body)))
	frame := dst[at : at+len(body)]
	*(*[streamPolyKey]byte)(frame) = [streamPolyKey]byte{}
	copy(frame[streamPolyKey:], body[streamPolyKey:])
	d.keystream(frame, counter)
	key := [streamPolyKey]byte(frame)
	if !poly1305.Verify((*[poly1305.TagSize]byte)(body[messageHead:]), body[streamPolyKey:], &key) {
		return dst, 0, fmt.Errorf("the box of a MESSAGE does not open: %w", ringwire.ErrProtocol)
	}
	d.counter = counter
	switch inner := frame[streamPolyKey]; inner {
	case 0:
	case boxMore:
		flags = zmtp.FlagMore
	case boxCommand:
		flags = zmtp.FlagCommand
	default:
		return dst, 0, fmt.Errorf("MESSAGE with flags %#x: %w", inner, ringwire.ErrProtocol)
	}
	copy(frame, frame[streamPolyKey+1:])
	return dst[:at+size], flags, nil
}
