package socket_test

import (
	"context"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/plain"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"

	"github.com/ringwire/ringwire"
)

// fuzzArena is a bound socket on a network in memory, a well-behaved peer, and where
// strangers come from.
type fuzzArena struct {
	network      *sockettest.Network
	victim, good *socket.Socket
	mechanism    string
	rounds       int
}

func newFuzzArena(f *testing.F, spec *pattern.Spec, mechanism string) *fuzzArena {
	f.Helper()
	a := &fuzzArena{network: sockettest.NewNetwork(1), mechanism: mechanism}
	server, client := new(socket.Options), new(socket.Options)
	switch mechanism {
	case "PLAIN":
		m, err := plain.Client("good", "")
		if err != nil {
			f.Fatal(err)
		}
		server.Mechanism, client.Mechanism = plain.Server(), m
		server.Authenticator = func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
			return ringwire.Verdict{Allow: true}, nil
		}
	case "CURVE":
		server, client = curveOptions(f)
	}
	server.Transports = []transport.Transport{a.network.Host("victim")}
	client.Transports, client.Identity = []transport.Transport{a.network.Host("good")}, hostileIdentity(spec)
	server.MaxMessageSize = 1 << 20
	a.victim, a.good = hostileSocket(f, spec, server), hostileSocket(f, hostilePeerOf(spec), client)
	f.Cleanup(func() { a.victim.Close(); a.good.Close() })
	if _, err := a.victim.Bind("mem://victim:1"); err != nil {
		f.Fatal(err)
	}
	if err := a.good.Connect("mem://victim:1"); err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), hostileGuard)
	defer cancel()
	for _, s := range []*socket.Socket{a.victim, a.good} {
		if s.Type().Subscribes() {
			if err := s.Subscribe("good"); err != nil {
				f.Fatal(err)
			}
		}
		if err := s.WaitPeers(ctx, 1); err != nil {
			f.Fatal(err)
		}
	}
	for _, s := range []*socket.Socket{a.victim, a.good} {
		if s.Type() == pattern.Pub || s.Type() == pattern.XPub {
			if err := s.WaitSubscribers(ctx, "good", 1); err != nil {
				f.Fatal(err)
			}
		}
	}
	return a
}

// attack writes to a connection of its own, and hangs up. The good peer exchanges a
// message meanwhile and after.
func (a *fuzzArena) attack(t *testing.T, input []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), hostileGuard)
	defer cancel()
	conn, err := a.network.Host("stranger").Dial(ctx, "victim:1", new(transport.Options))
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(hostileGuard))
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(io.Discard, conn)
	}()
	conn.Write(input) // the victim may have closed it
	a.exchange(ctx, t)
	conn.Close()
	<-read
	a.exchange(ctx, t)
	hostileUntil(t, "the stranger's connection to be gone", func() bool { return a.network.Connections() == 1 })
	if peers := a.good.Peers(); len(peers) != 1 || peers[0].Connections != 1 {
		t.Fatalf("the good peer was thrown out: %+v", peers)
	}
}

func (a *fuzzArena) exchange(ctx context.Context, t *testing.T) {
	t.Helper()
	a.rounds++
	if err := hostileExchange(ctx, a.victim, a.good, a.rounds); err != nil {
		t.Fatalf("%v; victim %+v", err, a.victim.Stats())
	}
}

// FuzzEngine has a stranger send what it likes to a socket of some type with some
// mechanism, after nothing, a greeting, or a handshake. A good peer's messages go
// through, and of the stranger nothing is left.
func FuzzEngine(f *testing.F) {
	specs := []*pattern.Spec{pattern.Pull, pattern.Router, pattern.XPub, pattern.Rep, pattern.Sub}
	mechanisms := []string{"NULL", "PLAIN", "CURVE"}
	for i := range specs {
		for k := range mechanisms {
			for lead := range byte(3) {
				f.Add(byte(i), byte(k), lead, hostileFrame(0, []byte("a message")))
				f.Add(byte(i), byte(k), lead, []byte{hostileCommand, 0})
			}
		}
		f.Add(byte(i), byte(0), byte(2), hostilePing(0, "x"))
		f.Add(byte(i), byte(0), byte(2), hostileHeader(0, 1<<63))
		f.Add(byte(i), byte(0), byte(2), hostileTopic([]byte("topic"), true, true))
		f.Add(byte(i), byte(0), byte(2), append(hostileFrame(hostileMore, nil), hostileFrame(0, []byte("x"))...))
		f.Add(byte(i), byte(0), byte(0), []byte("GET / HTTP/1.1\r\n\r\n"))
	}
	var arenas []*fuzzArena
	for _, spec := range specs {
		for _, mechanism := range mechanisms {
			arenas = append(arenas, newFuzzArena(f, spec, mechanism))
		}
	}
	f.Fuzz(func(t *testing.T, spec, mechanism, lead byte, input []byte) {
		a := arenas[int(spec)%len(specs)*len(mechanisms)+int(mechanism)%len(mechanisms)]
		var all []byte
		if lead%3 > 0 {
			all = hostileGreeting(3, 1, a.mechanism, 0)
		}
		if lead%3 == 2 {
			switch a.mechanism {
			case "NULL":
				all = append(all, hostileReady(hostilePeerOf(a.victim.Type()).Name())...)
			case "PLAIN":
				all = append(all, hostileCmd("HELLO", 0, 0)...)
			case "CURVE":
				all = append(all, hostileCmd("HELLO", make([]byte, 194)...)...)
			}
		}
		a.attack(t, append(all, input...))
	})
}

// FuzzOptions: whatever the numbers of Options are, they make a socket or an error.
func FuzzOptions(f *testing.F) {
	f.Add(byte(0), int64(-1), byte(1), int64(0))
	f.Add(byte(7), int64(-2), byte(9), int64(1)<<62)
	f.Fuzz(func(t *testing.T, i byte, first int64, k byte, second int64) {
		var opts socket.Options
		v := reflect.ValueOf(&opts).Elem()
		set := func(n byte, value int64) {
			field := v.Field(int(n) % v.NumField())
			switch {
			case field.CanInt():
				field.SetInt(value)
			case field.Kind() == reflect.Bool:
				field.SetBool(value != 0)
			}
		}
		set(i, first)
		set(k, second)
		s, err := socket.New(pattern.XPub, &opts)
		if (s == nil) != (err != nil) {
			t.Fatalf("%+v: got %v and %v, want one of them", opts, s, err)
		}
		if s != nil {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
