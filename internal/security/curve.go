package security

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// CurveName is CURVE's name in the greeting.
const CurveName = "CURVE"

// The sizes of CURVE's commands without their names (RFC 26), and the prefixes of
// its nonces.
const (
	helloSize    = 2 + 72 + KeySize + 8 + boxOverhead + 64
	welcomeSize  = 16 + boxOverhead + KeySize + cookieSize
	cookieSize   = 16 + boxOverhead + 2*KeySize
	vouchSize    = boxOverhead + 2*KeySize
	initiateHead = cookieSize + 8
	initiateMin  = initiateHead + boxOverhead + KeySize + 16 + vouchSize
	readyMin     = 8 + boxOverhead

	helloNonce    = "CurveZMQHELLO---"
	welcomeNonce  = "WELCOME-"
	cookieNonce   = "COOKIE--"
	initiateNonce = "CurveZMQINITIATE"
	vouchNonce    = "VOUCH---"
	readyNonce    = "CurveZMQREADY---"
)

var errCurveEarly = errors.New("security: Seal and Open are for a CURVE connection that is done")

// CurveClient is the client's side of CURVE (RFC 26): it knows the server's key
// and has one of its own.
type CurveClient struct {
	key    *KeyPair
	server [KeySize]byte
	random io.Reader // nil: crypto/rand
}

// NewCurveClient makes a client that talks to the server with this public key.
func NewCurveClient(key *KeyPair, server [KeySize]byte) (*CurveClient, error) {
	if key == nil {
		return nil, errors.New("the client's key pair is nil")
	}
	if _, err := key.shared(server[:]); err != nil {
		return nil, fmt.Errorf("the server's key: %w", err)
	}
	return &CurveClient{key: key, server: server}, nil
}

func (*CurveClient) Name() string { return CurveName }

// Format prints no secret.
func (c *CurveClient) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "CURVE client of server %s..., %v", EncodeZ85(c.server[:8]), c.key)
}

// New makes the state of one connection.
func (c *CurveClient) New(own zmtp.Metadata, limits Limits) Conn {
	return &curveClient{
		curve: curve{shaking: shaking{name: CurveName, self: clientOf(c.key.public[:]), own: own, left: limits.handshakeBytes()},
			random: source(c.random)},
		config: c,
	}
}

// clientOf names a client by its key as users know it.
func clientOf(public []byte) string { return "the client with public key " + EncodeZ85(public) }

// CurveServer is the server's side of CURVE. Each client waits for a verdict. A
// server has more than one key while they are changed.
type CurveServer struct {
	keys   []*KeyPair
	random io.Reader // nil: crypto/rand
}

// NewCurveServer makes a server with these keys, of which there is at least one.
func NewCurveServer(keys ...*KeyPair) (*CurveServer, error) {
	if len(keys) == 0 {
		return nil, errors.New("a CURVE server without a key")
	}
	for i, k := range keys {
		if k == nil {
			return nil, fmt.Errorf("key pair %d of the CURVE server is nil", i)
		}
	}
	return &CurveServer{keys: append([]*KeyPair(nil), keys...)}, nil
}

func (*CurveServer) Name() string { return CurveName }

// Format prints no secret.
func (s *CurveServer) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "CURVE server, %v", s.keys) }

// New makes the state of one connection.
func (s *CurveServer) New(own zmtp.Metadata, limits Limits) Conn {
	return &curveServer{
		curve:  curve{shaking: shaking{name: CurveName, own: own, left: limits.handshakeBytes()}, random: source(s.random)},
		config: s,
	}
}

func source(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}

// curve is what both sides have. The transient keys live as long as it does; the
// secret halves are dropped when the handshake is done.
type curve struct {
	shaking
	random    io.Reader
	transient *KeyPair
	in, out   direction
}

func (*curve) Clear() bool { return false }

func (c *curve) Seal(dst []byte, flags byte, body []byte) ([]byte, error) {
	if !c.Done() {
		return dst, errCurveEarly
	}
	var inner byte
	if flags&zmtp.FlagMore != 0 {
		inner |= boxMore
	}
	if flags&zmtp.FlagCommand != 0 {
		inner |= boxCommand
	}
	return c.out.seal(dst, inner, body)
}

func (c *curve) Open(dst, body []byte) ([]byte, byte, error) {
	if !c.Done() {
		return dst, 0, errCurveEarly
	}
	out, flags, err := c.in.open(dst, body)
	if err != nil {
		c.failed = true
	}
	return out, flags, err
}

// nonce16 makes 16 random bytes.
func (c *curve) nonce16() (b [16]byte, err error) {
	if _, err = io.ReadFull(c.random, b[:]); err != nil {
		err = fmt.Errorf("make a nonce: %w", err)
	}
	return b, err
}

type curveClient struct {
	curve
	config   *CurveClient
	traffic  *[32]byte // C' and S'
	response [KeySize]byte
}

// HELLO: the version, zeros so that the server never answers with more than it
// was sent, C', a box of zeros that proves that we know S.
func (c *curveClient) Start(dst []byte) ([]byte, error) {
	err := c.begin(awaitWelcome)
	if err != nil {
		return dst, err
	}
	if c.transient, err = generate(c.random); err != nil {
		return c.fail(dst, err)
	}
	key, err := c.transient.shared(c.config.server[:])
	if err != nil {
		return c.fail(dst, err)
	}
	data := make([]byte, 2+72, helloSize)
	data[0] = 1
	public := c.transient.Public()
	data = append(data, public[:]...)
	data = binary.BigEndian.AppendUint64(data, 1)
	data = seal(data, make([]byte, 64), shortNonce(helloNonce, data[len(data)-8:]), key)
	return zmtp.AppendCommand(dst, zmtp.CommandHello, data), nil
}

// Explain implements Explainer.
func (c *curveClient) Explain() string {
	if c.state == awaitWelcome {
		// Not the whole key: it may be a secret one, put there by mistake.
		return fmt.Sprintf("the key that this client has for the server, %s..., may not be the server's", EncodeZ85(c.config.server[:8]))
	}
	return c.shaking.Explain()
}

func (c *curveClient) Handle(dst, body []byte) ([]byte, error) {
	data, err := c.command(body)
	if err != nil {
		return c.fail(dst, err)
	}
	if c.state == awaitReady {
		return c.fail(dst, c.ready(data))
	}
	dst, err = c.welcome(dst, data)
	return c.fail(dst, err)
}

// welcome reads WELCOME, which has S' and a cookie, and answers with INITIATE: the
// cookie, and in a box C, a vouch that C' is C's, and the metadata.
func (c *curveClient) welcome(dst, data []byte) ([]byte, error) {
	if len(data) != welcomeSize {
		return dst, fmt.Errorf("WELCOME of %d bytes, want %d: %w", len(data), welcomeSize, ringwire.ErrProtocol)
	}
	key, err := c.transient.shared(c.config.server[:])
	if err != nil {
		return dst, err
	}
	plain, err := unbox(data[16:], longNonce(welcomeNonce, data[:16]), key, zmtp.CommandWelcome)
	if err != nil {
		return dst, err
	}
	c.response = [KeySize]byte(plain)
	cookie := plain[KeySize:]
	if c.traffic, err = c.transient.shared(c.response[:]); err != nil {
		return dst, err
	}

	nonce, err := c.nonce16()
	if err != nil {
		return dst, err
	}
	vouchKey, err := c.config.key.shared(c.response[:])
	if err != nil {
		return dst, err
	}
	public, transient := c.config.key.Public(), c.transient.Public()
	inside := append([]byte(nil), public[:]...)
	inside = append(inside, nonce[:]...)
	vouched := append(append([]byte(nil), transient[:]...), c.config.server[:]...)
	inside = seal(inside, vouched, longNonce(vouchNonce, nonce[:]), vouchKey)
	meta, err := c.metadata()
	if err != nil {
		return dst, err
	}
	inside = append(inside, meta...)

	out := append([]byte(nil), cookie...)
	out = binary.BigEndian.AppendUint64(out, 2)
	out = seal(out, inside, shortNonce(initiateNonce, out[cookieSize:]), c.traffic)
	c.state = awaitReady
	return zmtp.AppendCommand(dst, zmtp.CommandInitiate, out), nil
}

// ready reads READY, which has the server's metadata.
func (c *curveClient) ready(data []byte) error {
	if len(data) < readyMin {
		return fmt.Errorf("READY of %d bytes, want at least %d: %w", len(data), readyMin, ringwire.ErrProtocol)
	}
	plain, err := unbox(data[8:], shortNonce(readyNonce, data[:8]), c.traffic, zmtp.CommandReady)
	if err != nil {
		return err
	}
	if err := c.learn(plain); err != nil {
		return err
	}
	c.in = newDirection(c.traffic, fromServer, binary.BigEndian.Uint64(data))
	c.out = newDirection(c.traffic, fromClient, 2)
	c.transient, c.traffic, c.state = nil, nil, open
	return nil
}

type curveServer struct {
	curve
	config  *CurveServer
	key     *KeyPair      // the one of ours that the client knows
	client  [KeySize]byte // C'
	cookie  *[32]byte     // the key of this connection's cookie
	traffic *[32]byte     // C' and S'
	counter uint64        // of the client's last command
	asking  ringwire.Credentials
}

func (s *curveServer) Start(dst []byte) ([]byte, error) { return dst, s.begin(awaitHello) }

func (s *curveServer) Handle(dst, body []byte) ([]byte, error) {
	data, err := s.command(body)
	if err != nil {
		return s.fail(dst, err)
	}
	if s.state == awaitHello {
		dst, err = s.hello(dst, data)
		return s.fail(dst, err)
	}
	return s.fail(dst, s.initiate(data))
}

// hello reads HELLO and answers with WELCOME: in a box S' and a cookie, which has
// C' and s' in it and comes back with INITIATE.
func (s *curveServer) hello(dst, data []byte) ([]byte, error) {
	if len(data) != helloSize {
		return dst, fmt.Errorf("HELLO of %d bytes, want %d: %w", len(data), helloSize, ringwire.ErrProtocol)
	}
	if data[0] != 1 || data[1] != 0 {
		return dst, fmt.Errorf("HELLO of CURVE version %d.%d, want 1.0: %w", data[0], data[1], ringwire.ErrProtocol)
	}
	public, nonce, box := data[74:74+KeySize], data[106:114], data[114:]
	key, err := s.recognize(public, nonce, box)
	if err != nil {
		return dst, err
	}
	s.client = [KeySize]byte(public)
	s.counter = binary.BigEndian.Uint64(nonce)

	// Nothing was made or drawn for the client so far: one that does not know our
	// key costs a multiplication for each key that we have, and nothing that lasts.
	if s.transient, err = generate(s.random); err != nil {
		return dst, err
	}
	s.cookie = new([32]byte)
	if _, err := io.ReadFull(s.random, s.cookie[:]); err != nil {
		return dst, fmt.Errorf("make a cookie's key: %w", err)
	}
	n, err := s.nonce16()
	if err != nil {
		return dst, err
	}
	transient := s.transient.Public()
	inside := append([]byte(nil), transient[:]...)
	inside = append(inside, n[:]...)
	inside = seal(inside, append(append([]byte(nil), public...), s.transient.Secret()...), longNonce(cookieNonce, n[:]), s.cookie)
	if n, err = s.nonce16(); err != nil {
		return dst, err
	}
	out := seal(append([]byte(nil), n[:]...), inside, longNonce(welcomeNonce, n[:]), key)
	s.state = awaitInitiate
	return zmtp.AppendCommand(dst, zmtp.CommandWelcome, out), nil
}

// recognize finds the key of ours that the client's HELLO was made for, and
// returns the key of boxes between the two.
func (s *curveServer) recognize(public, nonce, box []byte) (key *[32]byte, err error) {
	for _, own := range s.config.keys {
		if key, err = own.shared(public); err != nil {
			return nil, err
		}
		var plain []byte
		if plain, err = unbox(box, shortNonce(helloNonce, nonce), key, zmtp.CommandHello); err == nil {
			s.key = own
			if !bytes.Equal(plain, make([]byte, 64)) {
				return nil, fmt.Errorf("the box of HELLO has other bytes than zeros: %w", ringwire.ErrProtocol)
			}
			return key, nil
		}
	}
	return nil, fmt.Errorf("the client has another key for the server than ours, want %s: %w", EncodeZ85(s.config.keys[0].public[:]), err)
}

// initiate reads INITIATE, and leaves the client's key to be judged.
func (s *curveServer) initiate(data []byte) error {
	if len(data) < initiateMin {
		return fmt.Errorf("INITIATE of %d bytes, want at least %d: %w", len(data), initiateMin, ringwire.ErrProtocol)
	}
	if err := s.checkCookie(data[:cookieSize]); err != nil {
		return err
	}
	var err error
	if s.traffic, err = s.transient.shared(s.client[:]); err != nil {
		return err
	}
	if counter := binary.BigEndian.Uint64(data[cookieSize:]); counter <= s.counter {
		return fmt.Errorf("INITIATE with nonce %d after %d: %w", counter, s.counter, ringwire.ErrProtocol)
	} else {
		s.counter = counter
	}
	plain, err := unbox(data[initiateHead:], shortNonce(initiateNonce, data[cookieSize:initiateHead]), s.traffic, zmtp.CommandInitiate)
	if err != nil {
		return err
	}
	public, nonce, vouch, meta := plain[:KeySize], plain[KeySize:KeySize+16], plain[KeySize+16:KeySize+16+vouchSize], plain[KeySize+16+vouchSize:]
	if err := s.checkVouch(public, nonce, vouch); err != nil {
		return err
	}
	if err := s.learn(meta); err != nil {
		return err
	}
	s.asking = ringwire.Credentials{Mechanism: CurveName, PublicKey: bytes.Clone(public)}
	s.state = awaitVerdict
	return nil
}

// checkCookie makes sure that the cookie is ours and of this connection.
func (s *curveServer) checkCookie(cookie []byte) error {
	plain, err := unbox(cookie[16:], longNonce(cookieNonce, cookie[:16]), s.cookie, "the cookie")
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(plain[:KeySize], s.client[:]) != 1 ||
		subtle.ConstantTimeCompare(plain[KeySize:], s.transient.Secret()) != 1 {
		return fmt.Errorf("the cookie is of another connection: %w", ringwire.ErrProtocol)
	}
	return nil
}

// checkVouch makes sure that the owner of the long-term key says that C' is its
// own, and that it means this server: libzmq looks at the first alone.
func (s *curveServer) checkVouch(public, nonce, vouch []byte) error {
	key, err := s.transient.shared(public)
	if err != nil {
		return fmt.Errorf("the client's key: %w", err)
	}
	plain, err := unbox(vouch, longNonce(vouchNonce, nonce), key, "the vouch")
	if err != nil {
		return fmt.Errorf("%s: its public and its secret key may not belong together: %w", clientOf(public), err)
	}
	server := s.key.Public()
	if subtle.ConstantTimeCompare(plain[:KeySize], s.client[:]) != 1 ||
		subtle.ConstantTimeCompare(plain[KeySize:], server[:]) != 1 {
		return fmt.Errorf("the vouch is of another connection or for another server: %w", ringwire.ErrProtocol)
	}
	return nil
}

// Pending implements Asker.
func (s *curveServer) Pending() (ringwire.Credentials, bool) {
	return s.asking, s.state == awaitVerdict && !s.failed
}

// Verdict implements Asker. READY, in a box, opens the traffic.
func (s *curveServer) Verdict(dst []byte, v ringwire.Verdict) ([]byte, error) {
	if _, asked := s.Pending(); !asked {
		return s.fail(dst, errUnasked)
	}
	if !v.Allow {
		return s.fail(s.denied(dst, clientOf(s.asking.PublicKey)))
	}
	meta, err := s.metadata()
	if err != nil {
		return s.fail(dst, err)
	}
	out := binary.BigEndian.AppendUint64(nil, 1)
	out = seal(out, meta, shortNonce(readyNonce, out), s.traffic)
	s.in = newDirection(s.traffic, fromClient, s.counter)
	s.out = newDirection(s.traffic, fromServer, 1)
	s.transient, s.traffic, s.cookie, s.state = nil, nil, nil, open
	return zmtp.AppendCommand(dst, zmtp.CommandReady, out), nil
}
