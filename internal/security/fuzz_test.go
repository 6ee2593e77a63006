package security

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// stage is one side of a CURVE connection at the moment at which a recorded body is
// for it. Its state is copied for each input: a handshake takes half a millisecond.
type stage struct {
	body   []byte // the command, or the frame of traffic
	client *curveClient
	server *curveServer
}

// take gives a copy of the side a body.
func (s *stage) take(body []byte) (side Conn, err error) {
	if s.client != nil {
		copied := *s.client
		copied.random = &counting{9}
		side = &copied
	} else {
		copied := *s.server
		copied.random = &counting{9}
		side = &copied
	}
	if side.Done() {
		_, _, err = side.Open(nil, body)
		return side, err
	}
	_, err = give(side, body)
	return side, err
}

// stages are those of a handshake, and of a message each way.
func stages(t testing.TB) []stage {
	client, server := seeded(t, 1)
	c, s := client.(*curveClient), server.(*curveServer)
	wire, err := client.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Start(nil); err != nil {
		t.Fatal(err)
	}
	var all []stage
	for n := range 4 {
		body := bytes.Clone(commandBody(t, wire))
		if n%2 == 0 {
			copied := *s
			all = append(all, stage{body: body, server: &copied})
			wire, err = give(server, body)
		} else {
			copied := *c
			all = append(all, stage{body: body, client: &copied})
			wire, err = give(client, body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []Conn{client, server} {
		wire, err := from.Seal(nil, zmtp.FlagMore, []byte("a message"))
		if err != nil {
			t.Fatal(err)
		}
		if from == client {
			copied := *s
			all = append(all, stage{body: wire[2:], server: &copied})
		} else {
			copied := *c
			all = append(all, stage{body: wire[2:], client: &copied})
		}
	}
	return all
}

// FuzzCurveMutated changes a command or a message of a connection that was in order:
// then it is refused, by a server and by a client, whatever the change; and what was not
// changed is taken.
func FuzzCurveMutated(f *testing.F) {
	all := stages(f)
	for n := range all {
		for how := range byte(5) {
			f.Add(byte(n), how, uint16(20), []byte{1})
		}
		f.Add(byte(n), byte(3), uint16(0), []byte("\x05ERROR\x03400"))
		f.Add(byte(n), byte(0), uint16(0), []byte{})
	}
	f.Fuzz(func(t *testing.T, n, how byte, at uint16, with []byte) {
		s := &all[int(n)%len(all)]
		body := bytes.Clone(s.body)
		i := int(at) % (len(body) + 1)
		switch how % 5 {
		case 0:
			for k := range min(len(with), len(body)-i) {
				body[i+k] ^= with[k]
			}
		case 1:
			body = body[:i]
		case 2:
			body = slices.Insert(body, i, with...)
		case 3:
			body = with
		case 4:
			body = append(body[i:], body[:i]...)
		}
		same := bytes.Equal(body, s.body)
		if s.server != nil && s.server.state == awaitHello && len(body) == len(s.body) { // padding
			// X25519 does not look at the highest bit of C' either: see TestSEC05HighestBit.
			clean := bytes.Clone(body)
			clean[111] = clean[111]&0x7f | s.body[111]&0x80
			same = bytes.Equal(clean[:8], s.body[:8]) && bytes.Equal(clean[80:], s.body[80:])
		}
		side, err := s.take(body)
		if (err == nil) != same {
			t.Fatalf("%x: got %v, want it taken: %v", body, err, same)
		}
		if err != nil && (side.Done() || side.Peer() != nil) {
			t.Fatalf("%x: the connection is open after %v", body, err)
		}
	})
}

// FuzzCurveInside puts what it likes into boxes that open: the peer has the keys, and is
// hostile all the same.
func FuzzCurveInside(f *testing.F) {
	all := stages(f)
	inside := make([][]byte, len(all)) // what is there if all is in order
	key := make([]*[32]byte, len(all))
	nonce := make([]*[24]byte, len(all))
	from := make([]int, len(all)) // where the box begins
	client, server := all[1].client, all[2].server
	hello, err := client.transient.shared(client.config.server[:])
	if err != nil {
		f.Fatal(err)
	}
	traffic, err := server.transient.shared(server.client[:])
	if err != nil {
		f.Fatal(err)
	}
	for n, b := range [][]byte{all[0].body, all[1].body, all[2].body, all[3].body, all[4].body, all[5].body} {
		switch n {
		case 0:
			key[n], from[n], nonce[n] = hello, 120, shortNonce(helloNonce, b[112:120])
		case 1:
			key[n], from[n], nonce[n] = hello, 24, longNonce(welcomeNonce, b[8:24])
		case 2:
			key[n], from[n], nonce[n] = traffic, 113, shortNonce(initiateNonce, b[105:113])
		case 3:
			key[n], from[n], nonce[n] = traffic, 14, shortNonce(readyNonce, b[6:14])
		case 4:
			key[n], from[n], nonce[n] = traffic, 16, shortNonce(fromClient, b[8:16])
		case 5:
			key[n], from[n], nonce[n] = traffic, 16, shortNonce(fromServer, b[8:16])
		}
		if inside[n], err = unbox(b[from[n]:], nonce[n], key[n], "it"); err != nil {
			f.Fatal(n, err)
		}
		f.Add(byte(n), inside[n])
		f.Add(byte(n), []byte{})
	}
	f.Add(byte(2), append(bytes.Clone(inside[2]), "\x08Identity\x00\x00\x00\x01i"...))
	f.Add(byte(3), []byte("\x0bSocket-Type\xff\xff\xff\xffPULL"))
	f.Add(byte(4), []byte{boxMore | boxCommand})
	f.Fuzz(func(t *testing.T, n byte, content []byte) {
		k := int(n) % len(all)
		s := &all[k]
		body := seal(bytes.Clone(s.body[:from[k]]), content, nonce[k], key[k])
		side, err := s.take(body)
		want := false
		switch k {
		case 0:
			want = bytes.Equal(content, make([]byte, 64))
		case 1: // any S' but those of low order, which cannot be listed shorter than by trying
			_, bad := testKey(t, 1).shared(append(content, make([]byte, KeySize)...)[:KeySize])
			want = len(content) == KeySize+cookieSize && bad == nil
		case 2:
			head := KeySize + 16 + vouchSize
			want = len(content) >= head && bytes.Equal(content[:head], inside[2][:head]) && parses(content[head:])
		case 3:
			want = parses(content)
		default:
			want = len(content) > 0 && (content[0] == 0 || content[0] == boxMore || content[0] == boxCommand)
		}
		if (err == nil) != want {
			t.Fatalf("stage %d, %x: got %v, want it taken: %v", k, content, err, want)
		}
		if err != nil && side.Done() {
			t.Fatalf("stage %d, %x: the connection is open after %v", k, content, err)
		}
	})
}

func parses(meta []byte) bool {
	_, err := zmtp.ParseMetadata(meta, len(meta))
	return err == nil
}

// FuzzServer gives a server of each mechanism a sequence of commands, which it picks
// from all there are or makes up, with a verdict that is no or yes. The connection
// opens only after every command in its turn and a yes.
func FuzzServer(f *testing.F) {
	c, s := seeded(f, 1)
	curveCommands := transcript(f, c, s)
	c, s = plainSides(f)
	plainCommands := transcript(f, c, s)
	all := everyCommand(slices.Concat(curveCommands, plainCommands))
	maps.DeleteFunc(all, func(_ string, b []byte) bool { return len(b) > 1000 })
	names := slices.Sorted(maps.Keys(all))
	index := func(want []byte) byte {
		for i, name := range names {
			if bytes.Equal(all[name], want) {
				return byte(i)
			}
		}
		panic("no such command")
	}
	ready := []byte("\x05READY\x0bSocket-Type\x00\x00\x00\x04PUSH")
	f.Add(byte(0), true, append([]byte{255, byte(len(ready))}, ready...))
	f.Add(byte(1), true, []byte{index(plainCommands[0]), index(plainCommands[2])})
	f.Add(byte(1), false, []byte{index(plainCommands[0]), index(plainCommands[2])})
	f.Add(byte(2), true, []byte{index(curveCommands[0]), index(curveCommands[2])})
	f.Add(byte(2), false, []byte{index(curveCommands[0]), index(curveCommands[2])})
	f.Add(byte(2), true, []byte{index(curveCommands[2]), index(curveCommands[0])})
	f.Fuzz(func(t *testing.T, mechanism byte, yes bool, script []byte) {
		meta := zmtp.Metadata{{Name: "Socket-Type", Value: []byte("PULL")}}
		var side Conn
		var order [][]byte // what must come
		switch mechanism % 3 {
		case 0:
			side = Null{}.New(meta, Limits{})
		case 1:
			side, order = new(PlainServer).New(meta, Limits{}), [][]byte{[]byte("\x05HELLO"), []byte("\x08INITIATE")}
		case 2:
			_, side = seeded(t, 1)
			order = [][]byte{curveCommands[0][:8], curveCommands[2]}
		}
		if _, err := side.Start(nil); err != nil {
			t.Fatal(err)
		}
		taken, failed, asked := 0, false, false
		for len(script) > 0 && taken < 10 {
			body := all[names[int(script[0])%len(names)]]
			pick := script[0]
			if script = script[1:]; pick == 255 && len(script) > 0 {
				n := min(int(script[0]), len(script)-1)
				body, script = script[1:1+n], script[1+n:]
			}
			_, err := side.Handle(nil, body)
			if a, ok := side.(Asker); ok && err == nil {
				if _, pending := a.Pending(); pending {
					asked = true
					_, err = a.Verdict(nil, ringwire.Verdict{Allow: yes})
				}
			}
			if err == nil && failed {
				t.Fatalf("%q is taken after a failure", body)
			}
			if err == nil && mechanism%3 != 0 && (taken >= len(order) || !bytes.HasPrefix(body, order[taken])) {
				t.Fatalf("command %d, %q, is taken out of its turn", taken, body)
			}
			if failed = failed || err != nil; err == nil {
				taken++
			}
			if side.Done() && (failed || mechanism%3 != 0 && (!asked || !yes || taken != len(order))) {
				t.Fatalf("open after %d commands, asked %v, answered %v, failed %v", taken, asked, yes, failed)
			}
		}
	})
}

// FuzzPlainHello compares the reading of HELLO with its grammar, and with its making.
func FuzzPlainHello(f *testing.F) {
	for _, seed := range []string{"", "\x00\x00", "\x04user\x06secret", "\x04user\x06secret!", "\x04user\x07secret", "\xffuser", "\x00", "\x01\x00\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := new(PlainServer).New(nil, Limits{}).(*plainServer)
		s.Start(nil)
		_, err := s.Handle(nil, append([]byte("\x05HELLO"), data...))
		valid := false
		if len(data) > 0 {
			if u := 1 + int(data[0]); u < len(data) {
				valid = u+1+int(data[u]) == len(data)
			}
		}
		if (err == nil) != valid {
			t.Fatalf("%q: got %v, want it taken: %v", data, err, valid)
		}
		if err != nil {
			return
		}
		asking, pending := s.Pending()
		if !pending {
			t.Fatalf("%q: nobody is asked", data)
		}
		c, err := NewPlainClient(asking.Username, asking.Password)
		if err != nil {
			t.Fatal(err)
		}
		wire, err := c.New(nil, Limits{}).Start(nil)
		if err != nil {
			t.Fatal(err)
		}
		h, _, _ := zmtp.ParseHeader(wire)
		if got := wire[h.Len:]; !bytes.Equal(got[6:], data) {
			t.Fatalf("%q is made again as %q", data, got)
		}
	})
}
