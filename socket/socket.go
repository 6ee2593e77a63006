// Package socket has the ZeroMQ socket: endpoints, sending, receiving,
// events, statistics, and their end. It is the one place where patterns,
// sessions and transports are wired together.
//
// New makes a socket of one of the types in package pattern. Bind and Connect
// give it endpoints, as many as it needs; connecting is asynchronous, goes on
// for ever, and is done again after a connection is lost. Send and Recv move
// whole messages. Close ends it.
//
// A Socket is safe for use by any number of goroutines. Calls that wait take
// a context; a call that is cancelled has sent or taken nothing, and leaves
// the socket as it was. Send and Recv look at it only when they have to wait. No
// Send or Recv fails because of what one peer did: that peer is disconnected, and
// Events, Stats and Peers tell.
//
// Start reading at send.go and recv.go; ARCHITECTURE.md has the whole walk of
// a message.
package socket

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/park"
	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/session"
	"github.com/ringwire/ringwire/internal/zmtp"
	"github.com/ringwire/ringwire/pattern"
)

// Socket is one ZeroMQ socket. New makes it.
type Socket struct {
	// Immutable after New.
	spec     *pattern.Spec
	opts     *Options
	group    *pipe.Group
	pattern  pattern.Pattern
	filter   *pattern.Filter // a publisher's, else nil
	intake   pipe.Intake     // the pattern, if it takes what peers send at once
	schemes  schemes
	session  session.Config
	ctx      context.Context // ends with the socket
	cancel   context.CancelFunc
	finished chan struct{} // closed when Close is through

	// Owned by the holder of the receive lock.
	spin park.Spin

	// Guarded by mu, which is never held together with a lock of the group.
	mu        sync.Mutex
	closing   bool
	listeners map[*listener]struct{}
	dialers   map[*dialer]struct{}

	// Guarded by the send lock.
	peers   map[*pipe.End]*peer
	orphans []*pipe.End // detached, with messages that were not received yet
	past    pipe.Counts // of ends that are gone
	slow    []Event     // SlowPeer events to raise
	allSlow bool        // every subscriber missed messages: to be warned of

	slowNews atomic.Bool // slow is not empty, or allSlow

	doing park.Lock // one Do at a time

	confirming sync.Mutex
	reported   loss // what Confirm has told of; guarded by confirming

	wg        sync.WaitGroup
	admission *admission
	events    events
	tally     tally
	doctor    doctor
}

// New returns a socket of the given type, which is one of the values of
// package pattern. nil options are the defaults; options are copied. An option
// that is out of range is an error that names it, its value and what is
// accepted.
func New(spec *pattern.Spec, opts *Options) (*Socket, error) {
	if spec == nil {
		return nil, fail("new", "", errors.New("socket type is nil, want one of package pattern, such as pattern.Push"))
	}
	o, err := opts.validate(spec)
	if err != nil {
		return nil, fail("new", "", err)
	}
	schemes, err := newSchemes(o.Transports)
	if err != nil {
		return nil, fail("new", "", err)
	}
	s := &Socket{
		spec:      spec,
		opts:      o,
		group:     pipe.NewGroup(spec.Sends() && spec.Receives(), o.Spin),
		schemes:   schemes,
		finished:  make(chan struct{}),
		listeners: make(map[*listener]struct{}),
		dialers:   make(map[*dialer]struct{}),
		peers:     make(map[*pipe.End]*peer),
		admission: newAdmission(o),
	}
	s.group.SetBudgets(o.SendBudget, o.RecvBudget)
	if o.RequeueUnsent {
		s.group.Requeue()
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.spin.Init(o.Spin)
	s.doing.Init()
	s.events.logger = o.Logger
	s.doctor.logger, s.doctor.kind = o.Logger, spec.Name()
	s.pattern = spec.New(&pattern.Config{
		Group: s.group, Immediate: o.Immediate, DropUnroutable: o.DropUnroutable, Handover: o.RouterHandover,
		ProbeRouter: o.ProbeRouter, ReqRelaxed: o.ReqRelaxed, ReqCorrelate: o.ReqCorrelate,
		Verbose: o.XPubVerbose, Verboser: o.XPubVerboser, Manual: o.XPubManual, NoDrop: o.XPubNoDrop,
		Invert: o.InvertMatching, DropOldest: o.OnFull == FullDropOldest, Welcome: o.WelcomeMessage,
		MaxTopics: o.MaxSubscriptions, Overflow: s.overflowed,
	})
	if p, ok := s.pattern.(pattern.Publisher); ok {
		s.filter = p.Filter()
	}
	s.intake, _ = s.pattern.(pipe.Intake)
	s.session = s.sessionConfig()
	s.checkOptions()
	return s, nil
}

// Type is the socket's type.
func (s *Socket) Type() *pattern.Spec { return s.spec }

// Format prints the type, whatever the verb: not what is inside, which changes
// while it is printed, and has secrets.
func (s *Socket) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s socket", s.spec.Name()) }

func (s *Socket) sessionConfig() session.Config {
	o := s.opts
	own := zmtp.Metadata{{Name: zmtp.PropertySocketType, Value: []byte(s.spec.Name())}}
	if s.spec.Identifies() {
		own = append(own, zmtp.Property{Name: zmtp.PropertyIdentity, Value: o.Identity})
	}
	for name, value := range o.Metadata {
		own = append(own, zmtp.Property{Name: name, Value: []byte(value)})
	}
	config := session.Config{
		Mechanism: o.mechanism(),
		Metadata:  own,
		Limits:    zmtp.Limits{MaxMessage: o.MaxMessageSize, MaxFrames: o.MaxFrames},
		SpinTurns: o.Spin,
		Heartbeat: session.Heartbeat{
			Interval: o.HeartbeatInterval,
			Timeout:  o.HeartbeatTimeout,
			TTL:      uint16(min(o.HeartbeatTTL.Milliseconds()/100, zmtp.MaxPingTTL)),
		},
	}
	if o.Authenticator != nil {
		config.Judge = s.judge
	}
	return config
}

// pipeConfig bounds the ends of the socket.
func (s *Socket) pipeConfig(connecting bool) pipe.Config {
	o := s.opts
	c := pipe.Config{
		SendHWM: o.SendHWM, RecvHWM: o.RecvHWM,
		SendHWMBytes: o.SendHWMBytes, RecvHWMBytes: o.RecvHWMBytes,
		Conflate: o.Conflate, Connecting: connecting,
	}
	if r, ok := s.pattern.(pattern.Requester); ok {
		c.Unanswered = r.Unanswered
	}
	return c
}

// fail makes the error of a public call.
func fail(op, endpoint string, err error) error {
	if err == nil {
		return nil
	}
	return &ringwire.OpError{Op: op, Endpoint: endpoint, Err: err}
}

var errNilContext = errors.New("context is nil, want context.Background() or one of your own")
