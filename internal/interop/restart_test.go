package interop_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// traffic moves numbered messages both ways between two DEALERs.
func traffic(t *testing.T, us *socket.Socket, them *pySocket, numbered int) {
	t.Helper()
	both := &plan{role: roleBoth, numbered: numbered}
	if !meet(within(t), t, us, both, (&pyCounterpart{pySocket: them}).begin(both)) {
		t.FailNow()
	}
}

const restarts = 3

// TestLibzmqProcessRestarted kills the libzmq process again and again. It
// comes back at the same endpoint, or connects again, and traffic resumes.
func TestLibzmqProcessRestarted(t *testing.T) {
	eachSecured(t, func(t *testing.T, w *way, side, transport string) {
		t.Parallel()
		us := newSocket(t, pattern.Dealer, w.options(socket.Options{ReconnectMin: 10 * time.Millisecond}))
		seen := watch(t, us)
		at := anywhere(t, transport)
		if side == "bind" {
			at = mustBind(t, us, at)
		}
		for round := range restarts {
			py := w.start(t)
			them := py.open("dealer", "DEALER", w.settings(nil))
			if side == "bind" {
				them.connect(at)
			} else if at = them.bind(at); round == 0 {
				mustConnect(t, us, at)
			}
			seen.await(socket.Ready)
			if round > 0 && side == "connect" {
				// What was sent while it was away comes first.
				want(t, them.recv(), fmt.Sprintf("while you were away %d", round))
			}
			traffic(t, us, them, 500)
			py.kill()
			seen.await(socket.Disconnected)
			if side == "connect" {
				send(t, us, fmt.Sprintf("while you were away %d", round+1))
			}
		}
	})
}

// eachSecured runs a test with NULL on both transports and with PLAIN and CURVE on
// tcp, for either side as the server, and either side binding.
func eachSecured(t *testing.T, test func(t *testing.T, w *way, side, transport string)) {
	for _, w := range secured(t) {
		for _, side := range sides {
			for _, transport := range transports {
				if w != nil && transport != "tcp" {
					continue
				}
				t.Run(w.String()+"/"+side+"/"+transport, func(t *testing.T) { test(t, w, side, transport) })
			}
		}
	}
}

// TestRingwireRestarted closes our socket again and again while libzmq's
// stays: it finds the new one, or the new one finds it.
func TestRingwireRestarted(t *testing.T) {
	py := ways(t)[0].start(t)
	eachSecured(t, func(t *testing.T, w *way, side, transport string) {
		them := (&python{py.process, t}).open(t.Name(), "DEALER", w.settings(settings{"RECONNECT_IVL": 10, "IMMEDIATE": 1}))
		at := anywhere(t, transport)
		if side == "connect" {
			at = them.bind(at)
		}
		for round := range restarts {
			us := newSocket(t, pattern.Dealer, w.options(socket.Options{}))
			if side == "connect" {
				mustConnect(t, us, at)
			} else if at = mustBind(t, us, at); round == 0 {
				them.connect(at)
			}
			waitPeers(t, us, 1)
			traffic(t, us, them, 500)
			if err := us.Close(); err != nil {
				t.Fatal(err)
			}
		}
		them.close()
	})
}

// TestConnectBeforeLibzmqBinds: ours connects to nobody, queues, and delivers
// when libzmq is there.
func TestConnectBeforeLibzmqBinds(t *testing.T) {
	py := startPython(t)
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			here := &python{py.process, t}
			// An endpoint that is free: libzmq had it.
			first := here.open(t.Name()+"-first", "PULL", nil)
			at := first.bind(anywhere(t, transport))
			first.close()

			us := newSocket(t, pattern.Push, &socket.Options{ReconnectMin: 10 * time.Millisecond})
			seen := watch(t, us)
			mustConnect(t, us, at)
			// Not before nobody listens there: libzmq closes behind the caller's
			// back, and what the old socket gets is lost.
			seen.await(socket.ConnectFailed)
			for i := range 100 {
				send(t, us, fmt.Sprint(i))
			}
			them := here.open(t.Name(), "PULL", nil)
			eventually(t, "libzmq binds "+at, func() bool {
				_, err := them.start(command{"op": "bind", "id": them.id, "endpoint": at})()
				return err == nil
			})
			for i, got := range them.recvEach(100) {
				want(t, got, fmt.Sprint(i))
			}
			nothingDropped(t, us)
			them.close()
		})
	}
}

func nothingDropped(t *testing.T, s *socket.Socket) {
	t.Helper()
	if st := s.Stats(); st.SendDropped.Total() != 0 || st.RecvDropped.Total() != 0 {
		t.Errorf("got drops, want none: %+v", st)
	}
}
