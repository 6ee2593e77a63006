package zmtp

import (
	"fmt"

	"github.com/ringwire/ringwire"
)

// The names of the commands of RFC 37 and of the PLAIN, CURVE and RADIO-DISH
// specifications.
const (
	CommandReady     = "READY"
	CommandError     = "ERROR"
	CommandPing      = "PING"
	CommandPong      = "PONG"
	CommandSubscribe = "SUBSCRIBE"
	CommandCancel    = "CANCEL"
	CommandHello     = "HELLO"
	CommandWelcome   = "WELCOME"
	CommandInitiate  = "INITIATE"
	CommandMessage   = "MESSAGE"
	CommandJoin      = "JOIN"
	CommandLeave     = "LEAVE"
)

const maxName = 255 // a name's length has one byte, in commands and in properties

// AppendCommand appends one command frame: header, name, data. It panics if
// name is empty or longer than 255 bytes, because command names are ours.
func AppendCommand(dst []byte, name string, data []byte) []byte {
	return append(appendCommandName(dst, name, len(data)), data...)
}

// appendCommandName appends a command frame up to where its n bytes of data
// begin.
func appendCommandName(dst []byte, name string, n int) []byte {
	if len(name) < 1 || len(name) > maxName {
		panic(fmt.Sprintf("zmtp: the command name %q has %d bytes, want 1 to %d",
			name, len(name), maxName))
	}
	dst = AppendHeader(dst, FlagCommand, 1+len(name)+n)
	dst = append(dst, byte(len(name)))
	return append(dst, name...)
}

// ParseCommand splits the body of a command frame. name and data are clipped
// slices of body; data may be empty. The characters of the name are not
// checked, since an unknown command is skipped anyway: quote it where it is
// printed.
func ParseCommand(body []byte) (name, data []byte, err error) {
	if len(body) == 0 {
		return nil, nil, fmt.Errorf("command of 0 bytes, want a name: %w", ringwire.ErrProtocol)
	}
	n := int(body[0])
	if n == 0 {
		return nil, nil, fmt.Errorf("command name of 0 bytes, want 1 to %d: %w",
			maxName, ringwire.ErrProtocol)
	}
	if n > len(body)-1 {
		return nil, nil, fmt.Errorf("command name of %d bytes, want at most the %d that follow: %w",
			n, len(body)-1, ringwire.ErrProtocol)
	}
	return body[1 : 1+n : 1+n], body[1+n : len(body) : len(body)], nil
}
