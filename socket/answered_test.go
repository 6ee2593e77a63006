package socket_test

import (
	"context"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestAnswerIsReceipt: when the connection of a REQ ends, a request whose reply was
// received is confirmed; one without a reply is in doubt.
func TestAnswerIsReceipt(t *testing.T) {
	const answered = 10
	for _, row := range []struct {
		name    string
		probe   bool
		ending  func(e *confEnv, req, router *socket.Socket) // how it goes on
		inDoubt int64
	}{
		{"all are answered", false, func(*confEnv, *socket.Socket, *socket.Socket) {}, 0},
		{"all and a probe", true, func(*confEnv, *socket.Socket, *socket.Socket) {}, 0},
		{"one waits", false, func(e *confEnv, req, router *socket.Socket) {
			e.Send(req, "last")
			e.Recv(router)
		}, 1},
		{"one was given up", false, func(e *confEnv, req, router *socket.Socket) {
			ctx, cancel := context.WithCancel(e.ctx)
			done := make(chan error, 1)
			go func() {
				_, err := req.Do(ctx, []byte("last"))
				done <- err
			}()
			e.Recv(router)
			cancel()
			if err := <-done; err == nil {
				e.Error("Do without a reply = nil, want an error")
			}
		}, 1},
	} {
		for _, scheme := range []string{"tcp", "ipc"} {
			for _, binds := range []bool{false, true} {
				name := map[bool]string{false: "connects", true: "binds"}[binds]
				t.Run(row.name+"/"+scheme+"/"+name, func(t *testing.T) {
					e := confNew(t, scheme)
					req := e.New(pattern.Req, &socket.Options{ProbeRouter: row.probe, ReconnectMin: -1})
					router := e.New(pattern.Router, &socket.Options{ReconnectMin: -1})
					next := e.Events(req)
					if binds {
						e.Join(req, router)
					} else {
						e.Join(router, req)
					}
					if row.probe {
						e.Recv(router)
					}
					for range answered {
						e.Send(req, "request")
						id := e.Recv(router)[0]
						e.Send(router, id, "", "reply")
						e.Want(req, "reply")
					}
					row.ending(e, req, router)
					e.Close(router)
					ev := next(socket.Disconnected)
					st := req.Stats()
					if ev.InDoubt != row.inDoubt || st.InDoubt != row.inDoubt || st.Confirmed != st.Written-row.inDoubt || st.Confirmed < answered {
						t.Errorf("the event says %d in doubt, Stats %d, and %d confirmed of %d, want %d and the rest", ev.InDoubt, st.InDoubt, st.Confirmed, st.Written, row.inDoubt)
					}
				})
			}
		}
	}
}

// TestUnansweredProbeIsInDoubt: what nothing has followed that was answered is no
// more certain than before.
func TestUnansweredProbeIsInDoubt(t *testing.T) {
	e := confNew(t, "tcp")
	req, router := e.New(pattern.Req, &socket.Options{ProbeRouter: true, ReconnectMin: -1}), e.New(pattern.Router, nil)
	next := e.Events(req)
	e.Join(router, req)
	e.Recv(router)
	e.Send(req, "request")
	e.Recv(router)
	e.Close(router)
	if ev := next(socket.Disconnected); ev.InDoubt != 2 {
		t.Errorf("the event says %d in doubt, want the probe and the request", ev.InDoubt)
	}
}

// TestAnswersAddUpOverConnections: each connection's end is counted for itself, and a
// request that waits for a connection is in no doubt.
func TestAnswersAddUpOverConnections(t *testing.T) {
	e := confNew(t, "tcp")
	req := e.New(pattern.Req, &socket.Options{ReqRelaxed: true})
	at := e.Reserve()
	e.Connect(req, at)
	const rounds = 3
	for i := range rounds {
		router := e.New(pattern.Router, nil)
		next := e.Events(req)
		e.Send(req, "first of a connection, queued before there is one")
		e.BindTo(router, at)
		id := e.Recv(router)[0]
		e.Send(router, id, "", "reply")
		e.Want(req, "reply")
		e.Send(req, "without a reply")
		e.Recv(router)
		e.Close(router)
		if ev := next(socket.Disconnected); ev.InDoubt != 1 {
			t.Errorf("connection %d: the event says %d in doubt, want 1", i, ev.InDoubt)
		}
		if st := req.Stats(); st.Confirmed != int64(i+1) || st.InDoubt != int64(i+1) || st.Written != st.Confirmed+st.InDoubt {
			t.Errorf("connection %d: got %+v, want as many confirmed as in doubt", i, st.Counters)
		}
	}
}
