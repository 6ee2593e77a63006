package session_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/transport"
)

func relTransports(n *memNet) []transport.Transport { return []transport.Transport{n} }

// TestModelLanes: random sends, receives, connects, disconnects, closes and broken
// connections, one at a time, against what is promised: order, whole messages, at most
// once, bounds, room that is used, and accounts that are right after each step. A
// failure prints the shortest sequence that repeats it.
func TestModelLanes(t *testing.T) {
	for _, types := range [][2]*pattern.Spec{
		{pattern.Push, pattern.Pull}, {pattern.Dealer, pattern.Dealer}, {pattern.Dealer, pattern.Router},
		{pattern.Router, pattern.Dealer}, {pattern.Pub, pattern.Sub}, {pattern.XPub, pattern.XSub}, {pattern.Pair, pattern.Pair},
	} {
		for _, connecting := range []bool{false, true} {
			if connecting && types[0] == pattern.Router {
				continue // it would not know their names
			}
			t.Run(fmt.Sprintf("%s to %s,connecting=%v", types[0], types[1], connecting), func(t *testing.T) {
				rapid.Check(t, func(rt *rapid.T) { modelCheck(t, rt, types[0], types[1], connecting) })
			})
		}
	}
}

// modelStep is one action, on a lane.
type modelStep struct {
	What  string
	Lane  int
	Times int
}

// modelCheck runs one sequence in a bubble of its own.
func modelCheck(t *testing.T, rt *rapid.T, spec, peer *pattern.Spec, connecting bool) {
	peers := modelPeers
	if spec == pattern.Pair {
		peers = 1
	}
	steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) modelStep {
		return modelStep{
			rapid.SampledFrom([]string{"connect", "send", "recv", "send", "recv", "break", "disconnect", "close"}).Draw(rt, "what"),
			rapid.IntRange(0, peers-1).Draw(rt, "lane"), rapid.IntRange(1, 4).Draw(rt, "times"),
		}
	}), 1, 40).Draw(rt, "steps")
	failed := modelFailure("")
	synctest.Test(t, func(*testing.T) {
		r := &modelRun{spec: spec, peer: peer, connecting: connecting, g: newRelClog(), got: make(map[int]bool)}
		r.from = r.open(spec, "sender")
		defer func() {
			if x := recover(); x != nil {
				failed = x.(modelFailure)
			}
			for i := range r.lanes {
				r.end(i)
			}
			r.from.Close()
		}()
		if !connecting {
			if _, err := r.from.Bind("mem://s"); err != nil {
				r.fail("%v", err)
			}
		}
		for i := range peers { // everybody is there at first
			r.up(i)
		}
		r.settle()
		for _, step := range steps {
			r.step(step)
			r.settle()
			r.check()
		}
		r.finish()
	})
	if failed != "" {
		rt.Fatal(string(failed))
	}
}

func (r *modelRun) step(step modelStep) {
	switch step.What {
	case "connect":
		r.up(step.Lane)
	case "disconnect":
		r.down(step.Lane)
	case "close":
		r.end(step.Lane)
	case "break":
		r.parted()
		r.g.cut()
	case "send":
		for range step.Times {
			r.send(step.Lane, r.next%3*700)
		}
	case "recv":
		for range step.Times {
			r.recv(step.Lane)
		}
	}
}
