package socket_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// confRaw is a peer that a test speaks for, byte by byte. It shares no code
// with the library.
type confRaw struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// The flags of a frame.
const (
	confMore    = 0x01
	confLong    = 0x02
	confCommand = 0x04
)

// confDial connects a raw peer to a tcp endpoint.
func confDial(t *testing.T, endpoint string) *confRaw {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	return confWrap(t, conn)
}

// confListen returns a listener and the endpoint that leads to it.
func confListen(t *testing.T) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, "tcp://" + l.Addr().String()
}

// confAccept waits for a connection.
func confAccept(t *testing.T, l net.Listener) *confRaw {
	t.Helper()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(confGuard))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return confWrap(t, conn)
}

func confWrap(t *testing.T, conn net.Conn) *confRaw {
	conn.SetDeadline(time.Now().Add(confGuard))
	t.Cleanup(func() { conn.Close() })
	return &confRaw{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// write sends bytes as they are.
func (r *confRaw) write(b []byte) {
	r.t.Helper()
	if _, err := r.conn.Write(b); err != nil {
		r.t.Fatalf("raw peer: write: %v", err)
	}
}

// greet exchanges greetings: ours announces ZMTP 3.minor and NULL.
func (r *confRaw) greet(minor byte) {
	r.t.Helper()
	out := make([]byte, 64)
	out[0], out[8], out[9], out[10], out[11] = 0xFF, 1, 0x7F, 3, minor
	copy(out[12:], "NULL")
	r.write(out)
	in := make([]byte, 64)
	if _, err := io.ReadFull(r.in, in); err != nil {
		r.t.Fatalf("raw peer: greeting: %v", err)
	}
	if in[0] != 0xFF || in[9]&1 != 1 || in[10] != 3 || in[11] != 1 || string(in[12:17]) != "NULL\x00" {
		r.t.Fatalf("raw peer: greeting % x, want one of ZMTP 3.1 with NULL", in)
	}
}

// handshake greets and exchanges READY; it returns the peer's properties.
func (r *confRaw) handshake(minor byte, properties ...string) map[string]string {
	r.t.Helper()
	r.greet(minor)
	r.command("READY", string(confProperties(properties...)))
	return r.properties()
}

// properties reads the peer's READY.
func (r *confRaw) properties() map[string]string {
	r.t.Helper()
	flags, body := r.frame()
	if flags&confCommand == 0 || !strings.HasPrefix(string(body), "\x05READY") {
		r.t.Fatalf("raw peer: frame %#x %q, want a READY command", flags, body)
	}
	got := make(map[string]string)
	for b := body[6:]; len(b) > 0; {
		n := int(b[0])
		k := int(binary.BigEndian.Uint32(b[1+n:]))
		got[string(b[1:1+n])] = string(b[5+n : 5+n+k])
		b = b[5+n+k:]
	}
	return got
}

// confProperties encodes names and values, taken in turn.
func confProperties(pairs ...string) (b []byte) {
	for i := 0; i < len(pairs); i += 2 {
		b = append(append(b, byte(len(pairs[i]))), pairs[i]...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(pairs[i+1])))
		b = append(b, pairs[i+1]...)
	}
	return b
}

// confEncode encodes one frame.
func confEncode(flags byte, body string) []byte {
	if len(body) > 255 {
		b := binary.BigEndian.AppendUint64([]byte{flags | confLong}, uint64(len(body)))
		return append(b, body...)
	}
	return append([]byte{flags, byte(len(body))}, body...)
}

// command sends a command.
func (r *confRaw) command(name, data string) {
	r.t.Helper()
	r.write(confEncode(confCommand, string(byte(len(name)))+name+data))
}

// message sends a message.
func (r *confRaw) message(frames ...string) {
	r.t.Helper()
	var b []byte
	for i, f := range frames {
		flags := byte(confMore)
		if i == len(frames)-1 {
			flags = 0
		}
		b = append(b, confEncode(flags, f)...)
	}
	r.write(b)
}

// frame reads one frame.
func (r *confRaw) frame() (flags byte, body []byte) {
	r.t.Helper()
	flags, body, err := r.tryFrame()
	if err != nil {
		r.t.Fatalf("raw peer: read: %v", err)
	}
	return flags, body
}

func (r *confRaw) tryFrame() (flags byte, body []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(r.in, head[:2]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1])
	if head[0]&confLong != 0 {
		if _, err := io.ReadFull(r.in, head[2:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(head[1:])
	}
	if size > 64<<20 {
		return 0, nil, fmt.Errorf("frame of %d bytes", size)
	}
	body = make([]byte, size)
	_, err = io.ReadFull(r.in, body)
	return head[0], body, err
}

// wantCommand reads one frame and compares it with a command.
func (r *confRaw) wantCommand(name, data string) {
	r.t.Helper()
	flags, body := r.frame()
	want := string(byte(len(name))) + name + data
	if flags&^confLong != confCommand || string(body) != want {
		r.t.Fatalf("raw peer: frame %#x %.80q, want command %.80q", flags, body, want)
	}
}

// wantPing reads a PING with this TTL, and returns its context.
func (r *confRaw) wantPing(ttl string) (context string) {
	r.t.Helper()
	flags, body := r.frame()
	context, ok := strings.CutPrefix(string(body), "\x04PING"+ttl)
	if flags != confCommand || !ok || len(context) > 16 {
		r.t.Fatalf("raw peer: frame %#x %.80q, want a PING with TTL %q and a context", flags, body, ttl)
	}
	return context
}

// wantMessage reads a message and compares it.
func (r *confRaw) wantMessage(frames ...string) {
	r.t.Helper()
	var got []string
	for {
		flags, body := r.frame()
		if flags&confCommand != 0 {
			r.t.Fatalf("raw peer: command %.80q, want message %.80q", body, frames)
		}
		got = append(got, string(body))
		if flags&confMore == 0 {
			break
		}
	}
	if !slices.Equal(got, frames) {
		r.t.Fatalf("raw peer: message %.80q, want %.80q", got, frames)
	}
}

// wantEnd reads until the other side has closed the connection; what comes
// before that is discarded.
func (r *confRaw) wantEnd() {
	r.t.Helper()
	if _, err := io.Copy(io.Discard, r.in); err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			r.t.Fatalf("raw peer: the connection is still open after %v, want it closed", confGuard)
		}
	}
}

// close ends the connection.
func (r *confRaw) close() { r.conn.Close() }
