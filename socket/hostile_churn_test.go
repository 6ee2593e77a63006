package socket_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

var (
	hostileChurn  = flag.Int("hostile.churn", 0, "connections of TestSEC20Churn to each socket type (0: 2000, with -race 400)")
	hostileCycles = flag.Int("hostile.cycles", 0, "cycles of TestConnectCloseCycles (0: 10000, with -race 1000)")
)

func hostileCount(flag, usual, race int) int {
	switch {
	case flag > 0:
		return flag
	case hostileRace:
		return race
	}
	return usual
}

// Peers that come and go at every stage, in good order or not, leave no
// memory, goroutine or descriptor behind.
func TestSEC20Churn(t *testing.T) {
	count := hostileCount(*hostileChurn, 2000, 400)
	for _, x := range hostileTypes {
		t.Run(x.victim.Name(), func(t *testing.T) {
			a := hostileNew(t, x.victim, nil)
			drained := a.drain()
			var stages [][]byte // before the handshake is complete
			for _, stage := range hostileStages(a) {
				stages = append(stages, stage.input)
			}
			ready := append(bytes.Clone(hostileHello), hostileReady(x.peer.Name())...)
			part := hostileFrame(hostileMore, []byte("part"))
			late := [][]byte{ // after the handshake is complete
				{}, {0}, hostileHeader(0, 1<<20), append(hostileHeader(0, 1<<20), make([]byte, 10_000)...), part, bytes.Repeat(part, 500),
				append(bytes.Clone(part), hostileHeader(hostileCommand, 1<<20)...), hostilePing(0, "x"), hostilePing(655, "x"), hostileTopic([]byte("evil"), true, true),
				hostileTopic(make([]byte, 20_000), true, false), hostileCmd("READY"), {7},
			}
			round := func(n int) {
				goal := a.victim.Stats().Accepts
				for i := range n {
					if k := i % (len(stages) + len(late)); k < len(stages) {
						hostileVisit(t, a, i, stages[k], nil)
					} else {
						hostileVisit(t, a, i, ready, late[k-len(stages)])
					}
					goal++
					if i%100 != 99 && i != n-1 {
						continue
					}
					// At most so many at a time: the runtime keeps what a
					// goroutine needs for the next one.
					hostileUntil(t, "the visitors to be gone", func() bool { return a.victim.Stats().Accepts >= goal && len(a.victim.Peers()) == 1 })
					a.peace.returns(t, 4)
				}
			}
			round(200)
			// What the runtime keeps for the next goroutine grows at first, a
			// leak grows with every round.
			grown := make([]int64, 0, 4)
			for before := a.heap(); len(grown) < cap(grown); {
				round(count)
				a.beat()
				now := a.heap()
				grown = append(grown, now-before)
				if before = now; grown[len(grown)-1] <= int64(count)*50 {
					break
				}
			}
			if slices.Min(grown) > int64(count)*50 {
				t.Errorf("heap: got %d bytes more after each %d visitors, want next to none; victim %+v", grown, count, a.victim.Stats())
			}
			if st := a.victim.Stats(); st.Disconnects < st.Accepts/3 || st.HandshakesFailed < st.Accepts/3 {
				t.Errorf("visitors: got %+v, want many at each stage", st)
			}
			if lost := a.good.Stats().Disconnects; lost != 0 {
				t.Errorf("the well-behaved peer: got %d disconnects, want 0", lost)
			}
			drained()
		})
	}
}

// hostileVisit connects, writes, and leaves in one of three ways. If there is
// something to write after the handshake, it waits for that.
func hostileVisit(t *testing.T, a *hostileArena, i int, input, late []byte) {
	t.Helper()
	var conn net.Conn
	var err error
	if i%3 == 1 && a.at["ipc"] != "" {
		conn, err = hostileConnect("ipc", a.at["ipc"])
	} else {
		// Ports of many loopback addresses: closed connections keep theirs.
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%250))}}
		if conn, err = dialer.Dial("tcp", a.at["tcp"]); err != nil { // a system with one loopback address
			conn, err = net.Dial("tcp", a.at["tcp"])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(hostileGuard))
	conn.Write(input)
	if late != nil {
		c := &hostileConn{Conn: conn, t: t}
		if err := c.readHandshake(a.victim.Type().Name()); err != nil {
			t.Fatal(err)
		}
		c.put(late)
	}
	if stream, ok := conn.(*net.TCPConn); ok && i%2 == 0 {
		stream.SetLinger(0) // a reset
	}
	conn.Close()
}

// Sockets that are made, connected, used and closed for ever: nothing stays,
// and each message arrives once.
func TestConnectCloseCycles(t *testing.T) {
	cycles := hostileCount(*hostileCycles, 10_000, 1_000)
	before := hostileUse()
	pull := hostileSocket(t, pattern.Pull, nil)
	defer pull.Close()
	var endpoints []string
	for _, endpoint := range []string{"ipc://*", "inproc://hostile-cycles", "tcp://127.0.0.1:0"} {
		bound, err := pull.Bind(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		endpoints = append(endpoints, bound)
	}
	bound := hostileUse()
	ctx, cancel := context.WithTimeout(t.Context(), 10*hostileGuard)
	defer cancel()
	seen := make([]int, cycles)
	result := make(chan error, 1)
	go func() {
		result <- func() error {
			for range cycles {
				m, err := pull.Recv(ctx)
				if err != nil {
					return err
				}
				i, err := strconv.Atoi(string(m.Bytes()))
				if err != nil || i < 0 || i >= cycles {
					return fmt.Errorf("got message %q", m.Bytes())
				}
				seen[i]++
				m.Release()
			}
			return nil
		}()
	}()
	cycle := func(i int) error {
		push, err := socket.New(pattern.Push, nil)
		if err != nil {
			return err
		}
		if err := push.Connect(endpoints[i%len(endpoints)]); err != nil {
			return err
		}
		if err := push.Send(ctx, strconv.AppendInt(nil, int64(i), 10)); err != nil {
			return err
		}
		return push.Close()
	}
	var heap int64
	for i := range cycles {
		if err := cycle(i); err != nil {
			t.Fatalf("cycle %d: %v", i, err)
		}
		if i == cycles/10 {
			heap = hostileHeap()
		}
	}
	if err := <-result; err != nil {
		t.Fatalf("%v; %+v", err, pull.Stats())
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("message %d: got it %d times, want once", i, n)
		}
	}
	hostileUntil(t, "all to be gone", func() bool { return len(pull.Peers()) == 0 })
	bound.returns(t, 0)
	if grown := hostileHeap() - heap; grown > 512<<10 {
		t.Errorf("heap after %d cycles: got %d more than after a tenth of them, want next to none", cycles, grown)
	}
	if err := pull.Close(); err != nil {
		t.Error(err)
	}
	before.returns(t, 0)
}
