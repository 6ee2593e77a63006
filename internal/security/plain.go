package security

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// PlainName is PLAIN's name in the greeting.
const PlainName = "PLAIN"

// MaxPlainText is the longest user name and password in bytes (RFC 24).
const MaxPlainText = 255

var errPlainClear = errors.New("security: frames of a PLAIN connection travel as they are, Seal and Open do not apply")

// PlainClient is the client's side of PLAIN (RFC 24): it says who it is, in the
// clear. It prints without the password.
type PlainClient struct {
	username string
	password *string // so that what prints a struct around this one prints an address
}

// NewPlainClient refuses what does not fit the command.
func NewPlainClient(username, password string) (*PlainClient, error) {
	if n := len(username); n > MaxPlainText {
		return nil, fmt.Errorf("username of %d bytes, want at most %d", n, MaxPlainText)
	}
	if n := len(password); n > MaxPlainText {
		return nil, fmt.Errorf("password of %d bytes, want at most %d", n, MaxPlainText)
	}
	return &PlainClient{username, &password}, nil
}

func (*PlainClient) Name() string { return PlainName }

// Format prints no password, whatever the verb.
func (c *PlainClient) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "PLAIN client %q, password redacted", c.username)
}

func (c *PlainClient) self() string { return fmt.Sprintf("user %q with this password", c.username) }

// New makes the state of one connection.
func (c *PlainClient) New(own zmtp.Metadata, limits Limits) Conn {
	return &plainClient{clear: clear{shaking{name: PlainName, self: c.self(), own: own, left: limits.handshakeBytes()}}, identity: c}
}

// PlainServer is the server's side of PLAIN. Each client waits for a verdict.
type PlainServer struct{}

func (*PlainServer) Name() string { return PlainName }

// New makes the state of one connection.
func (*PlainServer) New(own zmtp.Metadata, limits Limits) Conn {
	return &plainServer{clear: clear{shaking{name: PlainName, own: own, left: limits.handshakeBytes()}}}
}

// clear is a connection whose traffic travels as it is.
type clear struct{ shaking }

func (*clear) Clear() bool { return true }

func (*clear) Seal(dst []byte, _ byte, _ []byte) ([]byte, error) { return dst, errPlainClear }

func (*clear) Open(dst, _ []byte) ([]byte, byte, error) { return dst, 0, errPlainClear }

type plainClient struct {
	clear
	identity *PlainClient
}

func (c *plainClient) Start(dst []byte) ([]byte, error) {
	if err := c.begin(awaitWelcome); err != nil {
		return dst, err
	}
	data := append([]byte{byte(len(c.identity.username))}, c.identity.username...)
	data = append(append(data, byte(len(*c.identity.password))), *c.identity.password...)
	return zmtp.AppendCommand(dst, zmtp.CommandHello, data), nil
}

// libzmqError is how an ERROR of libzmq's PLAIN server begins instead of with its
// length, 5, and an E: a C compiler takes the E of "\x5ERROR" for a digit.
const libzmqError = "\x5eRROR"

// Explain implements Explainer.
func (c *plainClient) Explain() string {
	if c.state == awaitWelcome {
		return "the server may not allow " + c.self
	}
	return ""
}

func (c *plainClient) Handle(dst, body []byte) ([]byte, error) {
	if rest, ok := bytes.CutPrefix(body, []byte(libzmqError)); ok {
		body = append([]byte("\x05"+zmtp.CommandError), rest...)
	}
	data, err := c.command(body)
	if err != nil {
		return c.fail(dst, err)
	}
	if c.state == awaitReady {
		c.state = open
		return c.fail(dst, c.learn(data))
	}
	if len(data) > 0 {
		return c.fail(dst, fmt.Errorf("WELCOME with %d bytes, want none: %w", len(data), ringwire.ErrProtocol))
	}
	c.state = awaitReady
	meta, err := c.metadata()
	if err != nil {
		return c.fail(dst, err)
	}
	return zmtp.AppendCommand(dst, zmtp.CommandInitiate, meta), nil
}

type plainServer struct {
	clear
	asking ringwire.Credentials
}

func (s *plainServer) Start(dst []byte) ([]byte, error) { return dst, s.begin(awaitHello) }

func (s *plainServer) Handle(dst, body []byte) ([]byte, error) {
	data, err := s.command(body)
	if err != nil {
		return s.fail(dst, err)
	}
	if s.state == awaitHello {
		s.state = awaitVerdict
		return s.fail(dst, s.hello(data))
	}
	s.state = open
	if err := s.learn(data); err != nil {
		return s.fail(dst, err)
	}
	meta, err := s.metadata()
	if err != nil {
		return s.fail(dst, err)
	}
	return zmtp.AppendCommand(dst, zmtp.CommandReady, meta), nil
}

// hello takes the credentials out of a HELLO, whose length must be exact.
func (s *plainServer) hello(data []byte) error {
	username, rest, ok := plainText(data)
	password, rest, ok2 := plainText(rest)
	if !ok || !ok2 || len(rest) > 0 {
		return fmt.Errorf("HELLO of %d bytes is no username and password: %w", len(data), ringwire.ErrProtocol)
	}
	s.asking = ringwire.Credentials{Mechanism: PlainName, Username: username, Password: password}
	return nil
}

// plainText cuts off a string that begins with its length in a byte.
func plainText(b []byte) (s string, rest []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}

// Pending implements Asker.
func (s *plainServer) Pending() (ringwire.Credentials, bool) {
	return s.asking, s.state == awaitVerdict && !s.failed
}

// Verdict implements Asker.
func (s *plainServer) Verdict(dst []byte, v ringwire.Verdict) ([]byte, error) {
	if _, asked := s.Pending(); !asked {
		return s.fail(dst, errUnasked)
	}
	who := fmt.Sprintf("user %q with this password", s.asking.Username)
	s.asking = ringwire.Credentials{}
	if !v.Allow {
		return s.fail(s.denied(dst, who))
	}
	s.state = awaitInitiate
	return zmtp.AppendCommand(dst, zmtp.CommandWelcome, nil), nil
}
