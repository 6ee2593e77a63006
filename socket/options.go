package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/transport"
)

// Defaults of Options, where zero stands for them.
const (
	DefaultHWM              = 1000
	DefaultHWMBytes         = 64 << 20
	DefaultLinger           = time.Second
	DefaultReconnectMin     = 100 * time.Millisecond
	DefaultReconnectMax     = 30 * time.Second
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultMaxMessageSize   = 64 << 20
	DefaultMaxFrames        = 1024

	DefaultMaxConnectionsPerAddress = 1024
	DefaultMaxAcceptRate            = 100
	DefaultMaxHandshakes            = 1024
	DefaultMaxSubscriptions         = 1_000_000
)

// FullPolicy is what a socket does with a message for a peer that has no room.
type FullPolicy int

const (
	// FullDefault is FullDropNewest for PUB and XPUB, FullBlock for others.
	FullDefault FullPolicy = iota
	// FullBlock makes Send wait. On PUB and XPUB this is XPubNoDrop: one full
	// subscriber makes the publisher wait.
	FullBlock
	// FullDropNewest drops the message for that subscriber. PUB, XPUB.
	FullDropNewest
	// FullDropOldest drops the message that waited longest for that
	// subscriber, if it has not been given to the kernel or to an inproc peer;
	// else the newest. PUB, XPUB.
	FullDropOldest
	// FullDisconnect drops the message and ends the subscriber's connection.
	// PUB, XPUB.
	FullDisconnect
)

// Authenticator decides whether a peer may talk to the socket. It is called
// on a goroutine of its own and must obey ctx. A peer is refused if Allow is false;
// it is told so, and libzmq then does not come back. With an error, which the event
// has, it is not let in either: if that wraps ringwire.ErrRejected it is refused for
// this reason, else the connection is closed without a word and the peer may try
// again. A panic, and no answer within 5 seconds, are such errors.
type Authenticator func(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error)

// Options configure a Socket. The zero value of every field is the documented
// default; -1 is off or unlimited where the field says so, and any other
// negative value is an error. New copies what it is given.
type Options struct {
	// SendHWM is how many messages are queued towards one peer before it
	// counts as full. 0: 1000, -1: no limit. (ZMQ_SNDHWM, where 0 is no limit.)
	SendHWM int
	// RecvHWM is how many messages from one peer are queued here before we
	// stop reading from it. 0: 1000, -1: no limit. (ZMQ_RCVHWM.)
	RecvHWM int
	// SendHWMBytes bounds the bytes of what SendHWM counts; one message may
	// exceed it when nothing else is queued. 0: 64 MiB, -1: no limit.
	SendHWMBytes int64
	// RecvHWMBytes bounds the bytes of what RecvHWM counts, like SendHWMBytes.
	RecvHWMBytes int64
	// SendBudget bounds the bytes queued on connections towards all peers
	// together: beyond it every peer counts as full. 0, -1: no limit.
	SendBudget int64
	// RecvBudget bounds the memory of what is queued from all peers together:
	// beyond it nothing is read from any of them. 0, -1: no limit.
	RecvBudget int64
	// OnFull is what happens to a message for a peer without room.
	OnFull FullPolicy

	// Linger is how long Close, Disconnect and Unbind go on delivering what
	// was accepted. 0: 1 second, -1: for ever. (ZMQ_LINGER, where the default
	// is for ever.)
	Linger time.Duration
	// NoLinger makes them give up at once. (ZMQ_LINGER 0.)
	NoLinger bool
	// ReconnectMin is the delay before the second attempt to connect; it
	// doubles with each further one, and each delay is drawn at random from 0
	// to that. It starts anew after a connection that lasted a second. 0: 100 ms, -1: never connect again. (ZMQ_RECONNECT_IVL.)
	ReconnectMin time.Duration
	// ReconnectMax bounds the delay. 0: 30 s. (ZMQ_RECONNECT_IVL_MAX.)
	ReconnectMax time.Duration
	// ConnectTimeout bounds one attempt to connect. 0, -1: the system's.
	// (ZMQ_CONNECT_TIMEOUT.)
	ConnectTimeout time.Duration
	// HandshakeTimeout bounds greeting and mechanism together. 0: 10 s, -1: no
	// limit. (ZMQ_HANDSHAKE_IVL.)
	HandshakeTimeout time.Duration
	// Immediate queues messages only for peers whose handshake is complete.
	// (ZMQ_IMMEDIATE.)
	Immediate bool

	// RequeueUnsent gives what was queued for an accepted peer that is gone, and of
	// which nothing was written, to another connection instead of dropping it.
	// PUSH, DEALER.
	RequeueUnsent bool

	// Identity is how a ROUTER peer addresses this socket: 1 to 255 bytes, the
	// first not zero. REQ, DEALER and ROUTER announce it. (ZMQ_ROUTING_ID.)
	Identity []byte
	// ProbeRouter sends an empty message on each new connection, so that a
	// ROUTER learns of us. REQ, DEALER, ROUTER. (ZMQ_PROBE_ROUTER.)
	ProbeRouter bool
	// DropUnroutable makes a ROUTER drop, and count, messages for unknown or
	// full peers. (ZMQ_ROUTER_MANDATORY 0, which is libzmq's default.)
	DropUnroutable bool
	// RouterHandover lets a peer take over an identity that is in use.
	// (ZMQ_ROUTER_HANDOVER.)
	RouterHandover bool
	// ReqRelaxed lets a REQ send again before the reply. (ZMQ_REQ_RELAXED.)
	ReqRelaxed bool
	// ReqCorrelate puts a number before each request and drops replies
	// without it. A plain ROUTER sees that frame. (ZMQ_REQ_CORRELATE.)
	ReqCorrelate bool
	// Conflate keeps only the newest message in each queue. PUSH, PULL, PUB,
	// SUB, DEALER; for single-frame messages. (ZMQ_CONFLATE.)
	Conflate bool

	// XPubVerbose makes an XPUB receive duplicate subscriptions as well.
	// (ZMQ_XPUB_VERBOSE.)
	XPubVerbose bool
	// XPubVerboser makes it receive duplicate unsubscriptions, too.
	// (ZMQ_XPUB_VERBOSER.)
	XPubVerboser bool
	// XPubManual leaves applying subscriptions to the application:
	// SubscribePeer, UnsubscribePeer. (ZMQ_XPUB_MANUAL.)
	XPubManual bool
	// XPubNoDrop is OnFull: FullBlock. (ZMQ_XPUB_NODROP.)
	XPubNoDrop bool
	// WelcomeMessage is sent to each new subscriber. PUB, XPUB.
	// (ZMQ_XPUB_WELCOME_MSG.)
	WelcomeMessage []byte
	// InvertMatching delivers what does not match. Set it on both sides: PUB,
	// XPUB, SUB. (ZMQ_INVERT_MATCHING.)
	InvertMatching bool

	// MaxMessageSize bounds the frame bytes of one received message; a peer
	// that exceeds it is disconnected. inproc has no limit: both sides are one
	// program. 0: 64 MiB, -1: no limit.
	// (ZMQ_MAXMSGSIZE.)
	MaxMessageSize int64
	// MaxFrames bounds the frames of one received message, likewise. 0: 1024,
	// -1: no limit.
	MaxFrames int
	// MaxConnections bounds the accepted peers of the socket. 0, -1: no limit.
	MaxConnections int
	// MaxConnectionsPerAddress bounds those of one IPv4 address, or one IPv6 network
	// of 64 bits. 0: 1024, and no limit for this machine itself; -1: no limit.
	MaxConnectionsPerAddress int
	// MaxAcceptRate bounds the connections that one such address makes in a second;
	// twice as many may come at once. 0: 100, and no limit for this machine itself;
	// -1: no limit.
	MaxAcceptRate int
	// MaxHandshakes bounds the accepted connections that are in the handshake. When
	// there are so many, the socket accepts no more until one is done, and after a
	// tenth of a second ends the oldest. 0: 1024, -1: no limit.
	MaxHandshakes int
	// MaxSubscriptions bounds the topics that one peer has with a PUB or XPUB, and
	// their bytes, to 64 each on average. A peer that wants more loses its
	// connection. 0: 1,000,000, -1: no limit.
	MaxSubscriptions int

	// HeartbeatInterval is how often a peer of ZMTP 3.1 is asked for a sign of
	// life. 0, -1: never. (ZMQ_HEARTBEAT_IVL.)
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is the silence after a PING that ends a connection.
	// 0, -1: HeartbeatInterval. (ZMQ_HEARTBEAT_TIMEOUT.)
	HeartbeatTimeout time.Duration
	// HeartbeatTTL is the silence after which the peer shall give us up, at
	// most 65.5 s. 0: not told. (ZMQ_HEARTBEAT_TTL.)
	HeartbeatTTL time.Duration
	// Metadata is told to peers in the handshake: up to 254 properties and
	// 32 KiB, whose names start with "X-". (ZMQ_METADATA.)
	Metadata map[string]string

	// Backlog is the length of the accept queue. 0: the system's largest.
	// (ZMQ_BACKLOG.)
	Backlog int
	// SendBuffer and RecvBuffer are the kernel's buffers in bytes. 0: the
	// system's. (ZMQ_SNDBUF, ZMQ_RCVBUF.)
	SendBuffer int
	RecvBuffer int
	// KeepAlive is the interval of TCP keep-alive probes. 0: 15 s, -1: off.
	// (ZMQ_TCP_KEEPALIVE and its relatives.)
	KeepAlive time.Duration
	// UserTimeout is TCP_USER_TIMEOUT. It also ends the connection to a live
	// peer that does not read. 0, -1: off. Linux. (ZMQ_TCP_MAXRT.)
	UserTimeout time.Duration
	// TOS is the IP type of service. (ZMQ_TOS.)
	TOS int
	// Device binds connections to a network interface. Linux.
	// (ZMQ_BINDTODEVICE.)
	Device string
	// NoIPv6 keeps to IPv4. (ZMQ_IPV6 0, which is libzmq's default.)
	NoIPv6 bool

	// Spin is how often a wait looks again before it sleeps. 0: adaptive, for
	// about 40 microseconds while that pays; -1: never.
	Spin int
	// Transports replace the built-in transport of their scheme, or add one.
	Transports []transport.Transport
	// Resolver looks names up. nil: the system's.
	Resolver *net.Resolver
	// Mechanism secures the connections: one of packages plain and curve. Both
	// sides must have the same, one as the client, one as the server. It does not
	// apply over inproc. nil: NULL, which secures nothing.
	// (ZMQ_PLAIN_SERVER, ZMQ_CURVE_SERVER and their relatives.)
	Mechanism ringwire.Mechanism
	// Authenticator decides which peers are let in. A server of PLAIN or CURVE
	// must have one; with NULL it sees their address, and over tls+tcp their
	// certificate. (ZAP, RFC 27.)
	Authenticator Authenticator
	// RequireSecure refuses to bind or connect beyond this machine where neither the
	// mechanism nor the transport encrypts. Bind then returns an error; Connect, which
	// does not wait for an address, returns nil: each attempt fails with a
	// ConnectFailed event, and WaitPeers says why. Without it such a Bind raises an
	// InsecureBind event.
	RequireSecure bool
	// Logger is told every event, at the level that docs/observability.md has for its
	// kind, and warns of what newcomers fall into. nil: silence.
	Logger *slog.Logger
}

// validate returns a complete copy of o for a socket type. No other code knows
// a default.
func (o *Options) validate(spec *pattern.Spec) (*Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	var bad []error
	refuse := func(name string, value any, want string) {
		bad = append(bad, fmt.Errorf("option %s is %v, want %s", name, value, want))
	}
	number := func(name string, v *int, def int) {
		switch {
		case *v < -1:
			refuse(name, *v, "-1, 0 or more")
		case *v == 0:
			*v = def
		}
	}
	number64 := func(name string, v *int64, def int64) {
		switch {
		case *v < -1:
			refuse(name, *v, "-1, 0 or more")
		case *v == 0:
			*v = def
		}
	}
	span := func(name string, v *time.Duration, def time.Duration) {
		switch {
		case *v < -1:
			refuse(name, *v, "-1, 0 or more")
		case *v == 0:
			*v = def
		}
	}
	number("SendHWM", &c.SendHWM, DefaultHWM)
	number("RecvHWM", &c.RecvHWM, DefaultHWM)
	number64("SendHWMBytes", &c.SendHWMBytes, DefaultHWMBytes)
	number64("RecvHWMBytes", &c.RecvHWMBytes, DefaultHWMBytes)
	number64("SendBudget", &c.SendBudget, -1)
	number64("RecvBudget", &c.RecvBudget, -1)
	span("Linger", &c.Linger, DefaultLinger)
	span("ReconnectMin", &c.ReconnectMin, DefaultReconnectMin)
	span("ReconnectMax", &c.ReconnectMax, max(DefaultReconnectMax, c.ReconnectMin))
	span("ConnectTimeout", &c.ConnectTimeout, 0)
	span("HandshakeTimeout", &c.HandshakeTimeout, DefaultHandshakeTimeout)
	number64("MaxMessageSize", &c.MaxMessageSize, DefaultMaxMessageSize)
	number("MaxFrames", &c.MaxFrames, DefaultMaxFrames)
	number("MaxConnections", &c.MaxConnections, -1)
	number("MaxConnectionsPerAddress", &c.MaxConnectionsPerAddress, 0) // see newAdmission
	number("MaxAcceptRate", &c.MaxAcceptRate, 0)
	number("MaxHandshakes", &c.MaxHandshakes, DefaultMaxHandshakes)
	number("MaxSubscriptions", &c.MaxSubscriptions, DefaultMaxSubscriptions)
	span("HeartbeatInterval", &c.HeartbeatInterval, -1)
	span("HeartbeatTimeout", &c.HeartbeatTimeout, 0)
	span("UserTimeout", &c.UserTimeout, 0)
	number("Spin", &c.Spin, 0)
	c.UserTimeout = max(c.UserTimeout, 0)
	c.ConnectTimeout = max(c.ConnectTimeout, 0)

	if c.Linger == -1 && c.NoLinger {
		refuse("Linger", c.Linger, "0 or more together with NoLinger")
	}
	if c.ReconnectMax < c.ReconnectMin {
		refuse("ReconnectMax", c.ReconnectMax, fmt.Sprintf("at least ReconnectMin, %v", c.ReconnectMin))
	}
	if c.HeartbeatTTL < 0 || c.HeartbeatTTL > 65500*time.Millisecond {
		refuse("HeartbeatTTL", c.HeartbeatTTL, "0 to 65.5s")
	}
	if c.OnFull < FullDefault || c.OnFull > FullDisconnect {
		refuse("OnFull", int(c.OnFull), "one of the Full constants")
	}
	publishes := spec == pattern.Pub || spec == pattern.XPub
	if c.OnFull > FullBlock && !publishes {
		refuse("OnFull", int(c.OnFull), "FullBlock or FullDefault on a "+spec.Name()+" socket")
	}
	if c.XPubNoDrop && c.OnFull > FullBlock {
		refuse("OnFull", int(c.OnFull), "FullBlock or FullDefault together with XPubNoDrop")
	}
	if c.RequeueUnsent && c.Conflate {
		refuse("RequeueUnsent", true, "false together with Conflate")
	}
	if c.RequeueUnsent && spec != pattern.Push && spec != pattern.Dealer {
		refuse("RequeueUnsent", true, "false on a "+spec.Name()+" socket")
	}
	if c.Conflate && !slices.Contains([]string{"PUSH", "PULL", "PUB", "SUB", "DEALER"}, spec.Name()) {
		refuse("Conflate", true, "false on a "+spec.Name()+" socket")
	}
	if n := len(c.Identity); c.Identity != nil && (n == 0 || n > 255 || c.Identity[0] == 0) {
		refuse("Identity", fmt.Sprintf("%d bytes, %q", n, clip(c.Identity)), "1 to 255 bytes, the first not zero")
	}
	size := 0
	for name, value := range c.Metadata {
		size += len(name) + len(value) + 5
		if !strings.HasPrefix(name, "X-") || len(name) > 255 {
			refuse("Metadata", fmt.Sprintf("name %q", clip([]byte(name))), `a name that starts with "X-", of at most 255 bytes`)
		}
	}
	if n := len(c.Metadata); n > maxMetadata {
		refuse("Metadata", fmt.Sprintf("%d properties", n), fmt.Sprintf("at most %d", maxMetadata))
	}
	if size > 32<<10 {
		refuse("Metadata", fmt.Sprintf("%d bytes", size), "at most 32768 bytes")
	}
	bad = append(bad, c.validateSecurity())
	for i, t := range c.Transports {
		if t == nil {
			refuse("Transports", fmt.Sprintf("nil at index %d", i), "transports")
		}
	}
	if err := c.stream().Validate(); err != nil {
		bad = append(bad, err)
	}
	c.XPubNoDrop = c.XPubNoDrop || c.OnFull == FullBlock && publishes
	c.Identity = slices.Clone(c.Identity)
	c.WelcomeMessage = slices.Clone(c.WelcomeMessage)
	c.Metadata = maps.Clone(c.Metadata)
	c.Transports = slices.Clone(c.Transports)
	return &c, errors.Join(bad...)
}

// validateSecurity looks at Mechanism and Authenticator together.
func (o *Options) validateSecurity() error {
	if o.Mechanism == nil {
		return nil
	}
	if _, ok := o.Mechanism.(security.Mechanism); !ok {
		return fmt.Errorf("option Mechanism is a %T, want one of packages socket/plain and socket/curve", o.Mechanism)
	}
	_, judges := o.Mechanism.(security.Judging)
	if !judges && o.Authenticator != nil {
		return fmt.Errorf("option Authenticator is set with a %s client, which nobody asks to let others in: want it nil", o.Mechanism.Name())
	}
	if judges && o.Authenticator == nil {
		ready := "plain.Users"
		if o.Mechanism.Name() == security.CurveName {
			ready = "curve.AllowKeys, or curve.AllowAny, which lets everybody in"
		}
		return fmt.Errorf("option Authenticator is nil with a %s server, want one that says who may connect, such as %s", o.Mechanism.Name(), ready)
	}
	return nil
}

// mechanism is what connections begin with.
func (o *Options) mechanism() security.Mechanism {
	if o.Mechanism == nil {
		return security.Null{}
	}
	return o.Mechanism.(security.Mechanism)
}

// maxMetadata leaves room for the socket type and the identity.
const maxMetadata = zmtp.MaxProperties - 2

// clip keeps error messages short.
func clip(b []byte) []byte { return b[:min(len(b), 40)] }

// stream is what stream transports need to know.
func (o *Options) stream() *transport.Options {
	return &transport.Options{
		Backlog: o.Backlog, SendBuffer: o.SendBuffer, RecvBuffer: o.RecvBuffer,
		KeepAlive: o.KeepAlive, UserTimeout: o.UserTimeout, TOS: o.TOS,
		Device: o.Device, NoIPv6: o.NoIPv6, Resolver: o.Resolver,
	}
}
