package socket_test

import (
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// RFC 31, the exclusive pair pattern.

func TestConformancePair(t *testing.T) {
	pair := pattern.Pair
	confTable(t, []confClause{
		{"PAIR MAY be connected to at most one PAIR peer", confOnePair},
		{"PAIR MAY both send and receive messages", confPingPong},
		{"PAIR SHALL not filter or modify messages", confUnmodified(pair, pair)},
		{"PAIR SHALL maintain a double queue allowing outgoing and incoming messages to be queued independently", confIndependent(pair, pair)},
		{"PAIR SHALL create a double queue when initiating a connection and maintain it", confQueueBefore(pair, pair)},
		{"PAIR SHALL maintain the double queue whether or not the connection is established", confQueueBetween(pair, pair)},
		{"PAIR SHALL destroy the double queue of a peer that disconnects", confQueueDies(pair, pair)},
		{"PAIR SHOULD constrain outgoing queue sizes to a limit", confLimit(pair)},
		{"PAIR SHOULD constrain incoming queue sizes to a limit", confRecvLimit(pair, pair)},
		{"PAIR SHALL consider its peer available only when its queue is not full", confLimit(pair)},
		{"PAIR SHALL block on sending when it has no available peer", confNoPeer(pair, pair)},
		{"PAIR SHALL NOT discard messages that it cannot queue", confKeeps(pair, pair)},
	})
}

// confOnePair: a second peer is refused while there is one, with an event and
// for the refused one an error of WaitPeers or a lost connection; afterwards
// another may come.
func confOnePair(e *confEnv) {
	s, first, second := e.New(pattern.Pair, nil), e.New(pattern.Pair, nil), e.New(pattern.Pair, nil)
	at := e.Join(s, first)
	refuser := s
	if e.scheme == "inproc" {
		refuser = second // there the one that connects hears of it
	}
	next := e.Events(refuser)
	e.Connect(second, at)
	if ev := next(socket.Rejected); !errors.Is(ev.Err, ringwire.ErrRejected) {
		e.Errorf("event %v with error %v, want ErrRejected", ev.Kind, ev.Err)
	}
	e.Send(s, "only the first")
	e.Want(first, "only the first")
	e.Send(first, "back")
	e.Want(s, "back")
	if n := s.Stats().Peers; n != 1 {
		e.Errorf("%d ready peers, want 1", n)
	}
	if e.scheme == "inproc" {
		return // who was refused waits for another bind
	}
	e.Close(first)
	e.Until("the first is gone", func() bool { return s.Stats().Disconnects == 1 })
	e.WaitPeers(s, 1) // what is sent on a connection that is refused may be lost
	e.Send(second, "now it is my turn")
	e.Want(s, "now it is my turn")
}

func confPingPong(e *confEnv) {
	a, b := e.New(pattern.Pair, nil), e.New(pattern.Pair, nil)
	e.Join(a, b)
	for range 20 {
		e.Send(a, "ping", "")
		e.Want(b, "ping", "")
		e.Send(b, "pong")
		e.Want(a, "pong")
	}
}

// confIndependent: the two directions do not hinder each other: one is full,
// the other still goes.
func confIndependent(x, y *pattern.Spec) func(e *confEnv) {
	return func(e *confEnv) {
		opts := &socket.Options{SendHWM: 2, RecvHWM: 2}
		a, b := e.New(x, opts), e.New(y, opts)
		e.Join(a, b)
		n := e.Fill(a, confBig)
		for range 10 {
			e.Send(b, "against the stream")
			e.Want(a, "against the stream")
		}
		for range n {
			e.Want(b, confBig)
		}
	}
}
