package attack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

func heartbeats(*Target) (list []Input) {
	for _, n := range []int{0, 1, 2, 3, 4, 17, 18, 19, 20, 253, 254, 255, 256, 64 << 10} {
		body := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
		if n >= 2 {
			body[0], body[1] = 0, 0
		}
		input := Input{Name: fmt.Sprintf("PING of %d bytes", n), After: WhenReady, Send: command("PING", body...), Want: Kept}
		if n < 2 || n > 18 {
			input.Want, input.Event = Refused, badTraffic
		}
		list = append(list, input)
	}
	for _, n := range []int{17, 255, 64 << 10} {
		list = append(list, Input{Name: fmt.Sprintf("PONG of %d bytes", n), After: WhenReady, Send: command("PONG", make([]byte, n)...), Event: badTraffic})
	}
	for _, ttl := range []uint16{655, 656, 65535} {
		list = append(list, Input{Name: fmt.Sprintf("PING with TTL %d", ttl), After: WhenReady, Send: ping(ttl, "x"), Want: Kept})
	}
	return append(list, Input{Name: "PING with TTL 1, then silence", After: WhenReady, Send: ping(1, ""), Event: silent})
}

func pingFlood(*Target) []Input {
	var batch []byte
	for i := range 40 {
		batch = append(batch, ping(0, fmt.Sprintf("%016d", i))...)
	}
	return []Input{{Name: "PINGs", After: WhenReady, Send: batch, Want: Kept}}
}

// everyCommand is in the handshake, and, but for CURVE whose traffic is sealed, after it.
func everyCommand(t *Target) (list []Input) {
	reason := func(text string) []byte { return command("ERROR", append([]byte{byte(len(text))}, text...)...) }
	sizes := map[string]int{"HELLO": 194, "WELCOME": 160, "INITIATE": 300, "READY": 60}
	const refuses = true
	always := []struct {
		name  string
		input []byte
		error bool // an ERROR that is well made
	}{
		{"no name", frame(flagCommand, nil), false}, {"empty name", frame(flagCommand, []byte{0, 'x'}), false}, {"name past the end", frame(flagCommand, []byte("\xffPING")), false},
		{"ERROR", reason("go away"), refuses}, {"ERROR without text", reason(""), refuses}, {"ERROR with controls", reason("\x1b[2J\x00\r\nlevel=ERROR \"forged\" \u202e\xff"), refuses},
		{"ERROR without a reason", command("ERROR"), false}, {"ERROR past the end", command("ERROR", 200, 'x'), false},
		{"HELLO", command("HELLO", make([]byte, sizes["HELLO"])...), false}, {"WELCOME", command("WELCOME", make([]byte, sizes["WELCOME"])...), false},
		{"INITIATE", command("INITIATE", make([]byte, sizes["INITIATE"])...), false}, {"HELLO of nothing", command("HELLO"), false}, {"INITIATE of nothing", command("INITIATE"), false},
	}
	for _, x := range always {
		first, later := badHandshake, badTraffic
		if x.error {
			later = refusedUs
			if t.Mechanism == "NULL" {
				first = rejected // a server of the others is not sent one
			}
		}
		list = append(list, Input{Name: x.name + " first", After: InGreeting, Send: x.input, Event: first})
		if t.Mechanism == "CURVE" {
			later = badTraffic // it was not sealed
		}
		list = append(list, Input{Name: x.name + " later", After: WhenReady, Send: x.input, Event: later})
	}
	early := map[string][]byte{
		"PING": ping(0, "x"), "PONG": command("PONG"), "SUBSCRIBE": topic(nil, true, true), "CANCEL": topic(nil, false, true), "JOIN": command("JOIN"),
		"MESSAGE": command("MESSAGE", make([]byte, 50)...), "unknown": command("WHATEVER"), "ready": command("ready"),
		"a message": frame(0, []byte("x")), "an empty message": {0, 0}, "MORE": append(frame(flagMore, nil), 0, 0), "a long message": frame(0, make([]byte, 60_000)),
	}
	if t.Mechanism != "NULL" {
		early["READY"] = command("READY", metadata(peerOf[t.Victim])...)
	}
	for name, b := range early {
		list = append(list, Input{Name: name + " first", After: InGreeting, Send: b, Event: badHandshake})
	}
	ready := command("READY", metadata(peerOf[t.Victim])...)
	list = append(list, Input{Name: "READY later", After: WhenReady, Send: ready, Event: badTraffic},
		Input{Name: "READY later, and again", After: WhenReady, Send: bytes.Repeat(ready, 10), Event: badTraffic})
	switch t.Mechanism {
	case "NULL":
		for _, name := range []string{"WHATEVER", "ping", "MESSAGE", "JOIN", "\x00", strings.Repeat("N", 255)} {
			for _, n := range []int{0, 1, 300, 70_000} {
				list = append(list, Input{Name: fmt.Sprintf("%.10q of %d bytes", name, n), After: WhenReady, Send: command(name, make([]byte, n)...), Want: Kept})
			}
		}
	case "PLAIN":
		list = append(list, plainCommands()...)
	case "CURVE":
		list = append(list, curveCommands()...)
	}
	return list
}

func plainCommands() (list []Input) {
	for name, data := range map[string][]byte{
		"a name past the end": append([]byte{200}, "short"...), "a password past the end": []byte("\x04evil\xffshort"), "no password": []byte("\x04evil"),
		"more behind the password": []byte("\x04evil\x01p\x00"), "names of 255 bytes": slices.Concat([]byte{255}, make([]byte, 255), []byte{255}),
	} {
		list = append(list, Input{Name: "HELLO with " + name, After: InGreeting, Send: command("HELLO", data...), Event: badHandshake})
	}
	return append(list, Input{Name: "HELLO twice", Event: badHandshake, Script: func(c *Conn) error {
		if err := c.greet(c.Target.first()); err != nil {
			return err
		}
		if _, err := c.answer("WELCOME"); err != nil {
			return err
		}
		return c.put(c.Target.first())
	}}, Input{Name: "INITIATE without waiting for the verdict", Want: Either, Script: func(c *Conn) error {
		return c.greet(plainHello(evilUser, "no"), command("INITIATE", metadata(peerOf[c.Target.Victim])...))
	}})
}

func metadataLies(t *Target) (list []Input) {
	peer := peerOf[t.Victim]
	own := property("Socket-Type", peer)
	add := func(name, event string, pieces ...[]byte) {
		input := Input{Name: name, Event: event, Script: func(c *Conn) error { return c.shake(slices.Concat(pieces...)) }}
		if event == "" {
			input.Want = Kept
		}
		list = append(list, input)
	}
	add("empty name", badHandshake, own, []byte{0, 0, 0, 0, 0})
	add("name runs over the end", badHandshake, own, []byte("\xffshort"))
	add("name and no value", badHandshake, own, []byte("\x03abc"))
	add("half a length", badHandshake, own, []byte("\x03abc\x00\x00"))
	for _, size := range []uint32{4, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		add("value too long", badHandshake, own, append(binary.BigEndian.AppendUint32([]byte("\x06X-Size"), size), "abc"...))
	}
	add("no Socket-Type", badHandshake, property("Identity", "x"))
	add("nothing", badHandshake)
	add("two Socket-Types", badHandshake, own, property("SOCKET-type", peer))
	add("two Identities", badHandshake, own, property("Identity", ""), property("identity", "x"))
	add("identity of 256 bytes", badHandshake, own, property("Identity", strings.Repeat("i", 256)))
	add("300 properties", bigHandshake, own, bytes.Repeat(property("X", ""), 300))
	add("100,000 properties", bigHandshake, own, bytes.Repeat([]byte("\x01X\x00\x00\x00\x00"), 100_000))
	add("65 KiB", bigHandshake, own, property("X-Big", strings.Repeat("b", 65<<10)))
	add("unknown type", rejected, property("Socket-Type", "PEER"))
	add("empty type", rejected, property("Socket-Type", ""))
	add("type in lower case", rejected, property("Socket-Type", strings.ToLower(peer)))
	add("huge type", rejected, property("Socket-Type", strings.Repeat("T", 60<<10)))
	if t.Victim != "ROUTER" { // which talks to its own kind
		add("own type", rejected, property("Socket-Type", t.Victim))
	} else {
		add("identity of the kind that a ROUTER makes up", badHandshake, own, property("Identity", "\x00\x00\x00\x00\x01"))
	}
	add("63 KiB", "", own, property("X-Big", strings.Repeat("b", 63<<10)))
	add("name of 255 bytes", "", own, property(strings.Repeat("n", 255), "v"))
	add("names that repeat", "", own, property("X-A", "1"), property("X-A", "2"))
	add("any bytes", "", own, property("\x00\xff\n", "\x1b[31m\x00"))
	return list
}

func spoofs(t *Target) []Input {
	claims := []string{"User-Id", "root", "Peer-Address", "10.0.0.1:1", "Remote", "10.0.0.1:1", "Mechanism", "CURVE", "Principal", "root",
		"X-Real-Ip", "10.0.0.1", "Version", "9.9", "Endpoint", "tcp://10.0.0.1:1", "Connections", "7"}
	list := []Input{{Name: "claims", Want: Kept, Script: func(c *Conn) error { return c.enter(claims...) }}}
	if t.Victim == "ROUTER" {
		list = append(list, Input{Name: "somebody's identity", Event: rejected, Script: func(c *Conn) error { return c.enter("Identity", goodIdentity(0)) }})
	}
	return list
}
