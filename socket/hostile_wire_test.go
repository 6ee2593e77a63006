package socket_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// What follows writes ZMTP by hand, so that it can be wrong.

func hostileGreeting(major, minor byte, mechanism string, asServer byte) []byte {
	g := make([]byte, 64)
	g[0], g[8], g[9], g[10], g[11], g[32] = 0xFF, 1, 0x7F, major, minor, asServer
	copy(g[12:32], mechanism)
	return g
}

var hostileHello = hostileGreeting(3, 1, "NULL", 0)

const (
	hostileMore    = 1
	hostileLong    = 2
	hostileCommand = 4
)

// hostileFrame is a frame in the form that its size asks for.
func hostileFrame(flags byte, body []byte) []byte {
	if len(body) > 255 {
		return append(hostileHeader(flags, uint64(len(body))), body...)
	}
	return append([]byte{flags, byte(len(body))}, body...)
}

// hostileHeader is a long header that declares what it likes.
func hostileHeader(flags byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | hostileLong}, size)
}

func hostileCmd(name string, data ...byte) []byte {
	return hostileFrame(hostileCommand, append(append([]byte{byte(len(name))}, name...), data...))
}

func hostilePing(ttl uint16, context string) []byte {
	return hostileCmd("PING", append(binary.BigEndian.AppendUint16(nil, ttl), context...)...)
}

func hostileProperty(name, value string) []byte {
	p := append([]byte{byte(len(name))}, name...)
	p = binary.BigEndian.AppendUint32(p, uint32(len(value)))
	return append(p, value...)
}

// hostileReady is a READY with pairs of names and values.
func hostileReady(socketType string, pairs ...string) []byte {
	body := hostileProperty("Socket-Type", socketType)
	for p := range slices.Chunk(pairs, 2) {
		body = append(body, hostileProperty(p[0], p[1])...)
	}
	return hostileCmd("READY", body...)
}

// hostileConn is one attacker.
type hostileConn struct {
	net.Conn
	t      testing.TB
	remote string // how the victim sees it
	born   time.Time
}

var hostileNames atomic.Int64

// hostileConnect connects from an address of its own, over a Unix socket, too.
func hostileConnect(network, address string) (net.Conn, error) {
	if network != "ipc" {
		return net.Dial("tcp", address)
	}
	local := &net.UnixAddr{Name: fmt.Sprintf("@hostile-%d-%d", os.Getpid(), hostileNames.Add(1)), Net: "unix"}
	for {
		conn, err := net.DialUnix("unix", local, &net.UnixAddr{Name: address, Net: "unix"})
		if !errors.Is(err, syscall.EAGAIN) {
			return conn, err
		}
		time.Sleep(100 * time.Microsecond) // the accept queue is full
	}
}

// hostileDial connects without a word.
func hostileDial(t testing.TB, network, address string) *hostileConn {
	t.Helper()
	born := time.Now()
	conn, err := hostileConnect(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(hostileGuard))
	return &hostileConn{Conn: conn, t: t, remote: conn.LocalAddr().String(), born: born}
}

func (a *hostileArena) dial(network string) *hostileConn {
	a.t.Helper()
	return hostileDial(a.t, network, a.at[network])
}

// raid connects as the peer type does and completes the handshake.
func (a *hostileArena) raid(network string, pairs ...string) *hostileConn {
	a.t.Helper()
	c := a.dial(network)
	c.put(hostileHello, hostileReady(hostilePeerOf(a.victim.Type()).Name(), pairs...))
	a.events.wait(a.t, "ready "+c.remote, func(e *socket.Event) bool { return e.Kind == socket.Ready && e.Remote == c.remote })
	if err := c.readHandshake(a.victim.Type().Name()); err != nil {
		a.t.Fatal(err)
	}
	return c
}

// put writes. The victim may have hung up already, which the test sees in its
// own way; not reading is a fault.
func (c *hostileConn) put(pieces ...[]byte) {
	c.t.Helper()
	_, err := c.Write(bytes.Join(pieces, nil))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("the victim does not read: %v", err)
	}
}

// readHandshake reads greeting and READY and checks the latter's type.
func (c *hostileConn) readHandshake(want string) error {
	var greeting [64]byte
	if _, err := io.ReadFull(c, greeting[:]); err != nil {
		return fmt.Errorf("read greeting: %w", err)
	}
	flags, body, err := c.readFrame()
	if err != nil {
		return fmt.Errorf("read READY: %w", err)
	}
	if flags&hostileCommand == 0 || !bytes.HasPrefix(body, append([]byte("\x05READY"), hostileProperty("Socket-Type", want)...)) {
		return fmt.Errorf("got frame %#x %q, want a READY of %s", flags, body, want)
	}
	return nil
}

func (c *hostileConn) readFrame() (flags byte, body []byte, err error) {
	var h [9]byte
	if _, err := io.ReadFull(c, h[:2]); err != nil {
		return 0, nil, err
	}
	size := uint64(h[1])
	if h[0]&hostileLong != 0 {
		if _, err := io.ReadFull(c, h[2:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(h[1:])
	}
	if size > 1<<20 {
		return 0, nil, fmt.Errorf("frame of %d bytes", size)
	}
	body = make([]byte, size)
	_, err = io.ReadFull(c, body)
	return h[0], body, err
}

// pong returns the context of the next PONG, behind anything else.
func (c *hostileConn) pong() string {
	c.t.Helper()
	for {
		flags, body, err := c.readFrame()
		if err != nil {
			c.t.Fatalf("no PONG: %v", err)
		}
		if flags&hostileCommand != 0 && strings.HasPrefix(string(body), "\x04PONG") {
			return string(body[5:])
		}
	}
}

// closed waits until the victim has hung up.
func (c *hostileConn) closed() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatal("the victim keeps the connection")
	}
}

// end is the one event with which the victim parted from c.
func (a *hostileArena) end(c *hostileConn) socket.Event {
	a.t.Helper()
	// Ports are used again: what ended before was another.
	match := func(e *socket.Event) bool {
		return hostileEnds(e.Kind) && e.Remote == c.remote && e.Time.After(c.born)
	}
	ev := a.events.wait(a.t, "the end of "+c.remote, match)
	if all := a.events.find(match); len(all) != 1 {
		a.t.Errorf("events of one peer's end: got %v, want one", all)
	}
	return ev
}

// thrown expects that the victim hangs up on c and says why.
func (a *hostileArena) thrown(c *hostileConn, kind socket.EventKind, why error) {
	a.t.Helper()
	c.closed()
	if ev := a.end(c); ev.Kind != kind || !errors.Is(ev.Err, why) {
		a.t.Errorf("event: got %v with %v, want %v with %v", ev.Kind, ev.Err, kind, why)
	}
	c.Close()
}

// kept expects that c is still served, and leaves in peace.
func (a *hostileArena) kept(c *hostileConn) {
	a.t.Helper()
	c.put(hostilePing(0, "still here?"))
	for c.pong() != "still here?" { // it may have asked before
	}
	c.Close()
	if ev := a.end(c); ev.Kind != socket.Disconnected {
		a.t.Errorf("event: got %v with %v, want %v", ev.Kind, ev.Err, socket.Disconnected)
	}
}
