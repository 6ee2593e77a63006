package socket_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

func TestSEC14PingBodies(t *testing.T) {
	hostileEach(t, nil, func(a *hostileArena, network string) {
		for _, n := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 17, 18, 19, 20, 253, 254, 255, 256, 64 << 10} {
			c := a.raid(network)
			body := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
			if n >= 2 {
				body[0], body[1] = 0, 0
			}
			c.put(hostileCmd("PING", body...))
			if n < 2 || n > 18 {
				a.thrown(c, socket.Disconnected, ringwire.ErrProtocol)
				continue
			}
			if got := c.pong(); got != string(body[2:]) {
				a.t.Errorf("PONG to a PING of %d bytes: got %q, want %q", n, got, body[2:])
			}
			a.kept(c)
		}
		for _, n := range []int{17, 255, 64 << 10} {
			c := a.raid(network)
			c.put(hostileCmd("PONG", make([]byte, n)...))
			a.thrown(c, socket.Disconnected, ringwire.ErrProtocol)
		}
		for _, ttl := range []uint16{655, 656, 65535} {
			c := a.raid(network)
			c.put(hostilePing(ttl, strconv.Itoa(int(ttl))))
			if got := c.pong(); got != strconv.Itoa(int(ttl)) {
				a.t.Errorf("PONG to a PING with TTL %d: got %q", ttl, got)
			}
			a.kept(c)
		}
		c := a.raid(network) // asks for a tenth of a second, then says nothing
		c.put(hostilePing(1, ""))
		a.thrown(c, socket.Disconnected, os.ErrDeadlineExceeded)
	})
}

// A peer that pings and never reads gets one PONG at a time, the newest, and
// holds neither memory nor anybody else up.
func TestSEC14PingFlood(t *testing.T) {
	pings := 100_000
	if hostileRace {
		pings /= 10
	}
	context := func(i int) string { return fmt.Sprintf("%016d", i) }
	hostileEach(t, &socket.Options{SendBuffer: 4 << 10}, func(a *hostileArena, network string) {
		c := a.raid(network)
		before := a.heap()
		var batch []byte
		for i := range pings {
			if batch = append(batch, hostilePing(0, context(i))...); len(batch) > 1000 || i == pings-1 {
				c.put(batch)
				batch = batch[:0]
			}
			if i == pings/2 {
				a.beat()
			}
		}
		if grown := a.heap() - before; grown > 512<<10 {
			a.t.Errorf("heap while %d PONGs are not read: got %d more, want next to none", pings, grown)
		}
		pongs := 0
		for last := -1; last != pings-1; pongs++ {
			n, err := strconv.Atoi(c.pong())
			if err != nil || n <= last {
				a.t.Fatalf("PONG: got %d (%v), want more than %d", n, err, last)
			}
			last = n
		}
		if pongs == pings {
			a.t.Errorf("PONGs: got all %d, want the ones that were not read replaced by newer ones", pongs)
		}
		a.kept(c)
	})
}

func TestSEC15EveryCommandInEveryState(t *testing.T) {
	reason := func(text string) []byte { return hostileCmd("ERROR", append([]byte{byte(len(text))}, text...)...) }
	const rejected, protocol = true, false
	always := []struct {
		name  string
		input []byte
		why   bool
	}{
		{"no name", hostileFrame(hostileCommand, nil), protocol},
		{"empty name", hostileFrame(hostileCommand, []byte{0, 'x'}), protocol},
		{"name past the end", hostileFrame(hostileCommand, []byte("\xffPING")), protocol},
		{"ERROR", reason("go away"), rejected},
		{"ERROR without text", reason(""), rejected},
		{"ERROR with controls", reason("\x1b[2J\x00\r\nlevel=ERROR \"forged\" \u202e\xff"), rejected},
		{"ERROR without a reason", hostileCmd("ERROR"), protocol},
		{"ERROR past the end", hostileCmd("ERROR", 200, 'x'), protocol},
		{"HELLO", hostileCmd("HELLO", make([]byte, 194)...), protocol},
		{"WELCOME", hostileCmd("WELCOME", make([]byte, 160)...), protocol},
		{"INITIATE", hostileCmd("INITIATE", make([]byte, 300)...), protocol},
	}
	early := map[string][]byte{ // in the handshake only
		"PING": hostilePing(0, "x"), "PONG": hostileCmd("PONG"), "SUBSCRIBE": hostileTopic(nil, true, true), "CANCEL": hostileTopic(nil, false, true),
		"JOIN": hostileCmd("JOIN"), "MESSAGE": hostileCmd("MESSAGE", make([]byte, 50)...), "unknown": hostileCmd("WHATEVER"), "ready": hostileCmd("ready"),
		"a message": hostileFrame(0, []byte("x")), "an empty message": {0, 0}, "MORE": hostileFrame(hostileMore, nil),
		"a long message": hostileFrame(0, make([]byte, 60_000)),
	}
	hostileEach(t, nil, func(a *hostileArena, network string) {
		ready := hostileReady(hostilePeerOf(a.victim.Type()).Name())
		for _, x := range always {
			kind, why := socket.HandshakeFailed, ringwire.ErrProtocol
			if x.why == rejected {
				kind, why = socket.Rejected, ringwire.ErrRejected
			}
			a.run(network, hostileRow{x.name + " first", x.input, kind, why}, hostileHello)
			c := a.raid(network)
			c.put(x.input)
			a.thrown(c, socket.Disconnected, why)
			if bad := strings.IndexFunc(a.end(c).Err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }); bad >= 0 {
				a.t.Errorf("%s: event text %q is not fit to print", x.name, a.end(c).Err)
			}
		}
		for name, input := range early {
			if name == "MORE" { // is no message yet: with the rest of it
				input = append(input, 0, 0)
			}
			a.run(network, hostileRow{name + " first", input, socket.HandshakeFailed, ringwire.ErrProtocol}, hostileHello)
		}
		for _, late := range [][]byte{ready, hostileCmd("READY"), bytes.Repeat(ready, 10)} {
			c := a.raid(network)
			c.put(late)
			a.thrown(c, socket.Disconnected, ringwire.ErrProtocol)
		}
		for _, other := range []string{"WHATEVER", "ping", "MESSAGE", "JOIN", "\x00", strings.Repeat("N", 255)} {
			for _, n := range []int{0, 1, 300, 70_000} {
				a.whole(a.raid(network), hostileCmd(other, make([]byte, n)...))
			}
		}
	})
}

// A command's way does not depend on who reads the connection: the socket's
// own goroutine, or an application in Recv.
func TestSEC15WhileReceiving(t *testing.T) {
	for _, x := range hostileTypes {
		if !x.victim.Receives() {
			continue
		}
		t.Run(x.victim.Name(), func(t *testing.T) {
			victim := hostileSocket(t, x.victim, nil)
			defer victim.Close()
			events := hostileWatch(victim)
			at := hostileBind(t, victim, "tcp://127.0.0.1:0")
			if x.victim.Subscribes() {
				if err := victim.Subscribe(""); err != nil {
					t.Fatal(err)
				}
			}
			received := make(chan string)
			idle := make(chan struct{})
			go func() {
				defer close(idle)
				for m, err := range victim.Messages(t.Context()) {
					if err != nil {
						return
					}
					received <- fmt.Sprintf("%q", m.Frame(m.Len()-1))
					if x.victim.Name() == "REP" {
						if err := victim.SendMessage(t.Context(), m); err != nil {
							t.Error(err)
						}
					}
				}
			}()
			for _, attack := range [][]byte{hostileCmd("READY"), hostileCmd("PING"), {hostileCommand, 0}, {7, 0}, hostileHeader(0, 1<<63)} {
				c := hostileDial(t, "tcp", at)
				c.put(hostileHello, hostileReady(x.peer.Name()))
				for n := range 20 { // so that the receiver takes over the reading
					number := fmt.Sprint("\x02", n)
					c.put(hostileFrame(hostileMore, nil), hostileFrame(0, []byte(number)))
					if got := <-received; got != fmt.Sprintf("%q", number) {
						t.Fatalf("got message %s, want %q", got, number)
					}
				}
				c.put(attack)
				c.closed()
				ev := events.wait(t, "the end of "+c.remote, func(e *socket.Event) bool { return hostileEnds(e.Kind) && e.Remote == c.remote })
				if ev.Kind != socket.Disconnected || !errors.Is(ev.Err, ringwire.ErrProtocol) {
					t.Errorf("after %q: got %v with %v, want a protocol violation", attack, ev.Kind, ev.Err)
				}
				c.Close()
			}
			if err := victim.Close(); err != nil {
				t.Error(err)
			}
			<-idle
		})
	}
}
