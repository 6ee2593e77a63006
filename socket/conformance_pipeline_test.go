package socket_test

import (
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// RFC 30, the pipeline pattern.

func TestConformancePush(t *testing.T) {
	push, pull := pattern.Push, pattern.Pull
	confTable(t, []confClause{
		{"PUSH MAY be connected to any number of PULL peers", confRoundRobin(push, pull)},
		{"PUSH SHALL only send messages", confCannotRecv(push)},
		{"PUSH SHALL not filter or modify outgoing messages", confUnmodified(push, pull)},
		{"PUSH SHALL create this queue when initiating a connection and maintain it", confQueueBefore(push, pull)},
		{"PUSH SHALL maintain the queue whether or not the connection is established", confQueueBetween(push, pull)},
		{"PUSH SHALL destroy the queue of a peer that disconnects", confQueueDies(push, pull)},
		{"PUSH SHOULD constrain queue sizes to a limit", confLimit(push)},
		{"PUSH SHALL consider a peer available only when its queue is not full", confSkipsFull(push, pull)},
		{"PUSH SHALL route outgoing messages to available peers using a round-robin strategy", confRoundRobin(push, pull)},
		{"PUSH SHALL block on sending when it has no available peers", confNoPeer(push, pull)},
		{"PUSH SHALL not accept further messages when it has no available peers", confLimit(push)},
		{"PUSH SHALL NOT discard messages that it cannot queue", confKeeps(push, pull)},
	})
}

func TestConformancePull(t *testing.T) {
	push, pull := pattern.Push, pattern.Pull
	confTable(t, []confClause{
		{"PULL MAY be connected to any number of PUSH peers", func(e *confEnv) {
			r := e.New(pull, nil)
			for _, s := range []*socket.Socket{e.New(push, nil), e.New(push, nil)} {
				e.Connect(r, e.Bind(s)) // here PULL connects
				e.WaitPeers(s, 1)
				e.Send(s, "x")
				e.Want(r, "x")
			}
		}},
		{"PULL SHALL only receive messages", confCannotSend(pull)},
		{"PULL SHALL not filter or modify incoming messages", confUnmodified(push, pull)},
		{"PULL SHALL create this queue when initiating a connection and maintain it", func(e *confEnv) {
			at := e.Reserve()
			r := e.New(pull, nil)
			e.Connect(r, at)
			for range 2 { // a second time after the loss of the first peer
				s := e.New(push, nil)
				e.BindTo(s, at)
				e.Send(s, "x")
				e.Want(r, "x")
				e.Close(s)
			}
		}},
		{"PULL SHOULD constrain incoming queue sizes to a limit", confRecvLimit(push, pull)},
		{"PULL SHALL receive incoming messages using a fair-queuing strategy", confFairQueue(push, pull)},
		{"PULL SHALL deliver these to its calling application", confKeeps(push, pull)},
	})
}
