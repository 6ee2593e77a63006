package attack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Target is the victim, as an attacker knows it.
type Target struct {
	Victim    string
	Mechanism string
	Network   string
	Address   string
	Keys      Keys
	Source    string

	dials atomic.Int64
}

// Keys are what the processes of a run know each other by.
type Keys struct {
	Server, ServerSecret   [32]byte // CURVE
	Good, GoodSecret       [32]byte // of the legitimate peers
	Evil, EvilSecret       [32]byte // of an attacker that is let in
	Password, EvilPass     string   // PLAIN: of the users good and evil
	PasswordHash, EvilHash string
}

const (
	goodUser = "good"
	evilUser = "evil"
)

// guard ends a connection that hangs: nothing is expected to take this long.
const guard = 10 * time.Second

var (
	errHungUp = errors.New("the victim has hung up")
	errDeaf   = fmt.Errorf("the victim does not read or answer within %v", guard)
)

// Conn is one connection of the attacker.
type Conn struct {
	net.Conn
	Target *Target
	read   *bufio.Reader
	sent   int64
	curve  *curveTraffic // of CURVE, when it is ready
	report func(n int)   // told of bytes that were sent
}

// dial connects without a word.
func (t *Target) dial() (*Conn, error) {
	number := t.dials.Add(1)
	var conn net.Conn
	var err error
	for {
		d := net.Dialer{Timeout: guard}
		network := t.Network
		if t.Network == "ipc" {
			network = "unix"
		} else if runtime.GOOS == "linux" {
			// Closed connections keep their port: many addresses have more of them.
			source := net.IPv4(127, 0, 1, byte(1+number%250))
			if t.Source != "" {
				source = net.ParseIP(t.Source)
			}
			d.LocalAddr = &net.TCPAddr{IP: source}
		}
		conn, err = d.Dial(network, t.Address)
		if !errors.Is(err, syscall.EAGAIN) {
			break
		}
		time.Sleep(time.Millisecond) // the accept queue of a Unix socket is full
	}
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(guard))
	return &Conn{Conn: conn, Target: t, read: bufio.NewReaderSize(conn, 512), report: func(int) {}}, nil
}

// put writes. errHungUp is the victim's right.
func (c *Conn) put(pieces ...[]byte) error {
	n, err := c.Write(bytes.Join(pieces, nil))
	c.sent += int64(n)
	c.report(n)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errDeaf
	}
	return errHungUp
}

// get reads whole buffers.
func (c *Conn) get(b []byte) error {
	_, err := io.ReadFull(c.read, b)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errDeaf
	}
	return errHungUp
}

// getFrame reads a frame as it is on the wire.
func (c *Conn) getFrame() (flags byte, body []byte, err error) {
	var h [9]byte
	if err := c.get(h[:2]); err != nil {
		return 0, nil, err
	}
	size := uint64(h[1])
	if h[0]&flagLong != 0 {
		if err := c.get(h[2:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(h[1:])
	}
	if size > 1<<20 {
		return 0, nil, fmt.Errorf("the victim sends a frame of %d bytes", size)
	}
	body = make([]byte, size)
	return h[0], body, c.get(body)
}

// getCommand reads a command of the handshake.
func (c *Conn) getCommand(name string) (data []byte, err error) {
	flags, body, err := c.getFrame()
	if err != nil {
		return nil, err
	}
	data, ok := bytes.CutPrefix(body, commandBody(name))
	if flags&flagCommand == 0 || !ok {
		if bytes.HasPrefix(body, commandBody("ERROR")) {
			return nil, errHungUp // it will
		}
		return nil, fmt.Errorf("the victim sends %.40q, want %s", body, name)
	}
	return data, nil
}

// greet sends a greeting in good order.
func (c *Conn) greet(more ...[]byte) error {
	return c.put(append([][]byte{greeting(3, 1, c.Target.Mechanism, 0)}, more...)...)
}

// shake completes a handshake with this metadata.
func (c *Conn) shake(meta []byte) error { return c.shakeAs(meta, evilUser, c.Target.Keys.EvilPass) }

func (c *Conn) shakeAs(meta []byte, user, password string) error {
	switch c.Target.Mechanism {
	case "PLAIN":
		if err := c.greet(plainHello(user, password)); err != nil {
			return err
		}
		if _, err := c.answer("WELCOME"); err != nil {
			return err
		}
		if err := c.put(command("INITIATE", meta...)); err != nil {
			return err
		}
	case "CURVE":
		keys := &c.Target.Keys
		s := newCurveShake(keyPair{keys.Evil, keys.EvilSecret}, keys.Server)
		return c.shakeCurve(s, meta)
	default:
		if err := c.greet(command("READY", meta...)); err != nil {
			return err
		}
		_, err := c.answer("READY")
		return err
	}
	_, err := c.getCommand("READY")
	return err
}

// answer reads the greeting and the command behind it.
func (c *Conn) answer(name string) ([]byte, error) {
	if err := c.get(make([]byte, 64)); err != nil {
		return nil, err
	}
	return c.getCommand(name)
}

// welcomed is a CURVE handshake up to WELCOME.
func (c *Conn) welcomed(s *curveShake) error {
	if err := c.greet(command("HELLO", s.hello()...)); err != nil {
		return err
	}
	data, err := c.answer("WELCOME")
	if err != nil {
		return err
	}
	return s.welcome(data)
}

func (c *Conn) shakeCurve(s *curveShake, meta []byte) error {
	if err := c.welcomed(s); err != nil {
		return err
	}
	if err := c.put(command("INITIATE", s.initiate(meta)...)); err != nil {
		return err
	}
	if _, err := c.getCommand("READY"); err != nil {
		return err
	}
	c.curve = &curveTraffic{s.traffic, s.last + 1}
	return nil
}

// enter completes a handshake in good order.
func (c *Conn) enter(pairs ...string) error {
	return c.shake(metadata(peerOf[c.Target.Victim], pairs...))
}

// wire is a frame as this connection has to send it, sealed with CURVE.
func (c *Conn) wire(flags byte, body []byte) []byte {
	if c.curve != nil {
		return c.curve.seal(flags, body)
	}
	return frame(flags, body)
}

const stillHere = "still here?"

// kept asks whether the victim still serves the connection.
func (c *Conn) kept() error {
	body := commandBody("PING", append([]byte{0, 0}, stillHere...)...)
	if err := c.put(c.wire(flagCommand, body)); err != nil {
		return err
	}
	for {
		flags, body, err := c.getFrame()
		if err == nil && c.curve != nil {
			flags, body, err = c.curve.open(body)
		}
		if err != nil {
			return err
		}
		if flags&flagCommand != 0 && string(body) == "\x04PONG"+stillHere {
			return nil
		}
	}
}

// closed waits until the victim has hung up.
func (c *Conn) closed() error {
	if _, err := io.Copy(io.Discard, c.read); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the victim has not hung up within %v", guard)
	}
	return nil
}

// leave hangs up in one of three ways.
func (c *Conn) leave(way int) {
	if stream, ok := c.Conn.(*net.TCPConn); ok && way%3 == 1 {
		stream.SetLinger(0) // a reset
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && way%3 == 2 {
		half.CloseWrite()
	}
	c.Close()
}

// address is an endpoint without its scheme; an abstract name begins with @.
func address(endpoint string) string {
	_, rest, _ := strings.Cut(endpoint, "://")
	return rest
}
