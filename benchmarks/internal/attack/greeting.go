package attack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Events that end a connection: kind and reason.
const (
	badHandshake = "handshake failed/protocol"
	lateShake    = "handshake failed/timeout"
	bigHandshake = "handshake failed/oversize"
	rejected     = "rejected/rejected"
	badTraffic   = "disconnected/protocol"
	bigTraffic   = "disconnected/oversize"
	refusedUs    = "disconnected/rejected"
	silent       = "disconnected/heartbeat"
)

// first is the command with which a client of the target's mechanism begins.
func (t *Target) first() []byte {
	switch t.Mechanism {
	case "PLAIN":
		return plainHello(evilUser, t.Keys.EvilPass)
	case "CURVE":
		s := newCurveShake(keyPair{t.Keys.Evil, t.Keys.EvilSecret}, t.Keys.Server)
		return command("HELLO", s.hello()...)
	}
	return command("READY", metadata(peerOf[t.Victim])...)
}

func downgrades(t *Target) (list []Input) {
	for name, event := range map[string]string{
		"NULL": rejected, "PLAIN": rejected, "CURVE": rejected, "GSSAPI": rejected, "UNKNOWN": rejected,
		"": badHandshake, "null": badHandshake, "curve": badHandshake, t.Mechanism + "\x00X": badHandshake, " " + t.Mechanism: badHandshake,
	} {
		if name == t.Mechanism {
			continue
		}
		for _, as := range []byte{0, 1} {
			ready := command("READY", metadata(peerOf[t.Victim])...)
			list = append(list, Input{Name: fmt.Sprintf("mechanism %q", name), Send: append(greeting(3, 1, name, as), ready...), Event: event})
		}
	}
	if t.Mechanism != "NULL" {
		list = append(list, Input{Name: "READY of NULL behind the right greeting", After: InGreeting, Send: command("READY", metadata(peerOf[t.Victim])...), Event: badHandshake},
			Input{Name: "a message behind the right greeting", After: InGreeting, Send: frame(0, []byte("let me in")), Event: badHandshake})
	}
	return list
}

func versions(t *Target) (list []Input) {
	bad := func(name string, input ...byte) {
		list = append(list, Input{Name: name, Send: input, Event: badHandshake})
	}
	signature := greeting(3, 1, t.Mechanism, 0)[:10]
	bad("unversioned", 1, 0, 0, 1, 'x')
	bad("unversioned with identity", append([]byte{5, 0}, "peer"...)...)
	bad("signature of ZMTP 1.0", 0xFF, 0, 0, 0, 0, 0, 0, 0, 5, 0, 'p', 'e', 'e', 'r')
	for revision := range byte(3) {
		bad(fmt.Sprintf("revision %d", revision), append(bytes.Clone(signature), revision)...)
		bad(fmt.Sprintf("version %d.0", revision), append(greeting(revision, 0, t.Mechanism, 0), t.first()...)...)
	}
	good := func(name string, g []byte) {
		list = append(list, Input{Name: name, Want: Left, Script: func(c *Conn) error {
			if err := c.put(g, c.Target.first()); err != nil {
				return err
			}
			want := map[string]string{"NULL": "READY", "PLAIN": "WELCOME", "CURVE": "WELCOME"}[c.Target.Mechanism]
			_, err := c.answer(want)
			return err
		}})
	}
	for _, v := range [][2]byte{{3, 0}, {3, 1}, {3, 9}, {3, 255}, {4, 0}, {255, 0}} {
		good(fmt.Sprintf("version %d.%d", v[0], v[1]), greeting(v[0], v[1], t.Mechanism, 0))
	}
	for _, as := range []byte{2, 255} {
		good(fmt.Sprintf("as-server %d", as), greeting(3, 1, t.Mechanism, as))
	}
	return list
}

// noise is always the same.
func noise(size int) []byte {
	const seed = 8
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	b[0] &= 0x7F // no signature
	return b
}

func scans(t *Target) (list []Input) {
	random := noise(64 << 10)
	marked := append([]byte{0xFF}, random...) // begins like a signature
	marked[9] &^= 1
	for name, input := range map[string]string{
		"HTTP": "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"TLS": "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + string(random[:200]), "SSH": "SSH-2.0-OpenSSH_9.6\r\n",
		"Redis": "*1\r\n$4\r\nPING\r\n", "memcached": "stats\r\n", "memcached, binary": "\x80\x0b" + string(make([]byte, 22)),
		"SMTP": "EHLO scanner\r\n", "RTSP": "OPTIONS / RTSP/1.0\r\n\r\n", "SIP": "OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm;branch=foo\r\n\r\n",
		"DNS": "\x00\x1e\x00\x06\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03",
		"SMB": "\x00\x00\x00\xa4\xff\x53\x4d\x42\x72\x00\x00\x00\x00\x08\x01\x40", "RDP": "\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x00\x00",
		"LDAP": "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", "Java RMI": "JRMI\x00\x02K", "X11": "l\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"MQTT": "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", "Kerberos": "\x00\x00\x00\x71\x6a\x81\x6e\x30\x81\x6b\xa1\x03",
		"new lines": "\r\n\r\n", "help": "HELP\r\n", "marked noise": string(marked), "zeros": string(make([]byte, 64<<10)),
		"NetMQ 1168": "\xff\xff\xff\xff\xff\xff\xff\xff\xe2\xaa\xaa\xaa\xaa\xaa\xaa\xaa",
	} {
		list = append(list, Input{Name: name, Send: []byte(input), Event: badHandshake})
	}
	// What could still be a greeting, and then ends.
	for _, input := range []string{"", "\xff", "\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20", string(greeting(3, 1, t.Mechanism, 0)[:63])} {
		list = append(list, Input{Name: "too short", Event: "handshake failed/closed by the peer", Script: func(c *Conn) error {
			if err := c.put([]byte(input)); err != nil {
				return err
			}
			return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
		}})
	}
	return list
}

func junk(*Target) []Input {
	return []Input{{Name: "noise", Send: noise(64 << 10), Event: badHandshake}}
}

// stages are the ways in which a handshake stalls.
func (t *Target) stages() map[string][]byte {
	hello, first := greeting(3, 1, t.Mechanism, 0), t.first()
	return map[string][]byte{
		"nothing": nil, "one byte": hello[:1], "signature": hello[:10], "half a greeting": hello[:32], "63 bytes": hello[:63], "greeting": hello,
		"flags": slices.Concat(hello, first[:1]), "half a command": slices.Concat(hello, first[:len(first)/2]), "a command but a byte": slices.Concat(hello, first[:len(first)-1]),
		"large command declared": slices.Concat(hello, header(flagCommand, 60<<10), []byte{5}),
	}
}
