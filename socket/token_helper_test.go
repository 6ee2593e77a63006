package socket_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// tokenGuard ends a test that hangs.
const tokenGuard = 60 * time.Second

// tokenVariants runs f over both kinds of kernel connection, with one
// processor and with all, with and without spinning.
func tokenVariants(t *testing.T, f func(t *testing.T, endpoint string, opts socket.Options)) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://*"} {
		for _, procs := range []int{1, 0} {
			for _, spin := range []int{-1, 0} {
				scheme, _, _ := strings.Cut(endpoint, ":")
				t.Run(fmt.Sprintf("%s,procs=%d,spin=%d", scheme, procs, spin), func(t *testing.T) {
					if procs > 0 {
						defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					}
					f(t, endpoint, socket.Options{Spin: spin})
				})
			}
		}
	}
}

func tokenOpen(t testing.TB, spec *pattern.Spec, opts socket.Options) *socket.Socket {
	t.Helper()
	s, err := socket.New(spec, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func tokenBind(t testing.TB, s *socket.Socket, endpoint string) string {
	t.Helper()
	at, err := s.Bind(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func tokenConnect(t testing.TB, s *socket.Socket, at string) {
	t.Helper()
	if err := s.Connect(at); err != nil {
		t.Fatal(err)
	}
}

func tokenContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), tokenGuard)
	t.Cleanup(cancel)
	return ctx
}

// tokenBody is message n of a sender: id, number, size and a pattern that
// shows a torn body.
func tokenBody(id byte, n uint32, size int) []byte {
	b := make([]byte, max(size, 9))
	b[0] = id
	binary.BigEndian.PutUint32(b[1:], n)
	binary.BigEndian.PutUint32(b[5:], uint32(len(b)))
	for i := 9; i < len(b); i++ {
		b[i] = byte(int(n) + i)
	}
	return b
}

// tokenLedger checks the numbers that come from each sender.
type tokenLedger map[byte]uint32

func (l tokenLedger) take(b []byte) error {
	if len(b) < 9 || int(binary.BigEndian.Uint32(b[5:])) != len(b) {
		return fmt.Errorf("a torn message of %d bytes: %.20x", len(b), b)
	}
	id, n := b[0], binary.BigEndian.Uint32(b[1:])
	for i := 9; i < len(b); i++ {
		if b[i] != byte(int(n)+i) {
			return fmt.Errorf("message %d of %d: byte %d of %d is wrong", n, id, i, len(b))
		}
	}
	if want := l[id]; n != want {
		return fmt.Errorf("from sender %d: got message %d, want %d", id, n, want)
	}
	l[id]++
	return nil
}

// tokenBalance checks the accounting of a socket on which no call is in
// progress.
func tokenBalance(t testing.TB, name string, s *socket.Socket) socket.Stats {
	t.Helper()
	st := s.Stats()
	if want := st.Written + st.SendDropped.Total() + st.SendQueued; st.Accepted != want {
		t.Errorf("%s: Accepted = %d, want Written+dropped+queued = %d: %+v", name, st.Accepted, want, st.Counters)
	}
	if want := st.Returned + st.RecvDropped.Total() + st.RecvQueued; st.Arrived != want {
		t.Errorf("%s: Arrived = %d, want Returned+dropped+queued = %d: %+v", name, st.Arrived, want, st.Counters)
	}
	return st
}

// tokenUntil polls until done is true.
func tokenUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(tokenGuard); !done(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("still waiting after %v for %s\n%s", tokenGuard, what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// tokenRaw is a peer that speaks ZMTP by hand.
type tokenRaw struct {
	t testing.TB
	net.Conn
	buf    []byte
	ledger tokenLedger
}

func tokenDial(t testing.TB, at, socketType string) *tokenRaw {
	t.Helper()
	scheme, address, _ := strings.Cut(at, "://")
	network := "tcp"
	if scheme == "ipc" {
		network = "unix"
	}
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(tokenGuard))
	r := &tokenRaw{t: t, Conn: conn}
	r.send(zmtp.AppendGreeting(nil, zmtp.Greeting{Major: 3, Minor: 1, Mechanism: "NULL"}))
	r.take(zmtp.GreetingSize)
	data, err := zmtp.AppendMetadata(nil, zmtp.Metadata{{Name: "Socket-Type", Value: []byte(socketType)}})
	if err != nil {
		t.Fatal(err)
	}
	r.send(zmtp.AppendCommand(nil, "READY", data))
	if command, body := r.frame(); !command || string(body[1:6]) != "READY" {
		t.Fatalf("got %q, want READY", body)
	}
	return r
}

func (r *tokenRaw) send(b []byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

func (r *tokenRaw) take(n int) []byte {
	r.t.Helper()
	for len(r.buf) < n {
		b := make([]byte, 64<<10)
		k, err := r.Read(b)
		if err != nil {
			r.t.Fatalf("read with %d of %d bytes: %v", len(r.buf), n, err)
		}
		r.buf = append(r.buf, b[:k]...)
	}
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}

func (r *tokenRaw) frame() (command bool, body []byte) {
	r.t.Helper()
	for n := 2; ; n = 9 {
		for len(r.buf) < n {
			r.buf = append(r.take(n), r.buf...)
		}
		h, ok, err := zmtp.ParseHeader(r.buf)
		if err != nil {
			r.t.Fatal(err)
		}
		if ok {
			r.take(h.Len)
			return h.Flags&zmtp.FlagCommand != 0, r.take(int(h.Size))
		}
	}
}

// pong waits for the PONG with this context; what comes before it is dropped.
func (r *tokenRaw) pong(context string) {
	r.t.Helper()
	for {
		if command, body := r.frame(); command && string(body) == "\x04PONG"+context {
			return
		}
	}
}
