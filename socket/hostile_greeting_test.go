package socket_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// hostileEach runs an attack against every socket type over every network,
// with one arena for each type.
func hostileEach(t *testing.T, opts *socket.Options, attack func(a *hostileArena, network string)) {
	for _, x := range hostileTypes {
		t.Run(x.victim.Name(), func(t *testing.T) {
			a := hostileNew(t, x.victim, opts)
			for _, network := range []string{"tcp", "ipc"} {
				if a.at[network] == "" {
					continue
				}
				t.Run(network, func(t *testing.T) {
					a.t = t
					defer func() { a.t = a.base }()
					attack(a, network)
					a.beat()
				})
			}
		})
	}
}

// hostileRow is one input of a table. why nil means that the input is good.
type hostileRow struct {
	name  string
	input []byte
	kind  socket.EventKind
	why   error
}

// run sends a row's input behind lead on a connection of its own.
func (a *hostileArena) run(network string, row hostileRow, lead ...[]byte) {
	a.t.Run(row.name, func(t *testing.T) {
		outer := a.t
		a.t = t
		defer func() { a.t = outer }()
		c := a.dial(network)
		c.put(append(lead, row.input)...)
		if row.why != nil {
			a.thrown(c, row.kind, row.why)
			return
		}
		if err := c.readHandshake(a.victim.Type().Name()); err != nil {
			t.Fatal(err)
		}
		a.kept(c)
	})
}

func TestSEC02VersionDowngrade(t *testing.T) {
	signature := hostileHello[:10]
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would close what was forgotten
	hostileEach(t, nil, func(a *hostileArena, network string) {
		bad := func(name string, input ...byte) {
			a.run(network, hostileRow{name, input, socket.HandshakeFailed, ringwire.ErrProtocol})
		}
		bad("unversioned", 1, 0, 0, 1, 'x')
		bad("unversioned with identity", append([]byte{5, 0}, "peer"...)...)
		bad("signature of ZMTP 1.0", 0xFF, 0, 0, 0, 0, 0, 0, 0, 5, 0, 'p', 'e', 'e', 'r')
		for revision := range byte(3) {
			bad(fmt.Sprintf("revision %d", revision), append(bytes.Clone(signature), revision)...)
			ready := hostileReady(hostilePeerOf(a.victim.Type()).Name())
			bad(fmt.Sprintf("version %d.0", revision), append(hostileGreeting(revision, 0, "NULL", 0), ready...)...)
		}
		good := func(name string, greeting []byte) {
			ready := hostileReady(hostilePeerOf(a.victim.Type()).Name())
			a.run(network, hostileRow{name: name, input: append(greeting, ready...)})
		}
		for _, v := range [][2]byte{{3, 0}, {3, 1}, {3, 9}, {3, 255}, {4, 0}, {255, 0}} {
			good(fmt.Sprintf("version %d.%d", v[0], v[1]), hostileGreeting(v[0], v[1], "NULL", 0))
		}
		for _, as := range []byte{0, 1, 2, 255} {
			good(fmt.Sprintf("as-server %d", as), hostileGreeting(3, 1, "NULL", as))
		}
	})
}

func TestSEC08NotZMTP(t *testing.T) {
	const seed = 8
	noise := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{seed}).Read(noise)
	noise[0] &= 0x7F
	marked := append([]byte{0xFF}, noise...) // begins like a signature
	marked[9] &^= 1
	rows := []hostileRow{}
	for name, input := range map[string]string{
		"HTTP":         "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"HTTP/2":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"TLS":          "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + string(noise[:200]),
		"SSH":          "SSH-2.0-OpenSSH_9.6\r\n",
		"Redis":        "*1\r\n$4\r\nPING\r\n",
		"memcached":    "stats\r\n",
		"memcached 2":  "\x80\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"SMTP":         "EHLO scanner\r\n",
		"RTSP":         "OPTIONS / RTSP/1.0\r\n\r\n",
		"SIP":          "OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\n\r\n",
		"DNS":          "\x00\x1e\x00\x06\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03",
		"SMB":          "\x00\x00\x00\xa4\xff\x53\x4d\x42\x72\x00\x00\x00\x00\x08\x01\x40",
		"RDP":          "\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00",
		"LDAP":         "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00",
		"Java RMI":     "JRMI\x00\x02K",
		"X11":          "l\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"MQTT":         "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
		"Kerberos":     "\x00\x00\x00\x71\x6a\x81\x6e\x30\x81\x6b\xa1\x03",
		"new lines":    "\r\n\r\n",
		"help":         "HELP\r\n",
		"noise":        string(noise),
		"marked noise": string(marked),
		"zeros":        string(make([]byte, 64<<10)),
		"NetMQ 1168":   "\xff\xff\xff\xff\xff\xff\xff\xff\xe2\xaa\xaa\xaa\xaa\xaa\xaa\xaa",
		"no mechanism": string(hostileGreeting(3, 1, "", 0)),
		"lower case":   string(hostileGreeting(3, 1, "null", 0)),
		"dirty":        string(hostileGreeting(3, 1, "NULL\x00X", 0)),
	} {
		rows = append(rows, hostileRow{name, []byte(input), socket.HandshakeFailed, ringwire.ErrProtocol})
	}
	rows = append(rows, hostileRow{"other mechanism", hostileGreeting(3, 1, "CURVE", 0), socket.Rejected, ringwire.ErrRejected})
	hostileEach(t, nil, func(a *hostileArena, network string) {
		for _, row := range rows {
			a.run(network, row)
		}
		// What could still be a greeting, and then ends.
		for _, input := range []string{"", "\xff", "\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20", "\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x27", string(hostileHello[:63]), string(hostileHello)} {
			c := a.dial(network)
			c.put([]byte(input))
			c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			a.thrown(c, socket.HandshakeFailed, io.ErrUnexpectedEOF)
		}
	})
}

// hostileStages are how far a handshake may get before it stalls.
func hostileStages(a *hostileArena) []hostileRow {
	ready := hostileReady(hostilePeerOf(a.victim.Type()).Name())
	row := func(name string, pieces ...[]byte) hostileRow {
		return hostileRow{name: name, input: bytes.Join(pieces, nil)}
	}
	return []hostileRow{
		row("nothing"), row("one byte", hostileHello[:1]), row("signature", hostileHello[:10]), row("half a greeting", hostileHello[:32]),
		row("63 bytes", hostileHello[:63]), row("greeting", hostileHello), row("flags", hostileHello, ready[:1]),
		row("half a READY", hostileHello, ready[:len(ready)/2]), row("READY but a byte", hostileHello, ready[:len(ready)-1]),
		row("large READY declared", hostileHello, hostileHeader(hostileCommand, 60<<10), []byte{5}),
	}
}

// A thousand peers that stall in the handshake keep nobody out and cost
// 64 KiB each at most.
func TestSEC06SlowHandshake(t *testing.T) {
	const peers = 1000
	for _, spec := range []*pattern.Spec{pattern.Pull, pattern.Router} {
		t.Run(spec.Name(), func(t *testing.T) {
			a := hostileNew(t, spec, &socket.Options{HandshakeTimeout: time.Hour})
			stages := hostileStages(a)
			before := a.heap()
			sent := int64(0)
			silent := make([]*hostileConn, peers)
			for i := range silent {
				network := "tcp"
				if i%2 == 1 && a.at["ipc"] != "" {
					network = "ipc"
				}
				silent[i] = a.dial(network)
				silent[i].put(stages[i%len(stages)].input)
				sent += int64(len(stages[i%len(stages)].input))
			}
			hostileUntil(t, "the stalled connections", func() bool { return a.victim.Stats().Accepts == 1+peers })
			a.beat()
			late := hostileSocket(t, hostilePeerOf(spec), nil)
			defer late.Close()
			if err := late.Connect("tcp://" + a.at["tcp"]); err != nil {
				t.Fatal(err)
			}
			hostileUntil(t, "a well-behaved newcomer", func() bool { return a.victim.Stats().Peers == 2 })
			if st := a.victim.Stats(); st.HandshakesFailed != 0 {
				t.Errorf("handshakes that failed while the newcomer came: got %d, want 0", st.HandshakesFailed)
			}
			if grown := a.heap() - before; grown > sent+peers*(64<<10) {
				t.Errorf("heap of %d stalled handshakes: got %d bytes, want at most %d", peers, grown, sent+peers*(64<<10))
			} else {
				t.Logf("%d bytes for each stalled handshake, %d sent", grown/peers, sent/peers)
			}
			if err := late.Close(); err != nil {
				t.Error(err)
			}
			for _, c := range silent {
				c.Close()
			}
		})
	}
}

// The handshake's deadline is absolute: whoever is slow, or feeds it byte by
// byte, is thrown out, with an event each.
func TestSEC06HandshakeTimeout(t *testing.T) {
	hostileEach(t, &socket.Options{HandshakeTimeout: 100 * time.Millisecond}, func(a *hostileArena, network string) {
		timeouts := a.victim.Stats().HandshakeTimeouts
		var stalled []*hostileConn
		for _, stage := range hostileStages(a) {
			c := a.dial(network)
			c.put(stage.input)
			stalled = append(stalled, c)
		}
		drip := a.dial(network)
		stalled = append(stalled, drip)
		input := bytes.Join([][]byte{hostileHello, hostileHeader(hostileCommand, 60<<10), make([]byte, 60<<10)}, nil)
		for tick := time.NewTicker(5 * time.Millisecond); len(input) > 0; <-tick.C {
			if _, err := drip.Write(input[:1]); err != nil {
				break
			}
			input = input[1:]
		}
		if len(input) == 0 {
			a.t.Error("a peer that sends a byte now and then is never thrown out")
		}
		for _, c := range stalled {
			a.thrown(c, socket.HandshakeFailed, os.ErrDeadlineExceeded)
		}
		if got := a.victim.Stats().HandshakeTimeouts - timeouts; got != int64(len(stalled)) {
			a.t.Errorf("handshake timeouts: got %d, want %d", got, len(stalled))
		}
	})
}

// The limit on connections refuses whoever comes too many, and says so.
func TestSEC06MaxConnections(t *testing.T) {
	hostileEach(t, &socket.Options{MaxConnections: 3}, func(a *hostileArena, network string) {
		var in []*hostileConn
		for range 2 {
			in = append(in, a.raid(network))
		}
		for range 20 {
			c := a.dial(network)
			c.closed()
			c.Close()
		}
		refused := func() []socket.Event {
			return a.events.find(func(e *socket.Event) bool { return e.Kind == socket.Rejected && e.Remote != "" })
		}
		hostileUntil(a.t, "20 refusals", func() bool { return len(refused()) == 20 })
		a.beat()
		for _, c := range in {
			a.kept(c)
		}
		hostileUntil(a.t, "the places to be free", func() bool { return len(a.victim.Peers()) == 1 })
		a.events.reset()
	})
}

// TestGreetingHangUp: a peer that closes the connection before its mechanism was seen may
// have had another one than ours, as libzmq does: the error says so, and names ours.
func TestGreetingHangUp(t *testing.T) {
	const hint = "libzmq hangs up like this when the two differ"
	for name, opts := range hostileMechanisms(t) {
		own, _, _ := strings.Cut(name, " ")
		for _, n := range []int{0, 10, 11, 12, 20, 63} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				pull := hostileSocket(t, pattern.Pull, opts)
				defer pull.Close()
				events := hostileWatch(pull)
				c := hostileDial(t, "tcp", hostileBind(t, pull, "tcp://127.0.0.1:0"))
				c.put(hostileGreeting(3, 1, "NULL", 0)[:n])
				c.Close()
				ev := events.wait(t, "the end", func(e *socket.Event) bool { return hostileEnds(e.Kind) })
				got := ev.Err.Error()
				if ev.Kind != socket.HandshakeFailed || !strings.Contains(got, hint) || !strings.Contains(got, "ours is "+own) {
					t.Errorf("got %v with %s, want it to say %q and name %s", ev.Kind, got, hint, own)
				}
			})
		}
	}
}
