package security

import (
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// shaking is what the handshakes of PLAIN and CURVE have in common: commands in
// a fixed order, of bounded size, until both sides told their metadata.
type shaking struct {
	name   string        // of the mechanism; immutable after New
	self   string        // who a client says it is; immutable after New
	own    zmtp.Metadata // immutable after New
	left   int           // bytes of commands that may still come
	state  state
	peer   zmtp.Metadata
	failed bool
}

// state is what a side waits for.
type state int

const (
	atStart state = iota
	awaitHello
	awaitWelcome
	awaitVerdict
	awaitInitiate
	awaitReady
	open
)

// wants is the command that each state waits for. Those that wait for none are not
// in it.
var wants = map[state]string{
	awaitHello: zmtp.CommandHello, awaitWelcome: zmtp.CommandWelcome,
	awaitInitiate: zmtp.CommandInitiate, awaitReady: zmtp.CommandReady,
}

// begin leaves atStart.
func (s *shaking) begin(next state) error {
	if s.state != atStart || s.failed {
		s.failed = true
		return fmt.Errorf("security: Start was called twice on a %s connection", s.name)
	}
	s.state = next
	return nil
}

// command parses a command that must be the one that is waited for, or ERROR.
func (s *shaking) command(body []byte) (data []byte, err error) {
	if s.failed {
		return nil, fmt.Errorf("command after the %s handshake failed: %w", s.name, ringwire.ErrProtocol)
	}
	if s.left -= len(body); s.left < 0 {
		return nil, fmt.Errorf("the commands of the %s handshake have more than the %d bytes allowed: %w",
			s.name, s.left+len(body), ringwire.ErrTooLarge)
	}
	name, data, err := zmtp.ParseCommand(body)
	if err != nil {
		return nil, fmt.Errorf("%s handshake: %w", s.name, err)
	}
	switch want, any := wants[s.state]; {
	case !any:
		return nil, fmt.Errorf("command %q in the %s handshake, where none is waited for: %w", name, s.name, ringwire.ErrProtocol)
	case string(name) == want:
		return data, nil
	case string(name) == zmtp.CommandError && (s.state == awaitWelcome || s.state == awaitReady):
		reason, err := zmtp.ParseError(data)
		if err != nil {
			return nil, fmt.Errorf("%s handshake: %w", s.name, err)
		}
		if reason == DeniedReason {
			return nil, fmt.Errorf("the server answered with ERROR \"%s\", it does not allow %s: %w", reason, s.self, ringwire.ErrRejected)
		}
		return nil, fmt.Errorf("the server answered with ERROR \"%s\": %w", reason, ringwire.ErrRejected)
	case s.state == awaitWelcome && string(name) == zmtp.CommandHello:
		return nil, fmt.Errorf("both sides are %s clients, want one of them to be the server: %w", s.name, ringwire.ErrProtocol)
	default:
		return nil, fmt.Errorf("command %q in the %s handshake, want %s: %w", name, s.name, want, ringwire.ErrProtocol)
	}
}

// metadata encodes what this side tells of itself.
func (s *shaking) metadata() ([]byte, error) {
	data, err := zmtp.AppendMetadata(nil, s.own)
	if err != nil {
		return nil, fmt.Errorf("own metadata: %w", err)
	}
	return data, nil
}

// learn takes up the peer's metadata.
func (s *shaking) learn(data []byte) (err error) {
	if s.peer, err = zmtp.ParseMetadata(data, len(data)); err != nil {
		return fmt.Errorf("the peer's metadata: %w", err)
	}
	return nil
}

// denied makes the answer to a peer that is not let in.
func (s *shaking) denied(dst []byte, who string) ([]byte, error) {
	dst, err := zmtp.AppendError(dst, DeniedReason)
	if err != nil {
		return dst, err
	}
	return dst, fmt.Errorf("%s: not allowed by the Authenticator: %w", who, ringwire.ErrRejected)
}

// Explain implements Explainer.
func (s *shaking) Explain() string {
	switch s.state {
	case awaitHello:
		return fmt.Sprintf("the peer may be a %s server, too, where one side must be the client", s.name)
	case awaitReady:
		return "the server may not allow " + s.self
	}
	return ""
}

// fail notes an error for good.
func (s *shaking) fail(dst []byte, err error) ([]byte, error) {
	if err != nil {
		s.failed = true
	}
	return dst, err
}

func (s *shaking) Done() bool { return s.state == open && !s.failed }

func (s *shaking) Peer() zmtp.Metadata {
	if !s.Done() {
		return nil
	}
	return s.peer
}
