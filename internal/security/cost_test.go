package security

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"

	"github.com/ringwire/ringwire"
)

// drawn counts the random bytes that are asked for.
type drawn struct {
	io.Reader
	n int
}

func (d *drawn) Read(p []byte) (int, error) {
	d.n += len(p)
	return d.Reader.Read(p)
}

// strangers are what a server is sent by those who will not be let in.
func strangers(t testing.TB) map[string][]byte {
	client, _ := seeded(t, 1)
	wire, err := client.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	hello := commandBody(t, wire)
	wrong := append([]byte(nil), hello...)
	wrong[len(wrong)-1] ^= 1
	return map[string][]byte{"no HELLO": []byte("\x05READY"), "short HELLO": hello[:len(hello)-1], "HELLO for another server": wrong}
}

// TestSEC22NothingBeforeTheKey: a server makes no key, no cookie and no other random
// byte for a client that has not shown that it knows the server's key, and remembers
// nothing of it.
func TestSEC22NothingBeforeTheKey(t *testing.T) {
	for name, hello := range strangers(t) {
		random := &drawn{Reader: &counting{1}}
		config, err := NewCurveServer(testKey(t, 2))
		if err != nil {
			t.Fatal(err)
		}
		config.random = random
		s := config.New(nil, Limits{}).(*curveServer)
		if _, err := s.Start(nil); err != nil {
			t.Fatal(err)
		}
		if out, err := s.Handle(nil, hello); !errors.Is(err, ringwire.ErrProtocol) || len(out) > 0 {
			t.Errorf("%s: got %x, %v, want no answer and a protocol error", name, out, err)
		}
		if random.n != 0 || s.transient != nil || s.cookie != nil || s.traffic != nil || s.client != [KeySize]byte{} {
			t.Errorf("%s: %d random bytes were drawn, and %+v is kept", name, random.n, s)
		}
	}
}

// TestSEC22AnswerIsSmaller: a server never answers with more than it was sent, so that
// nobody can have it flood a third one.
func TestSEC22AnswerIsSmaller(t *testing.T) {
	client, server := seeded(t, 1)
	bodies := transcript(t, client, server)
	if hello, welcome := len(bodies[0]), len(bodies[1]); welcome > hello {
		t.Errorf("WELCOME has %d bytes, HELLO %d, want no more", welcome, hello)
	}
}

// TestSEC22Memory: clients that give up after HELLO leave nothing behind, and while
// they are there each costs less than a kilobyte.
func TestSEC22Memory(t *testing.T) {
	const many = 2000
	config, err := NewCurveServer(testKey(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	client, _ := seeded(t, 1)
	wire, err := client.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	hello := commandBody(t, wire)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	waiting := make([]Conn, many)
	for i := range waiting {
		waiting[i] = config.New(nil, Limits{})
		waiting[i].Start(nil)
		if _, err := waiting[i].Handle(nil, hello); err != nil {
			t.Fatal(err)
		}
	}
	if each := (heap() - before) / many; each > 1<<10 {
		t.Errorf("a client between HELLO and INITIATE costs %d bytes, want at most 1024", each)
	}
	runtime.KeepAlive(waiting)
	waiting = nil
	if left := heap() - before; left > 64<<10 {
		t.Errorf("%d clients that are gone leave %d bytes, want none", many, left)
	}
}

// BenchmarkSEC22Rejected is what a server spends on a client that is turned away, by how
// far that got: HELLO in full is the dearest, with a multiplication on the curve for
// each key that the server has.
func BenchmarkSEC22Rejected(b *testing.B) {
	for name, hello := range strangers(b) {
		for _, keys := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/keys=%d", name, keys), func(b *testing.B) {
				all := []*KeyPair{testKey(b, 2), testKey(b, 3)}
				config, err := NewCurveServer(all[:keys]...)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					c := config.New(nil, Limits{})
					c.Start(nil)
					if _, err := c.Handle(nil, hello); err == nil {
						b.Fatal("it is let in")
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rejected/s")
			})
		}
	}
}

// BenchmarkSEC22Handshake is what a whole handshake costs both sides together.
func BenchmarkSEC22Handshake(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		client, server := curvePair(b)
		transcript(b, client, server)
	}
}
