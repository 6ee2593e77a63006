package socket_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// hostileLimit is the MaxMessageSize of the tests about sizes.
const hostileLimit = 100_000

// hostileSizes are the sizes at which decoders break.
var hostileSizes = []uint64{0, 1, 254, 255, 256, 1 << 16, hostileLimit, hostileLimit + 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 53, 1 << 62,
	1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64 - 255, math.MaxUint64 - 9, math.MaxUint64 - 1, math.MaxUint64}

func TestSEC04FrameSizes(t *testing.T) {
	hostileEach(t, &socket.Options{MaxMessageSize: hostileLimit}, func(a *hostileArena, network string) {
		for _, flags := range []byte{0, hostileMore, hostileCommand, hostileCommand | hostileMore} {
			for _, size := range hostileSizes {
				a.frame(network, flags, size)
			}
		}
		// What scanners and fuzzers have brought other implementations down with.
		for name, input := range map[string]string{
			"JeroMQ 440": "\x02\xfb\x18\xff\xfb\x1f\xff\xfb\x20",
			"NetMQ 1168": "\xff\xff\xff\xff\xff\xff\xff\xff\xe2\xaa\xaa\xaa",
			"rzmq 9":     "\xff\xff\xff\xff\xff\xff\xff\xff\x98",
		} {
			a.run(network, hostileRow{name, []byte(input), socket.HandshakeFailed, ringwire.ErrProtocol}, hostileHello)
			c := a.raid(network)
			c.put([]byte(input))
			a.thrown(c, socket.Disconnected, ringwire.ErrProtocol)
		}
	})
}

// frame sends one frame of a declared size, whole if the size is allowed, as
// traffic and, with a size that is not, in the handshake.
func (a *hostileArena) frame(network string, flags byte, size uint64) {
	outer := a.t
	outer.Run(fmt.Sprintf("flags %d size %d", flags, size), func(t *testing.T) {
		a.t = t
		defer func() { a.t = outer }()
		header := hostileHeader(flags, size)
		var why error
		switch {
		case flags == hostileCommand|hostileMore, size > math.MaxInt64:
			why = ringwire.ErrProtocol
		case size > hostileLimit:
			why = ringwire.ErrTooLarge
		case flags == hostileCommand && size < 2:
			why = ringwire.ErrProtocol // no room for a name
		}
		c := a.raid(network)
		if why == nil {
			body := bytes.Repeat([]byte{9}, int(size)) // a command whose name has 9 bytes, a user's message
			if flags == hostileMore {
				a.whole(c, append(header, body...), hostileFrame(0, nil))
			} else {
				a.whole(c, append(header, body...))
			}
			return
		}
		c.put(header)
		if size <= hostileLimit {
			c.put(make([]byte, size))
		}
		a.thrown(c, socket.Disconnected, why)
		if size <= hostileLimit {
			return
		}
		c = a.dial(network)
		c.put(hostileHello, header)
		a.thrown(c, socket.HandshakeFailed, why)
	})
}

// whole sends good traffic and expects that the peer stays.
func (a *hostileArena) whole(c *hostileConn, pieces ...[]byte) {
	a.t.Helper()
	c.put(pieces...)
	a.kept(c)
}

func TestSEC07Multipart(t *testing.T) {
	const frames = 50
	hostileEach(t, &socket.Options{MaxMessageSize: hostileLimit, MaxFrames: frames}, func(a *hostileArena, network string) {
		more := func(n, size int) []byte { return bytes.Repeat(hostileFrame(hostileMore, make([]byte, size)), n) }
		last := hostileFrame(0, []byte("end"))
		attack := func(why error, pieces ...[]byte) {
			a.t.Helper()
			c := a.raid(network)
			c.put(pieces...)
			a.thrown(c, socket.Disconnected, why)
		}
		attack(ringwire.ErrTooLarge, more(100_000, 0))
		attack(ringwire.ErrTooLarge, more(frames, 0), last)
		attack(ringwire.ErrTooLarge, more(11, 9_100)) // the sum of the frames counts
		attack(ringwire.ErrTooLarge, more(frames-1, 2_040), hostileFrame(0, make([]byte, 300)))
		attack(ringwire.ErrProtocol, more(3, 10), hostileFrame(hostileCommand|hostileMore, []byte("\x04PING\x00\x00")))
		for _, pieces := range [][][]byte{ // and this is allowed
			{more(frames-1, 0), last}, {more(10, 9_100), last}, {more(frames-1, 2_000), last},
			{more(2, 10), hostileCmd("UNKNOWN"), last}, {more(2, 10), hostilePing(0, "amid"), last}, {more(5, 2_000), hostileCmd("X", make([]byte, 60_000)...), last},
		} {
			a.whole(a.raid(network), pieces...)
		}
	})
}

// Half a message is never delivered, and what comes between and around its
// frames does not change it.
func TestSEC07MessagesStayWhole(t *testing.T) {
	pull := hostileSocket(t, pattern.Pull, nil)
	defer pull.Close()
	at := hostileBind(t, pull, "tcp://127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
	defer cancel()
	enter := func() *hostileConn {
		c := hostileDial(t, "tcp", at)
		c.put(hostileHello, hostileReady("PUSH"))
		return c
	}
	big := bytes.Repeat([]byte("big"), 7_000)
	huge := bytes.Repeat([]byte("huge"), 70_000)
	for i, x := range []struct {
		input [][]byte
		want  [][]byte
	}{
		{[][]byte{{hostileMore | 0xF8, 1, 'a'}, {0xF0, 1, 'b'}}, [][]byte{[]byte("a"), []byte("b")}},
		{[][]byte{{0x80, 1, 'c'}}, [][]byte{[]byte("c")}},
		{[][]byte{hostileFrame(hostileMore, []byte("d")), hostilePing(0, "amid"), hostileFrame(0, []byte("e"))}, [][]byte{[]byte("d"), []byte("e")}},
		{[][]byte{hostileFrame(hostileMore, big), hostileCmd("UNKNOWN", big...), hostilePing(0, ""), hostileFrame(hostileMore, nil), hostileCmd("X", huge...), hostileFrame(0, huge)},
			[][]byte{big, nil, huge}},
		{[][]byte{hostileHeader(hostileMore, 1), {'f'}, hostileHeader(0, 0)}, [][]byte{[]byte("f"), nil}},
	} {
		for step := range 2 { // whole, and in the smallest pieces
			half := enter() // which vanishes in the middle of the same message
			all := bytes.Join(x.input, nil)
			half.put(all[:len(all)-1])
			half.Close()
			c := enter()
			if step == 1 && len(all) < 1000 {
				for _, b := range all {
					c.put([]byte{b})
				}
			} else {
				c.put(all)
			}
			m, err := pull.Recv(ctx)
			if err != nil {
				t.Fatalf("row %d: %v", i, err)
			}
			if m.Len() != len(x.want) {
				t.Fatalf("row %d: got %d frames, want %d", i, m.Len(), len(x.want))
			}
			for k, want := range x.want {
				if got := m.Frame(k); !bytes.Equal(got, want) {
					t.Errorf("row %d, frame %d: got %d bytes %.20q, want %d bytes %.20q", i, k, len(got), got, len(want), want)
				}
			}
			c.Close()
		}
	}
	hostileUntil(t, "the attackers to be gone", func() bool { return len(pull.Peers()) == 0 })
	if st := pull.Stats(); st.Arrived != st.Returned || st.Arrived != 10 {
		t.Errorf("messages: got %d arrived and %d returned, want 10", st.Arrived, st.Returned)
	}
}

// A declared size costs nothing: only bytes that came do.
func TestSEC11DeclareAndStall(t *testing.T) {
	const peers = 1000
	inputs := []struct {
		name  string
		bytes []byte
	}{
		{"message", append(hostileHeader(0, 64<<20), 1)},
		{"4 MiB", append(hostileHeader(0, 4<<20), 1)}, // a size that buffers are recycled in
		{"command", append(hostileHeader(hostileCommand, 64<<20), 1)},
		{"second frame", append(append(hostileFrame(hostileMore, []byte("a")), hostileHeader(0, 32<<20)...), 1)},
		{"command amid", append(append(hostileFrame(hostileMore, []byte("a")), hostileHeader(hostileCommand, 64<<20)...), 1)},
		{"chunks", append(hostileHeader(0, 64<<20), make([]byte, 30_000)...)},
		{"more", append(hostileHeader(hostileMore, 64<<20), make([]byte, 9000)...)},
	}
	for _, input := range inputs {
		t.Run(input.name, func(t *testing.T) {
			a := hostileNew(t, pattern.Pull, nil)
			before := a.heap()
			stalled := make([]*hostileConn, peers)
			for i := range stalled {
				c := a.dial("tcp")
				c.put(hostileHello, hostileReady("PUSH"), input.bytes)
				stalled[i] = c
			}
			hostileUntil(t, "the stalled connections", func() bool { return a.victim.Stats().Peers == 1+peers })
			a.beat()
			limit := int64(peers * (64<<10 + len(input.bytes)))
			var grown int64
			if !hostileWaits(func() bool { grown = a.heap() - before; return grown <= limit }) {
				t.Errorf("heap of %d peers that declare and stall: got %d bytes, want at most %d", peers, grown, limit)
			}
			t.Logf("%d bytes for each peer", grown/peers)
			for _, c := range stalled {
				c.Close()
			}
		})
	}
}
