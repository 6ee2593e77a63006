package zmtp

import (
	"fmt"
	"strconv"

	"github.com/ringwire/ringwire"
)

const maxReason = 255

// AppendError appends an ERROR frame that tells the peer why it is refused. A
// reason of more than 255 bytes wraps ringwire.ErrTooLarge, and dst is
// returned as it was.
func AppendError(dst []byte, reason string) ([]byte, error) {
	if len(reason) > maxReason {
		return dst, fmt.Errorf("reason of %d bytes, want at most %d: %w",
			len(reason), maxReason, ringwire.ErrTooLarge)
	}
	dst = appendCommandName(dst, CommandError, 1+len(reason))
	dst = append(dst, byte(len(reason)))
	return append(dst, reason...), nil
}

// ParseError reads the data of an ERROR command. reason is fit to print: what
// is not printable is escaped as in a Go string literal, and so are quotes
// and backslashes. Bytes behind the reason are ignored, as in libzmq.
func ParseError(data []byte) (reason string, err error) {
	if len(data) == 0 {
		return "", fmt.Errorf("ERROR with 0 bytes, want a reason's length: %w",
			ringwire.ErrProtocol)
	}
	n := int(data[0])
	if n > len(data)-1 {
		return "", fmt.Errorf("ERROR reason of %d bytes, want at most the %d that follow: %w",
			n, len(data)-1, ringwire.ErrProtocol)
	}
	quoted := strconv.Quote(string(data[1 : 1+n]))
	return quoted[1 : len(quoted)-1], nil
}
