package pattern_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ringwire/ringwire/pattern"
)

var specs = []*pattern.Spec{
	pattern.Pair, pattern.Pub, pattern.Sub, pattern.Req, pattern.Rep, pattern.Dealer,
	pattern.Router, pattern.Pull, pattern.Push, pattern.XPub, pattern.XSub,
}

// TestSpecTable: what the RFCs 23 and 28 to 31 say about each type, and for
// duplicate connections what libzmq does.
func TestSpecTable(t *testing.T) {
	type row struct {
		name                                            string
		peers                                           []string
		sends, receives, subscribes, identifies, ignore bool
	}
	want := map[*pattern.Spec]row{
		pattern.Pair:   {"PAIR", []string{"PAIR"}, true, true, false, false, false},
		pattern.Pub:    {"PUB", []string{"SUB", "XSUB"}, true, false, false, false, true},
		pattern.Sub:    {"SUB", []string{"PUB", "XPUB"}, false, true, true, false, true},
		pattern.Req:    {"REQ", []string{"REP", "ROUTER"}, true, true, false, true, true},
		pattern.Rep:    {"REP", []string{"DEALER", "REQ"}, true, true, false, false, false},
		pattern.Dealer: {"DEALER", []string{"DEALER", "REP", "ROUTER"}, true, true, false, true, true},
		pattern.Router: {"ROUTER", []string{"DEALER", "REQ", "ROUTER"}, true, true, false, true, false},
		pattern.Pull:   {"PULL", []string{"PUSH"}, false, true, false, false, false},
		pattern.Push:   {"PUSH", []string{"PULL"}, true, false, false, false, false},
		pattern.XPub:   {"XPUB", []string{"SUB", "XSUB"}, true, true, false, false, false},
		pattern.XSub:   {"XSUB", []string{"PUB", "XPUB"}, true, true, true, false, false},
	}
	for _, s := range specs {
		peers := s.Peers()
		slices.Sort(peers)
		got := row{s.Name(), peers, s.Sends(), s.Receives(), s.Subscribes(), s.Identifies(), s.IgnoresDuplicate()}
		if fmt.Sprint(got) != fmt.Sprint(want[s]) {
			t.Errorf("%s: got %+v, want %+v", s, got, want[s])
		}
	}
}

// TestSpecTalks: who talks to whom is symmetric, and everybody talks to
// somebody; an unknown type, or a known one in other letters, is nobody's peer.
func TestSpecTalks(t *testing.T) {
	for _, a := range specs {
		friends := 0
		for _, b := range specs {
			if a.Talks(b.Name()) != b.Talks(a.Name()) {
				t.Errorf("%s talks to %s: %v, the other way round: %v", a, b, a.Talks(b.Name()), b.Talks(a.Name()))
			}
			if a.Talks(b.Name()) {
				friends++
			}
		}
		if friends == 0 || friends != len(a.Peers()) {
			t.Errorf("%s talks to %d types, want the %d that it lists", a, friends, len(a.Peers()))
		}
		for _, name := range []string{"", "STREAM", "push", "PUSH\x00", "PU"} {
			if a.Talks(name) {
				t.Errorf("%s talks to %q, want not", a, name)
			}
		}
	}
}

// TestSpecPeersIsACopy: a caller cannot change who talks to whom.
func TestSpecPeersIsACopy(t *testing.T) {
	pattern.Push.Peers()[0] = "SUB"
	if !pattern.Push.Talks("PULL") || pattern.Push.Talks("SUB") {
		t.Errorf("PUSH talks to %v after its list was changed, want PULL", pattern.Push.Peers())
	}
}
