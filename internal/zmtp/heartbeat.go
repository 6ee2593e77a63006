package zmtp

import (
	"encoding/binary"
	"fmt"

	"github.com/ringwire/ringwire"
)

const (
	// MaxPingContext is the most bytes that a PING may carry and a PONG gives
	// back.
	MaxPingContext = 16

	// MaxPingTTL is the longest time to live, in tenths of a second, that a
	// libzmq peer understands: it multiplies by 100 in 16 bits and takes a
	// longer one for a random short one. AppendPing writes what it is given;
	// who chooses the value stays at or below this.
	MaxPingTTL = 655

	pingTTL = 2 // bytes
)

// AppendPing appends a PING frame. ttl is in tenths of a second: the receiver
// may take the connection for dead when it hears nothing for that long, 0
// means never. It panics if context is longer than MaxPingContext, because
// contexts are ours.
func AppendPing(dst []byte, ttl uint16, context []byte) []byte {
	checkContext(CommandPing, context)
	dst = appendCommandName(dst, CommandPing, pingTTL+len(context))
	dst = binary.BigEndian.AppendUint16(dst, ttl)
	return append(dst, context...)
}

// ParsePing reads the data of a PING command. context is a slice of data: use
// it before the buffer is reused.
//
// Both ends of the length are checked: libzmq answers a short PING with stale
// memory and cuts a long context. Any ttl is legal; multiply it in more than
// 16 bits.
func ParsePing(data []byte) (ttl uint16, context []byte, err error) {
	if len(data) < pingTTL || len(data) > pingTTL+MaxPingContext {
		return 0, nil, fmt.Errorf("PING with %d bytes, want %d to %d: %w",
			len(data), pingTTL, pingTTL+MaxPingContext, ringwire.ErrProtocol)
	}
	return binary.BigEndian.Uint16(data), data[pingTTL:len(data):len(data)], nil
}

// AppendPong appends the PONG frame that answers a PING with this context. It
// panics if context is longer than MaxPingContext, because ParsePing lets
// none through.
func AppendPong(dst, context []byte) []byte {
	checkContext(CommandPong, context)
	return AppendCommand(dst, CommandPong, context)
}

// ParsePong reads the data of a PONG command. context is data itself.
func ParsePong(data []byte) (context []byte, err error) {
	if len(data) > MaxPingContext {
		return nil, fmt.Errorf("PONG with %d bytes, want at most %d: %w",
			len(data), MaxPingContext, ringwire.ErrProtocol)
	}
	return data, nil
}

func checkContext(name string, context []byte) {
	if len(context) > MaxPingContext {
		panic(fmt.Sprintf("zmtp: the context of a %s has %d bytes, want at most %d",
			name, len(context), MaxPingContext))
	}
}
