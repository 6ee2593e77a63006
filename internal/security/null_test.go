package security_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
)

func metadata(socketType string) zmtp.Metadata {
	return zmtp.Metadata{{Name: zmtp.PropertySocketType, Value: []byte(socketType)}}
}

// started returns a NULL connection whose READY went out.
func started(t *testing.T) security.Conn {
	t.Helper()
	c := security.Null{}.New(metadata("DEALER"), security.Limits{})
	if _, err := c.Start(nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNullGolden(t *testing.T) {
	c := security.Null{}.New(metadata("SUB"), security.Limits{})
	got, err := c.Start([]byte("before"))
	if want := "before\x04\x19\x05READY\x0BSocket-Type\x00\x00\x00\x03SUB"; string(got) != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if name := (security.Null{}).Name(); name != "NULL" {
		t.Errorf("got name %q, want NULL", name)
	}
}

// Both orders are legal: a fast peer's READY may come with its greeting.
func TestNullStartAndReadyInAnyOrder(t *testing.T) {
	steps := map[string]func(c security.Conn) error{
		"start": func(c security.Conn) error { _, err := c.Start(nil); return err },
		"ready": func(c security.Conn) error { _, err := c.Handle(nil, []byte("\x05READY")); return err },
	}
	for _, order := range [][2]string{{"start", "ready"}, {"ready", "start"}} {
		c := security.Null{}.New(nil, security.Limits{})
		for i, step := range order {
			if c.Done() || c.Peer() != nil {
				t.Errorf("%v: done before step %d, peer %q", order, i, c.Peer())
			}
			if err := steps[step](c); err != nil {
				t.Errorf("%v: %v", order, err)
			}
		}
		if !c.Done() || c.Peer() == nil || !c.Clear() {
			t.Errorf("%v: got Done %v, Peer %v, Clear %v", order, c.Done(), c.Peer(), c.Clear())
		}
	}
}

// SEC-15: every command in every state.
func TestNullStateTable(t *testing.T) {
	type state struct {
		name string
		make func(t *testing.T) security.Conn
	}
	fresh := state{"fresh", func(t *testing.T) security.Conn { return security.Null{}.New(nil, security.Limits{}) }}
	waiting := state{"waiting", started}
	done := state{"done", func(t *testing.T) security.Conn {
		c := started(t)
		if _, err := c.Handle(nil, []byte("\x05READY")); err != nil || !c.Done() {
			t.Fatalf("not done: %v", err)
		}
		return c
	}}
	failed := state{"failed", func(t *testing.T) security.Conn {
		c := started(t)
		if _, err := c.Handle(nil, []byte("\x05HELLO")); err == nil {
			t.Fatal("HELLO was accepted")
		}
		return c
	}}
	ready := "\x05READY\x0BSocket-Type\x00\x00\x00\x03SUB"
	for _, row := range []struct {
		command         string
		beforeReady     error // in states fresh and waiting; nil: accepted
		afterReady      error
		text, afterText string
	}{
		{ready, nil, ringwire.ErrProtocol, "", "second READY"},
		{"\x05READY", nil, ringwire.ErrProtocol, "", "second READY"},
		{ready[:len(ready)-1], ringwire.ErrProtocol, ringwire.ErrProtocol, `property "Socket-Type" declares 3 bytes`, "second READY"},
		{"\x05READY\x00", ringwire.ErrProtocol, ringwire.ErrProtocol, "property name of 0 bytes", "second READY"},
		{"\x05ready", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "ready"`, ""},
		{"\x05ERROR\x03400", ringwire.ErrRejected, ringwire.ErrRejected, `ERROR "400"`, ""},
		{"\x05ERROR\x06\x1B[2J\r\n", ringwire.ErrRejected, ringwire.ErrRejected, `ERROR "\x1b[2J\r\n"`, ""},
		{"\x05ERROR\x04400", ringwire.ErrProtocol, ringwire.ErrProtocol, "ERROR reason of 4 bytes", ""},
		{"\x05ERROR", ringwire.ErrProtocol, ringwire.ErrProtocol, "ERROR with 0 bytes", ""},
		{"\x05HELLO\x04user\x04pass", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "HELLO" in the NULL handshake`, ""},
		{"\x07WELCOME", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "WELCOME"`, ""},
		{"\x08INITIATE", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "INITIATE"`, ""},
		{"\x07MESSAGE12345678", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "MESSAGE"`, ""},
		{"\x04PING\x00\x00", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "PING"`, ""},
		{"\x04PONG", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "PONG"`, ""},
		{"\x09SUBSCRIBE", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "SUBSCRIBE"`, ""},
		{"\x06CANCEL", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "CANCEL"`, ""},
		{"\x04JOINg", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "JOIN"`, ""},
		{"\x05LEAVEg", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "LEAVE"`, ""},
		{"\x02\r\n", ringwire.ErrProtocol, ringwire.ErrProtocol, `command "\r\n"`, ""},
		{"", ringwire.ErrProtocol, ringwire.ErrProtocol, "command of 0 bytes", ""},
		{"\x00", ringwire.ErrProtocol, ringwire.ErrProtocol, "command name of 0 bytes", ""},
		{"\x06READY", ringwire.ErrProtocol, ringwire.ErrProtocol, "command name of 6 bytes", ""},
	} {
		for _, s := range []state{fresh, waiting, done, failed} {
			t.Run(fmt.Sprintf("%s/%q", s.name, row.command), func(t *testing.T) {
				want, text := row.beforeReady, row.text
				switch s.name {
				case "done":
					want = row.afterReady
					if row.afterText != "" {
						text = row.afterText
					}
				case "failed":
					want, text = ringwire.ErrProtocol, "command after the NULL handshake failed"
				}
				c := s.make(t)
				got, err := c.Handle([]byte("before"), []byte(row.command))
				if string(got) != "before" {
					t.Errorf("got %q, want no answer", got)
				}
				if !errors.Is(err, want) || (err == nil) != (want == nil) || err != nil && !strings.Contains(err.Error(), text) {
					t.Errorf("got error %v, want %v with %q", err, want, text)
				}
				if done := err == nil && s.name == "waiting"; c.Done() != done || (c.Peer() != nil) != done {
					t.Errorf("got Done %v, Peer %q, want done %v", c.Done(), c.Peer(), done)
				}
			})
		}
	}
}

func TestNullLimits(t *testing.T) {
	const overhead = len("\x05READY") + len("\x06X-Blob") + 4
	for _, row := range []struct {
		limit, size int // size is that of the READY command's body
		fits        bool
	}{
		{0, 63 << 10, true},
		{0, 64 << 10, true},
		{0, 64<<10 + 1, false},
		{0, 65 << 10, false},
		{overhead, overhead, true},
		{overhead - 1, overhead, false},
	} {
		own := zmtp.Metadata{{Name: "X-Blob", Value: bytes.Repeat([]byte("b"), row.size-overhead)}}
		generous := security.Null{}.New(own, security.Limits{HandshakeBytes: 1 << 20})
		frame, err := generous.Start(nil)
		if err != nil {
			t.Fatal(err)
		}
		limits := security.Limits{HandshakeBytes: row.limit}

		// From the peer.
		c := security.Null{}.New(nil, limits)
		_, err = c.Handle(nil, body(t, frame))
		if row.fits != (err == nil) || err != nil && !errors.Is(err, ringwire.ErrTooLarge) {
			t.Errorf("%d bytes in, limit %d: got %v, want accepted %v", row.size, row.limit, err, row.fits)
		}

		// Of our own.
		c = security.Null{}.New(own, limits)
		got, err := c.Start([]byte("before"))
		if row.fits != (err == nil) || err != nil && (!errors.Is(err, ringwire.ErrTooLarge) || string(got) != "before") {
			t.Errorf("%d bytes out, limit %d: got %d bytes, %v, want accepted %v", row.size, row.limit, len(got), err, row.fits)
		}
		if err == nil && !bytes.Equal(got, append([]byte("before"), frame...)) {
			t.Errorf("%d bytes out, limit %d: got another READY", row.size, row.limit)
		}
	}
}

// Our own mistakes are errors that blame nobody else.
func TestNullMisuse(t *testing.T) {
	c := started(t)
	_, sealErr := c.Seal(nil, 0, nil)
	_, _, openErr := c.Open(nil, nil)
	_, startErr := c.Start(nil)
	bad := security.Null{}.New(zmtp.Metadata{{}}, security.Limits{})
	_, nameErr := bad.Start(nil)
	for what, err := range map[string]error{"Seal": sealErr, "Open": openErr, "second Start": startErr, "property without name": nameErr} {
		if err == nil || errors.Is(err, ringwire.ErrProtocol) || errors.Is(err, ringwire.ErrRejected) {
			t.Errorf("%s: got %v, want an error of our own", what, err)
		}
	}
	for _, c := range []security.Conn{c, bad} {
		if _, err := c.Handle(nil, []byte("\x05READY")); err == nil || c.Done() {
			t.Errorf("got %v, Done %v, want the connection to be of no more use", err, c.Done())
		}
	}
}

func TestNullKeepsNothingOfTheCommand(t *testing.T) {
	c := started(t)
	command := []byte("\x05READY\x0BSocket-Type\x00\x00\x00\x03SUB")
	if _, err := c.Handle(nil, command); err != nil {
		t.Fatal(err)
	}
	clear(command)
	if got, want := c.Peer(), metadata("SUB"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzNull cuts its input into commands (a byte of length before each) and
// compares a connection with what the specification says in fewer words.
func FuzzNull(f *testing.F) {
	f.Add([]byte("\x06\x05READY"))
	f.Add([]byte("\x06\x05READY\x06\x05READY"))
	f.Add([]byte("\x18\x05READY\x0BSocket-Type\x00\x00\x00\x03SUB\x0A\x05ERROR\x03400"))
	f.Add([]byte("\x0A\x05ERROR\xFF400\x06\x05READY"))
	f.Add([]byte("\x07\x04PING\x00\x00\x00"))
	f.Add([]byte("\xFF\x05READY"))
	f.Fuzz(func(t *testing.T, input []byte) {
		c := security.Null{}.New(metadata("PAIR"), security.Limits{HandshakeBytes: 200})
		if _, err := c.Start(nil); err != nil {
			t.Fatal(err)
		}
		ready, failed := false, false
		for len(input) > 0 {
			n := min(int(input[0]), len(input)-1)
			command := input[1 : 1+n]
			input = input[1+n:]

			var want error
			data, isReady := bytes.CutPrefix(command, []byte("\x05READY"))
			reason, isError := bytes.CutPrefix(command, []byte("\x05ERROR"))
			switch {
			case failed:
				want = ringwire.ErrProtocol
			case n > 200:
				want = ringwire.ErrTooLarge
			case isError && len(reason) > 0 && int(reason[0]) < len(reason):
				want = ringwire.ErrRejected
			case !isReady || ready:
				want = ringwire.ErrProtocol
			default:
				_, err := zmtp.ParseMetadata(data, 200)
				for _, cause := range []error{ringwire.ErrProtocol, ringwire.ErrTooLarge} {
					if errors.Is(err, cause) {
						want = cause
					}
				}
			}
			ready, failed = ready || want == nil, failed || want != nil

			answer, err := c.Handle(nil, command)
			if !errors.Is(err, want) || (err == nil) != (want == nil) || len(answer) > 0 {
				t.Fatalf("%q: got %q, %v, want %v", command, answer, err, want)
			}
			if c.Done() != (ready && !failed) || (c.Peer() != nil) != c.Done() {
				t.Fatalf("%q: got Done %v, Peer %q, ready %v, failed %v", command, c.Done(), c.Peer(), ready, failed)
			}
		}
	})
}
