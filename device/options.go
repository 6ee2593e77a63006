package device

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// DefaultBatch is how many messages a direction has in hand at most.
const DefaultBatch = 256

// Options configure a Device. The zero value of every field is the documented
// default. The sockets stay the caller's, who closes them after Run.
type Options struct {
	// Control receives commands while the device runs: REP, PAIR, DEALER or
	// ROUTER, which are answered; PULL or SUB, which are not. nil: none. See
	// [Device.Run] for the commands. When it is closed the device goes on.
	Control *socket.Socket
	// Capture is sent a copy of every message of both directions before it is
	// forwarded: PUB, XPUB, PUSH, DEALER or PAIR. nil: none.
	Capture *socket.Socket
	// CaptureBlocks makes a capture without room, or without a peer, stop the
	// traffic until it has room, and a closed one end the device. Otherwise what
	// it cannot take is dropped and counted in Stats.
	CaptureBlocks bool
	// Batch is how many messages a direction takes at once, and has in hand at
	// most. 0: 256.
	Batch int
	// OneWay says that what goes through a ROUTER and a DEALER is not answered
	// message by message: Drain then does not wait for replies.
	OneWay bool
}

// validate returns a complete copy of o for a device between two sockets.
func (o *Options) validate(front, back *socket.Socket) (*Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	var bad []error
	if c.Batch < 0 {
		bad = append(bad, fmt.Errorf("option Batch is %d, want 0 or more", c.Batch))
	}
	if c.Batch == 0 {
		c.Batch = DefaultBatch
	}
	extra := func(name string, s *socket.Socket, types ...*pattern.Spec) {
		switch {
		case s == nil:
		case s == front || s == back || name == "Capture" && s == c.Control:
			bad = append(bad, fmt.Errorf("option %s is a socket that the device uses already, want another", name))
		case !slices.Contains(types, s.Type()):
			bad = append(bad, fmt.Errorf("option %s is a %s socket, want one of %v", name, s.Type(), types))
		case closed(s):
			bad = append(bad, fmt.Errorf("option %s: %w", name, ringwire.ErrClosed))
		}
	}
	extra("Control", c.Control, pattern.Rep, pattern.Pair, pattern.Dealer, pattern.Router, pattern.Pull, pattern.Sub)
	extra("Capture", c.Capture, pattern.Pub, pattern.XPub, pattern.Push, pattern.Dealer, pattern.Pair)
	if c.CaptureBlocks && c.Capture == nil {
		bad = append(bad, errors.New("option CaptureBlocks is true, want false without Capture"))
	}
	return &c, errors.Join(bad...)
}
