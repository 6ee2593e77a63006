package attack

import (
	"encoding/binary"
	"slices"
)

// What follows writes ZMTP by hand, so that it can be wrong.

const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

func greeting(major, minor byte, mechanism string, asServer byte) []byte {
	g := make([]byte, 64)
	g[0], g[8], g[9], g[10], g[11], g[32] = 0xFF, 1, 0x7F, major, minor, asServer
	copy(g[12:32], mechanism)
	return g
}

// frame is a frame in the form that its size asks for.
func frame(flags byte, body []byte) []byte {
	if len(body) > 255 {
		return append(header(flags, uint64(len(body))), body...)
	}
	return append([]byte{flags, byte(len(body))}, body...)
}

// header is a long header that declares what it likes.
func header(flags byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | flagLong}, size)
}

func commandBody(name string, data ...byte) []byte {
	return append(append([]byte{byte(len(name))}, name...), data...)
}

func command(name string, data ...byte) []byte {
	return frame(flagCommand, commandBody(name, data...))
}

func ping(ttl uint16, context string) []byte {
	return command("PING", append(binary.BigEndian.AppendUint16(nil, ttl), context...)...)
}

func property(name, value string) []byte {
	p := append([]byte{byte(len(name))}, name...)
	p = binary.BigEndian.AppendUint32(p, uint32(len(value)))
	return append(p, value...)
}

// metadata is a socket type and pairs of names and values.
func metadata(socketType string, pairs ...string) []byte {
	body := property("Socket-Type", socketType)
	for p := range slices.Chunk(pairs, 2) {
		body = append(body, property(p[0], p[1])...)
	}
	return body
}

// topic subscribes or cancels, as a command or in the older form.
func topic(topic []byte, subscribe, asCommand bool) []byte {
	name, first := "CANCEL", byte(0)
	if subscribe {
		name, first = "SUBSCRIBE", 1
	}
	if asCommand {
		return command(name, topic...)
	}
	return frame(0, append([]byte{first}, topic...))
}

// plainHello is PLAIN's HELLO.
func plainHello(name, password string) []byte {
	data := append([]byte{byte(len(name))}, name...)
	return command("HELLO", append(append(data, byte(len(password))), password...)...)
}
