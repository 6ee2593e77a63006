package interop_test

import (
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestReqRelaxedCorrelate: a REQ that gives up waiting and asks again, and
// gets the reply to its last request only. The numbers that make it possible
// are a frame that a ROUTER sees and a REP gives back.
func TestReqRelaxedCorrelate(t *testing.T) {
	py := startPython(t)
	t.Run("ours with REP", func(t *testing.T) {
		here := &python{py.process, t}
		us := newSocket(t, pattern.Req, &socket.Options{ReqRelaxed: true, ReqCorrelate: true})
		them := here.open(t.Name(), "REP", nil)
		mustConnect(t, us, them.bind(anywhere(t, "tcp")))
		for range 3 {
			send(t, us, "one")
			want(t, them.recv(), "one") // one that is still here would be taken back
			send(t, us, "two", "frames")
			them.send("reply to one")
			want(t, them.recv(), "two", "frames")
			them.send("reply to two", "")
			want(t, recv(t, us), "reply to two", "")
		}
		them.close()
	})
	t.Run("ours with ROUTER", func(t *testing.T) {
		here := &python{py.process, t}
		us := newSocket(t, pattern.Req, &socket.Options{ReqRelaxed: true, ReqCorrelate: true, Identity: []byte("req")})
		them := here.open(t.Name(), "ROUTER", nil)
		mustConnect(t, us, them.bind(anywhere(t, "tcp")))
		send(t, us, "one")
		one := them.recv()
		send(t, us, "two")
		two := them.recv()
		for i, got := range [][]string{one, two} {
			if len(got) != 4 || got[0] != "req" || len(got[1]) != 4 || got[2] != "" || got[3] != []string{"one", "two"}[i] {
				t.Fatalf("request %d: got %q, want identity, 4 bytes, nothing, body", i, got)
			}
		}
		if one[1] == two[1] {
			t.Errorf("both requests have the number %q", one[1])
		}
		them.send(append(one[:3:3], "late")...)
		them.send(append(two[:3:3], "right")...)
		want(t, recv(t, us), "right")
		them.close()
	})
	t.Run("theirs with REP", func(t *testing.T) {
		here := &python{py.process, t}
		us := newSocket(t, pattern.Rep, nil)
		them := here.open(t.Name(), "REQ", settings{"REQ_RELAXED": 1, "REQ_CORRELATE": 1})
		them.connect(mustBind(t, us, anywhere(t, "tcp")))
		for range 3 {
			them.send("one")
			them.send("two", "frames")
			want(t, recv(t, us), "one")
			send(t, us, "reply to one")
			want(t, recv(t, us), "two", "frames")
			send(t, us, "reply to two", "")
			want(t, them.recv(), "reply to two", "")
		}
		them.close()
	})
	t.Run("theirs with ROUTER", func(t *testing.T) {
		here := &python{py.process, t}
		us := newSocket(t, pattern.Router, nil)
		them := here.open(t.Name(), "REQ", settings{"REQ_RELAXED": 1, "REQ_CORRELATE": 1, "ROUTING_ID": "req"})
		them.connect(mustBind(t, us, anywhere(t, "tcp")))
		them.send("one")
		one := recv(t, us)
		them.send("two")
		two := recv(t, us)
		if len(two) != 4 || two[0] != "req" || len(two[1]) != 4 || two[2] != "" || two[3] != "two" {
			t.Fatalf("got %q, want identity, 4 bytes, nothing, body", two)
		}
		send(t, us, append(one[:3:3], "late")...)
		send(t, us, append(two[:3:3], "right")...)
		want(t, them.recv(), "right")
		them.close()
	})
}
