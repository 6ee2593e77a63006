package interop_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
)

// raw is a ZMTP connection of which every byte is written here: the reference
// that both implementations are held to.
type raw struct {
	t testing.TB
	net.Conn
}

const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

func rawOver(t testing.TB, conn net.Conn) *raw {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(limit()))
	return &raw{t, conn}
}

func dialRaw(t testing.TB, endpoint string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	return rawOver(t, conn)
}

// handshake is that of ZMTP 3.1 with NULL. It returns the metadata of the
// peer's READY.
func (r *raw) handshake(kind string) map[string]string {
	r.t.Helper()
	greeting := make([]byte, 64)
	greeting[0], greeting[9], greeting[10], greeting[11] = 0xff, 0x7f, 3, 1
	copy(greeting[12:], "NULL")
	ready := "\x05READY\x0bSocket-Type" + string(binary.BigEndian.AppendUint32(nil, uint32(len(kind)))) + kind
	r.write(greeting)
	r.frame(flagCommand, ready)
	theirs := make([]byte, 64)
	r.full(theirs)
	if theirs[0] != 0xff || theirs[10] != 3 {
		r.t.Fatalf("got greeting %x, want one of ZMTP 3", theirs)
	}
	flags, body := r.next()
	properties, ok := strings.CutPrefix(body, "\x05READY")
	if flags != flagCommand || !ok {
		r.t.Fatalf("got flags %d, body %q, want READY", flags, body)
	}
	meta := map[string]string{}
	for properties != "" {
		n := int(properties[0])
		name, rest := properties[1:1+n], properties[1+n:]
		size := binary.BigEndian.Uint32([]byte(rest[:4]))
		meta[name], properties = rest[4:4+size], rest[4+size:]
	}
	return meta
}

func (r *raw) write(b []byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// frame writes one frame of at most 255 bytes.
func (r *raw) frame(flags byte, body string) {
	r.t.Helper()
	r.write(append([]byte{flags, byte(len(body))}, body...))
}

func (r *raw) full(b []byte) {
	r.t.Helper()
	if _, err := io.ReadFull(r, b); err != nil {
		r.t.Fatal(err)
	}
}

// next reads one frame.
func (r *raw) next() (flags byte, body string) {
	r.t.Helper()
	header := make([]byte, 2)
	r.full(header)
	size := uint64(header[1])
	if header[0]&flagLong != 0 {
		rest := make([]byte, 7)
		r.full(rest)
		size = binary.BigEndian.Uint64(append(header[1:], rest...))
	}
	b := make([]byte, size)
	r.full(b)
	return header[0], string(b)
}

// ping sends a PING and awaits its PONG. Anything else that comes in between
// is a failure.
func (r *raw) ping(context string) {
	r.t.Helper()
	r.frame(flagCommand, "\x04PING\x00\x00"+context)
	if flags, body := r.next(); flags != flagCommand || body != "\x04PONG"+context {
		r.t.Fatalf("PING with context %q: got flags %d, body %q, want a PONG with the same", context, flags, body)
	}
}

var pingContexts = []string{"", "x", "\x00\x01\xfe\xff", "sixteen bytes ok"}

// TestPingContext: a PONG has the context of its PING, ours and libzmq's.
func TestPingContext(t *testing.T) {
	t.Run("ringwire", func(t *testing.T) {
		us := newSocket(t, pattern.Pull, nil)
		r := dialRaw(t, mustBind(t, us, "tcp://127.0.0.1:0"))
		r.handshake("PUSH")
		for _, context := range pingContexts {
			r.ping(context)
		}
		r.frame(0, "after")
		want(t, recv(t, us), "after")
	})
	t.Run("libzmq", func(t *testing.T) {
		them := startPython(t).open("pull", "PULL", nil)
		r := dialRaw(t, them.bind("tcp://127.0.0.1:0"))
		r.handshake("PUSH")
		for _, context := range pingContexts {
			r.ping(context)
		}
		r.frame(0, "after")
		want(t, them.recv(), "after")
	})
}

// TestLibzmqLongSubscribe shows why topics of 246 to 255 bytes are excluded
// where libzmq subscribes: it writes the size of such a SUBSCRIBE in 8 bytes
// without the flag that says so. From 256 bytes on the flag is there.
func TestLibzmqLongSubscribe(t *testing.T) {
	py := startPython(t)
	for n, flags := range map[int]byte{246: flagCommand, 255: flagCommand, 256: flagCommand | flagLong} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		them := py.open(t.Name()+string(rune(n)), "SUB", nil)
		them.connect("tcp://" + listener.Addr().String())
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		r := rawOver(t, conn)
		r.handshake("PUB")
		topic := strings.Repeat("t", n)
		them.subscribe(topic)
		wanted := append(binary.BigEndian.AppendUint64([]byte{flags}, uint64(10+n)), "\x09SUBSCRIBE"+topic...)
		got := make([]byte, len(wanted))
		r.full(got)
		if !bytes.Equal(got, wanted) {
			t.Errorf("topic of %d bytes: got %x..., want %x...", n, got[:20], wanted[:20])
		}
	}
}
