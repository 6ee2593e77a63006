package interop_test

import (
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// pair is one row of the matrix: our socket type, the peer's, and how they
// talk. The envelopes name the frames that an application of that socket type
// puts before a message and finds before one that it receives.
type pair struct {
	ours   *pattern.Spec
	theirs string

	ourRole, theirRole role

	ourSend, ourRecv     [][]byte
	theirSend, theirRecv [][]byte

	way  *way // how it is secured
	sync bool // we send a sync, and they await it before they send: libzmq drops what has no peer
}

func frames(list ...string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}

// Identities: every socket that can announces one.
const (
	ourName   = "ours"
	theirName = "theirs"
)

var (
	toUs      = frames(ourName)
	toThem    = frames(theirName)
	delimiter = frames("")
	// A REQ names itself, too.
	usAsking   = frames(ourName, "")
	themAsking = frames(theirName, "")
)

// pairs are all pairs of socket types that talk to each other.
var pairs = []pair{
	{ours: pattern.Pair, theirs: "PAIR", ourRole: roleBoth, theirRole: roleBoth},

	{ours: pattern.Push, theirs: "PULL", ourRole: roleOut, theirRole: roleInto},
	{ours: pattern.Pull, theirs: "PUSH", ourRole: roleInto, theirRole: roleOut},

	{ours: pattern.Pub, theirs: "SUB", ourRole: roleOut, theirRole: roleInto},
	{ours: pattern.Pub, theirs: "XSUB", ourRole: roleOut, theirRole: roleInto},
	{ours: pattern.Sub, theirs: "PUB", ourRole: roleInto, theirRole: roleOut},
	{ours: pattern.Sub, theirs: "XPUB", ourRole: roleInto, theirRole: roleOut},
	{ours: pattern.XPub, theirs: "SUB", ourRole: roleOut, theirRole: roleInto},
	{ours: pattern.XPub, theirs: "XSUB", ourRole: roleBoth, theirRole: roleBoth, sync: true},
	{ours: pattern.XSub, theirs: "PUB", ourRole: roleInto, theirRole: roleOut},
	{ours: pattern.XSub, theirs: "XPUB", ourRole: roleBoth, theirRole: roleBoth},

	{ours: pattern.Req, theirs: "REP", ourRole: roleAsk, theirRole: roleEcho},
	{ours: pattern.Rep, theirs: "REQ", ourRole: roleEcho, theirRole: roleAsk},
	{ours: pattern.Req, theirs: "ROUTER", ourRole: roleAsk, theirRole: roleEcho, theirRecv: usAsking},
	{ours: pattern.Router, theirs: "REQ", ourRole: roleEcho, theirRole: roleAsk, ourRecv: themAsking},
	{ours: pattern.Dealer, theirs: "REP", ourRole: roleBoth, theirRole: roleEcho, ourSend: delimiter, ourRecv: delimiter},
	{ours: pattern.Rep, theirs: "DEALER", ourRole: roleEcho, theirRole: roleBoth, theirSend: delimiter, theirRecv: delimiter},

	{ours: pattern.Dealer, theirs: "DEALER", ourRole: roleBoth, theirRole: roleBoth},
	{ours: pattern.Dealer, theirs: "ROUTER", ourRole: roleBoth, theirRole: roleBoth, theirSend: toUs, theirRecv: toUs, sync: true},
	{ours: pattern.Router, theirs: "DEALER", ourRole: roleBoth, theirRole: roleBoth, ourSend: toThem, ourRecv: toThem},
	{ours: pattern.Router, theirs: "ROUTER", ourRole: roleBoth, theirRole: roleBoth, ourSend: toThem, ourRecv: toThem, theirSend: toUs, theirRecv: toUs, sync: true},
}

func (p pair) name() string { return p.ours.Name() + "-" + p.theirs }

// options lose nothing: a publisher waits for its subscribers, and what an
// XSUB sends, which never waits, has room.
func (p pair) options() *socket.Options {
	o := &socket.Options{XPubNoDrop: p.publishes()}
	if p.ours.Identifies() {
		o.Identity = []byte(ourName)
	}
	if p.ours == pattern.XSub {
		o.SendHWM, o.SendHWMBytes = -1, -1
	}
	return p.way.options(*o)
}

func (p pair) publishes() bool { return p.ours == pattern.Pub || p.ours == pattern.XPub }

// plans are the parts of both sides.
func (p pair) plans(numbered int, shapes [][]int) (ours, theirs *plan) {
	ours = &plan{role: p.ourRole, numbered: numbered, shapes: shapes, sendPrefix: p.ourSend, recvPrefix: p.ourRecv}
	theirs = &plan{role: p.theirRole, numbered: numbered, shapes: shapes, sendPrefix: p.theirSend, recvPrefix: p.theirRecv}
	ours.notice = p.ours == pattern.XPub
	theirs.notice = p.theirs == "XPUB"
	theirs.awaitSync = p.sync
	return ours, theirs
}
