package interop_test

import (
	"slices"
	"testing"
)

// TestSecured is the matrix under PLAIN and CURVE: every pair of socket types,
// either side as the server, either side binding, on tcp and ipc. The cells are
// those of TestLibzmq, with fewer numbered messages. libzmq's servers ask pyzmq's
// ZAP handler, ours a directory of certificates and a list of users. libzmq's REQ
// as the server is excluded from the user id: see TestLibzmqReqServer.
func TestSecured(t *testing.T) {
	list := ways(t)
	named, nameless := list[0].start(t), startPython(t)
	nameless.call(command{"op": "guard", "statuses": []string{"200"}})
	for _, w := range list {
		t.Run(w.name, func(t *testing.T) {
			for _, p := range pairs {
				p.way = w
				py := named
				if p.theirs == "REQ" && w.user != "" {
					py = nameless
				}
				for _, side := range sides {
					for _, transport := range transports {
						t.Run(p.name()+"/"+side+"/"+transport, func(t *testing.T) {
							cell(t, p, side, transport, max(*messages/20, 100), shapes, newPyCounterpart(t, py, p))
						})
					}
				}
			}
		})
	}
}

// TestSecuredUser: each side of a connection knows who the other is, if it is the
// server, message for message.
func TestSecuredUser(t *testing.T) {
	list := ways(t)
	py := list[0].start(t)
	for _, w := range list {
		t.Run(w.name, func(t *testing.T) {
			us, them := w.dealers(t, py)
			defer them.close()
			them.connect(mustBind(t, us, anywhere(t, "tcp")))
			them.send("from them")
			m, err := us.Recv(within(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Peer().Principal(); got != w.principal || string(m.Bytes()) != "from them" {
				t.Errorf("got %q of %q, want %q of %q", m.Bytes(), got, "from them", w.principal)
			}
			send(t, us, "from us")
			if w.user == "" { // libzmq asks nobody
				want(t, them.recv(), "from us")
				return
			}
			a := them.call(command{"op": "user", "id": them.id})
			if got := them.decode(a.Messages); got[0][0] != "from us" || a.Text[0] != w.user {
				t.Errorf("libzmq got %q of %q, want %q of %q", got, a.Text, "from us", w.user)
			}
		})
	}
}

// TestSecuredUnguarded: a CURVE server of libzmq that has no ZAP handler lets
// everybody in who knows its key. One of PLAIN lets nobody in: see
// TestSecuredRefused.
func TestSecuredUnguarded(t *testing.T) {
	s := secrets(t)
	py := startPython(t)
	w := &way{"CURVE client", "CURVE", s.weAreCurve(s.server.Public(), s.stranger), s.curveServer(), "", ""}
	us, them := w.dealers(t, py)
	mustConnect(t, us, them.bind(anywhere(t, "tcp")))
	traffic(t, us, them, 100)
}

// TestLibzmqReqServer is about libzmq alone: a REQ that is the server of a mechanism
// drops the connection at the first reply if its ZAP handler gave the peer a user id.
func TestLibzmqReqServer(t *testing.T) {
	for _, user := range []string{"", "somebody"} {
		py := startPython(t)
		py.call(command{"op": "guard", "statuses": []string{"200"}, "user": user})
		req := py.open("req", "REQ", merge(plainServer, settings{"monitor": true}))
		rep := py.open("rep", "REP", plainClient("a", "b"))
		rep.connect(req.bind(anywhere(t, "tcp")))
		req.send("request")
		want(t, rep.recv(), "request")
		rep.send("reply")
		if user == "" {
			want(t, req.recv(), "reply")
		} else if got := req.events(limit(), "DISCONNECTED"); !slices.Contains(got, "DISCONNECTED") {
			t.Errorf("with a user id: got events %v, want DISCONNECTED", got)
		}
	}
}
