package security

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// everyCommand is one of each kind, by name.
func everyCommand(recorded [][]byte) map[string][]byte {
	all := map[string][]byte{
		"no name": {}, "empty name": {0}, "name past the end": []byte("\xffHELLO"),
		"empty HELLO": []byte("\x05HELLO"), "empty WELCOME": []byte("\x07WELCOME"), "empty INITIATE": []byte("\x08INITIATE"),
		"empty READY": []byte("\x05READY"), "empty ERROR": []byte("\x05ERROR"), "ERROR": []byte("\x05ERROR\x03400"),
		"ERROR past the end": []byte("\x05ERROR\x09400"), "ERROR with controls": []byte("\x05ERROR\x05\x1b[2J\n"),
		"PING": []byte("\x04PING\x00\x00"), "PONG": []byte("\x04PONG"), "SUBSCRIBE": []byte("\x09SUBSCRIBE"), "CANCEL": []byte("\x06CANCEL"),
		"MESSAGE": append([]byte("\x07MESSAGE"), make([]byte, 60)...), "unknown": []byte("\x08WHATEVER"), "lower case": []byte("\x05hello"),
		"libzmq's ERROR": []byte("\x05RROR\x03400"),
		// What error texts call a state that waits for nothing is no name either.
		"nothing": []byte("\x0bnothing yet"), "nothing more": []byte("\x1anothing before the verdict"), "nothing else": []byte("\x1bnothing after the handshake"),
		"a large unknown": append([]byte("\x01X"), make([]byte, 70<<10)...),
	}
	for i, body := range recorded {
		all[fmt.Sprintf("command %d", i)] = body
		all[fmt.Sprintf("command %d and a byte", i)] = append(bytes.Clone(body), 0)
		all[fmt.Sprintf("command %d but a byte", i)] = body[:len(body)-1]
	}
	return all
}

// TestSEC15States: in every state of either side of PLAIN and CURVE, with a verdict
// outstanding, too, exactly one command goes on; every other one ends the handshake
// for good, whatever follows. A client that is refused says so.
func TestSEC15States(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (client, server Conn){
		"PLAIN": plainSides, "CURVE": func(t testing.TB) (client, server Conn) { return seeded(t, 1) },
	} {
		client, server := pair(t)
		recorded := transcript(t, client, server)
		commands := everyCommand(recorded)
		for steps := range 5 {
			for _, what := range slices.Sorted(maps.Keys(commands)) {
				for _, role := range []string{"client", "server", "server, asking"} {
					client, server := pair(t)
					if !advance(t, client, server, recorded, steps, role == "server, asking") {
						continue
					}
					side := client
					if role != "client" {
						side = server
					}
					// HELLO and INITIATE are the server's to take, WELCOME and READY the client's.
					next := steps + (steps+1)%2
					if role != "client" {
						next = steps + steps%2
					}
					expected := role != "server, asking" && next < 4 && bytes.Equal(commands[what], recorded[next])
					if name == "PLAIN" && next >= 2 && what == map[int]string{2: "empty INITIATE", 3: "empty READY"}[next] {
						continue // that it says nothing of the socket is no affair of the mechanism
					}
					label := fmt.Sprintf("%s %s after %d commands: %s", name, role, steps, what)
					done := side.Done()
					_, err := side.Handle(nil, commands[what])
					if expected {
						if err != nil {
							t.Errorf("%s: got %v, want it taken", label, err)
						}
						continue
					}
					refusal := errors.Is(err, ringwire.ErrRejected) && role == "client" && !done
					if err == nil || !refusal && !errors.Is(err, ringwire.ErrProtocol) && !errors.Is(err, ringwire.ErrTooLarge) {
						t.Errorf("%s: got %v, want a protocol error", label, err)
					}
					if side.Done() || side.Peer() != nil {
						t.Errorf("%s: the connection is open after it", label)
					}
					if a, ok := side.(Asker); ok {
						if _, asks := a.Pending(); asks {
							t.Errorf("%s: somebody is asked about the peer", label)
						}
					}
					if next < 4 {
						if _, err := side.Handle(nil, recorded[next]); err == nil || side.Done() {
							t.Errorf("%s: the right command is taken after it", label)
						}
					}
				}
			}
		}
	}
}

// advance plays the first commands of a handshake, and with asking stops before the
// verdict. It reports false if nobody asks at that point.
func advance(t testing.TB, client, server Conn, recorded [][]byte, steps int, asking bool) bool {
	t.Helper()
	wire, err := client.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	server.Start(nil)
	for i := range steps {
		to := server
		if i%2 == 1 {
			to = client
		}
		body := commandBody(t, wire)
		if asking && i == steps-1 {
			if _, err := to.Handle(nil, body); err != nil {
				t.Fatal(err)
			}
			a, ok := to.(Asker)
			if !ok {
				return false
			}
			_, asks := a.Pending()
			return asks
		}
		if wire, err = give(to, body); err != nil {
			t.Fatal(err)
		}
	}
	return !asking
}

// TestSEC15Twice: Start is called once, and a verdict given once.
func TestSEC15Twice(t *testing.T) {
	for _, pair := range []func(testing.TB) (client, server Conn){plainSides, curvePair} {
		client, server := pair(t)
		for _, side := range []Conn{client, server} {
			if _, err := side.Start(nil); err != nil {
				t.Fatal(err)
			}
			if out, err := side.Start(nil); err == nil || len(out) > 0 {
				t.Errorf("%T: a second Start gives %q, %v, want an error", side, out, err)
			}
			if _, err := side.Handle(nil, []byte("\x05READY")); err == nil {
				t.Errorf("%T goes on after a second Start", side)
			}
		}
	}
}

// TestSEC15UnaskedVerdict: a verdict that nobody asked for opens nothing.
func TestSEC15UnaskedVerdict(t *testing.T) {
	for _, pair := range []func(testing.TB) (client, server Conn){plainSides, curvePair} {
		_, server := pair(t)
		if _, err := server.Start(nil); err != nil {
			t.Fatal(err)
		}
		out, err := server.(Asker).Verdict(nil, ringwire.Verdict{Allow: true})
		if err == nil || len(out) > 0 || server.Done() {
			t.Errorf("%T: got %q, %v, done %v, want an error", server, out, err, server.Done())
		}
		if _, err := server.Handle(nil, zmtp.AppendCommand(nil, zmtp.CommandInitiate, nil)[2:]); err == nil {
			t.Errorf("%T goes on after it", server)
		}
	}
}
