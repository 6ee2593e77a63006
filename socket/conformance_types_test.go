package socket_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// confSpecs are all socket types.
var confSpecs = []*pattern.Spec{
	pattern.Pair, pattern.Pub, pattern.Sub, pattern.Req, pattern.Rep, pattern.Dealer,
	pattern.Router, pattern.Pull, pattern.Push, pattern.XPub, pattern.XSub,
}

// confTalks says who talks to whom: RFC 28 to 31, and DEALER to DEALER and
// ROUTER to ROUTER as libzmq has it.
var confTalks = map[string]string{
	"PAIR": "PAIR", "PUB": "SUB XSUB", "SUB": "PUB XPUB", "XPUB": "SUB XSUB", "XSUB": "PUB XPUB",
	"REQ": "REP ROUTER", "REP": "REQ DEALER", "DEALER": "REP DEALER ROUTER", "ROUTER": "REQ DEALER ROUTER",
	"PUSH": "PULL", "PULL": "PUSH",
}

// TestConformanceTypes connects every type to every type: those that talk to
// each other become ready on both sides, the others are refused with an event
// and an error that say why.
func TestConformanceTypes(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, b := range confSpecs {
			for _, c := range confSpecs {
				confMeet(e, b, c)
			}
		}
	})
}

func confMeet(e *confEnv, b, c *pattern.Spec) {
	bound, connecting := e.New(b, nil), e.New(c, nil)
	defer e.Close(bound)
	defer e.Close(connecting)
	next := e.Events(connecting)
	e.Connect(connecting, e.Bind(bound))
	ev := next(socket.Ready, socket.Rejected)
	if confTalk(b, c) {
		if ev.Kind != socket.Ready || ev.SocketType != b.Name() {
			e.Errorf("%s connects to %s: event %v %v, want ready with a %s", c, b, ev.Kind, ev.Err, b)
			return
		}
		e.WaitPeers(bound, 1)
		if p := bound.Peers()[0]; p.SocketType != c.Name() {
			e.Errorf("%s is connected to by %s: peer %q, want %s", b, c, p.SocketType, c)
		}
		return
	}
	if ev.Kind != socket.Rejected || !errors.Is(ev.Err, ringwire.ErrRejected) {
		e.Errorf("%s connects to %s: event %v %v, want rejected with ErrRejected", c, b, ev.Kind, ev.Err)
		return
	}
	var err error
	e.Until("WaitPeers tells of the refusal", func() bool {
		err = connecting.WaitPeers(confDone, 1)
		return errors.Is(err, ringwire.ErrRejected)
	})
	if !errors.Is(err, confDone.Err()) {
		e.Errorf("%s connects to %s: WaitPeers = %v, want the context's error, too", c, b, err)
	}
	if n := bound.Stats().Peers; n != 0 {
		e.Errorf("%s connects to %s: %d ready peers, want 0", c, b, n)
	}
}

func confTalk(a, b *pattern.Spec) bool {
	for _, name := range strings.Fields(confTalks[a.Name()]) {
		if name == b.Name() {
			return true
		}
	}
	return false
}
