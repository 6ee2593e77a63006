package interop_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// refusal is a pair of sides that must not come together. What each is told
// stands in the table of docs/interop.md.
type refusal struct {
	name   string
	ours   func(*socket.Options)
	theirs settings
	kind   socket.EventKind // our event, 0: which of the two depends on who is faster
	event  string           // libzmq's: HANDSHAKE_FAILED_ and this
	guard  []string         // statuses of libzmq's ZAP handler; nil: pyzmq's; empty: there is none
	friend *way             // who is let in by the side that refused; nil: nobody can be
}

func unsecured(*socket.Options) {}

// patience bounds the handshake of a row in which nobody says a word any more.
func patience(ours func(*socket.Options), d time.Duration) func(*socket.Options) {
	return func(o *socket.Options) {
		ours(o)
		o.HandshakeTimeout = d
	}
}

func refusals(t *testing.T) []refusal {
	s := secrets(t)
	w := ways(t)
	weServeCurve, theyServeCurve, weServePlain, theyServePlain := w[0], w[1], w[2], w[3]
	server, key := s.server.Public(), s.client
	// A PLAIN client of libzmq takes an ERROR for an unknown command: what it
	// expects, and its server sends, is not spelled so. Our client knows both.
	const plainError = "PROTOCOL 0x10000001"
	const mismatch, crypto = "PROTOCOL 0x11000002", "PROTOCOL 0x11000001"
	return []refusal{
		{"NULL at our CURVE server", s.weServeCurve, nil, 0, mismatch, nil, weServeCurve},
		{"NULL at our PLAIN server", s.weServePlain, nil, 0, mismatch, nil, weServePlain},
		{"PLAIN at our CURVE server", s.weServeCurve, plainClient(friendName, friendPassword), 0, mismatch, nil, weServeCurve},
		{"CURVE at our PLAIN server", s.weServePlain, s.curveClient(server, key), 0, mismatch, nil, weServePlain},
		{"a key that our server does not allow", s.weServeCurve, s.curveClient(server, s.stranger), socket.Rejected, "AUTH 400", nil, weServeCurve},
		{"another key than our server's", s.weServeCurve, s.curveClient(key.Public(), key), socket.HandshakeFailed, "NO_DETAIL", nil, weServeCurve},
		{"a wrong password at our server", s.weServePlain, plainClient(friendName, "guess"), socket.Rejected, plainError, nil, weServePlain},
		{"a name that our server does not know", s.weServePlain, plainClient("stranger", friendPassword), socket.Rejected, plainError, nil, weServePlain},
		{"two servers of PLAIN", patience(s.weServePlain, 200*time.Millisecond), plainServer, socket.HandshakeFailed, "NO_DETAIL", nil, nil},

		{"NULL at libzmq's CURVE server", unsecured, s.curveServer(), 0, mismatch, nil, theyServeCurve},
		{"PLAIN at libzmq's CURVE server", s.weArePlain(friendName, friendPassword), s.curveServer(), 0, mismatch, nil, theyServeCurve},
		{"CURVE at libzmq's PLAIN server", s.weAreCurve(server, key), plainServer, 0, mismatch, nil, theyServePlain},
		{"a key that libzmq's server does not allow", s.weAreCurve(server, s.stranger), s.curveServer(), socket.Rejected, "AUTH 400", nil, theyServeCurve},
		{"another key than libzmq's server's", s.weAreCurve(s.stranger.Public(), key), s.curveServer(), socket.HandshakeFailed, crypto, nil, theyServeCurve},
		{"a wrong password at libzmq's server", s.weArePlain(friendName, "guess"), plainServer, socket.Rejected, "AUTH 400", nil, theyServePlain},
		{"libzmq's PLAIN server without a ZAP handler", s.weArePlain(friendName, friendPassword), plainServer, socket.HandshakeFailed, "NO_DETAIL", []string{}, nil},
		{"libzmq's ZAP handler says 300", patience(s.weAreCurve(server, key), time.Second), s.curveServer(), socket.HandshakeFailed, "AUTH 300", []string{"300"}, nil},
		{"libzmq's ZAP handler says 500", s.weAreCurve(server, key), s.curveServer(), socket.Rejected, "AUTH 500", []string{"500"}, nil},
	}
}

// line is the row of the table in docs/interop.md.
func (r refusal) line() string {
	ours := "either"
	if r.kind != 0 {
		ours = r.kind.String()
	}
	return fmt.Sprintf("| %s | %s | %s |\n", r.name, ours, r.event)
}

// TestRefusalsDocumented: the table of docs/interop.md is this one.
func TestRefusalsDocumented(t *testing.T) {
	b, err := os.ReadFile("../../docs/interop.md")
	if err != nil {
		t.Fatal(err)
	}
	want := "| what | our event | libzmq's event |\n| --- | --- | --- |\n"
	for _, r := range refusals(t) {
		want += r.line()
	}
	if !strings.Contains(strings.ReplaceAll(string(b), "\r\n", "\n"), want+"\n") {
		t.Errorf("docs/interop.md does not have this table:\n%s", want)
	}
}

// TestSecuredRefused: who does not fit is not let in, whichever side binds. Both
// sides say so, nothing arrives, and one who fits is let in beside it.
func TestSecuredRefused(t *testing.T) {
	hosts := map[string]*python{}
	for _, row := range refusals(t) {
		host := fmt.Sprint(row.guard == nil, row.guard)
		if hosts[host] == nil {
			hosts[host] = startPython(t)
			switch {
			case row.guard == nil:
				hosts[host].call(secrets(t).guard())
			case len(row.guard) > 0:
				hosts[host].call(command{"op": "guard", "statuses": row.guard})
			}
		}
		for _, side := range sides {
			t.Run(row.name+"/"+side, func(t *testing.T) { row.run(t, side, hosts[host]) })
		}
	}
}

func (r refusal) run(t *testing.T, side string, host *python) {
	py := &python{host.process, t}
	var o socket.Options
	r.ours(&o)
	o.ReconnectMin, o.NoLinger = 10*time.Millisecond, true
	us := newSocket(t, pattern.Dealer, &o)
	seen := watch(t, us)
	them := py.open(t.Name(), "DEALER", merge(r.theirs, settings{"monitor": true, "RECONNECT_IVL": 10}))
	defer them.close()
	var at string
	if side == "bind" {
		at = mustBind(t, us, anywhere(t, "tcp"))
		them.connect(at)
		// Queued for a connection, if libzmq has not given up by then.
		them.call(command{"op": "send", "id": them.id, "messages": [][]string{hexes([]string{"intruder"})}, "try": true})
	} else {
		at = them.bind(anywhere(t, "tcp"))
		mustConnect(t, us, at)
		send(t, us, "intruder")
	}
	kinds := []socket.EventKind{r.kind}
	if r.kind == 0 {
		kinds = []socket.EventKind{socket.Rejected, socket.HandshakeFailed}
	}
	e := seen.await(append(kinds, socket.Ready)...)
	if e.Kind == socket.Ready || e.Err == nil {
		t.Fatalf("got event %v, want one that says why they do not come together", e)
	}
	if e.Kind == socket.HandshakeFailed && r.kind == 0 && !strings.Contains(e.Err.Error(), "libzmq hangs up like this when the two differ") {
		t.Errorf("got %v, want what it means that libzmq hung up", e.Err)
	}
	if got := them.refusal(); got != r.event {
		t.Errorf("libzmq's monitor: got %s, want %s", got, r.event)
	}
	if st := us.Stats(); st.Peers != 0 || st.Arrived != 0 {
		t.Errorf("got %d peers, %d messages, want none: %+v", st.Peers, st.Arrived, st)
	}
	if r.friend == nil {
		return
	}
	ours, theirs := us, them // of the two that come together, one is the server
	if r.friend.user == "" {
		theirs = py.open(t.Name()+"friend", "DEALER", r.friend.settings(nil))
		defer theirs.close()
	} else {
		ours = newSocket(t, pattern.Dealer, r.friend.options(socket.Options{}))
	}
	switch {
	case theirs != them && side == "bind":
		theirs.connect(at)
	case ours != us && side == "connect":
		mustConnect(t, ours, at)
	case ours != us:
		theirs.connect(mustBind(t, ours, anywhere(t, "tcp")))
	default:
		mustConnect(t, ours, theirs.bind(anywhere(t, "tcp")))
	}
	waitPeers(t, ours, 1)
	if ours == us { // what was sent before is not there
		theirs.send("friend")
		want(t, recv(t, ours), "friend")
	} else {
		send(t, ours, "friend")
		want(t, theirs.recv(), "friend")
	}
}

// refusal is what the socket's monitor says of a handshake that failed.
func (s *pySocket) refusal() string {
	s.t.Helper()
	const failed = "HANDSHAKE_FAILED_"
	a := s.call(command{"op": "events", "id": s.id, "for": limit().Milliseconds(), "until": failed})
	last := len(a.Events) - 1
	if last < 0 || !strings.HasPrefix(a.Events[last], failed) {
		s.t.Fatalf("libzmq's monitor: got events %v, want %s...", a.Events, failed)
	}
	switch name := strings.TrimPrefix(a.Events[last], failed); name {
	case "AUTH":
		return fmt.Sprintf("%s %d", name, a.Values[last])
	case "PROTOCOL":
		return fmt.Sprintf("%s %#x", name, a.Values[last])
	default: // the value is a number of the system
		return name
	}
}
