package zmtp_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// commandBody cuts one whole command frame to its body.
func commandBody(t *testing.T, frame []byte) []byte {
	t.Helper()
	h, ok, err := zmtp.ParseHeader(frame)
	if !ok || err != nil || h.Flags&^zmtp.FlagLong != zmtp.FlagCommand || h.Size != uint64(len(frame)-h.Len) {
		t.Fatalf("%q is no command frame: %+v, %v, %v", frame, h, ok, err)
	}
	return frame[h.Len:]
}

func TestCommandGolden(t *testing.T) {
	for _, row := range []struct{ name, data, want string }{
		{zmtp.CommandWelcome, "", "\x04\x08\x07WELCOME"},
		{zmtp.CommandPong, "ctx", "\x04\x08\x04PONGctx"},
		{zmtp.CommandJoin, strings.Repeat("g", 250), "\x04\xFF\x04JOIN" + strings.Repeat("g", 250)},
		{zmtp.CommandJoin, strings.Repeat("g", 251), "\x06\x00\x00\x00\x00\x00\x00\x01\x00\x04JOIN" + strings.Repeat("g", 251)},
		{strings.Repeat("N", 255), "d", "\x06\x00\x00\x00\x00\x00\x00\x01\x01\xFF" + strings.Repeat("N", 255) + "d"},
	} {
		got := zmtp.AppendCommand([]byte("before"), row.name, []byte(row.data))
		if string(got) != "before"+row.want {
			t.Errorf("%s with %d bytes: got %q, want %q", row.name, len(row.data), got[6:], row.want)
		}
		name, data, err := zmtp.ParseCommand(commandBody(t, got[6:]))
		if string(name) != row.name || string(data) != row.data || err != nil {
			t.Errorf("got %q, %q, %v, want %q, %q", name, data, err, row.name, row.data)
		}
		if cap(name) != len(name) || cap(data) != len(data) {
			t.Errorf("%s: got capacities %d, %d, want them clipped", row.name, cap(name), cap(data))
		}
	}
}

func TestCommandTruncated(t *testing.T) {
	body := []byte("\x09SUBSCRIBEtopic")
	for k := range len(body) + 1 {
		name, data, err := zmtp.ParseCommand(body[:k])
		if k < 10 {
			checkError(t, err, ringwire.ErrProtocol)
		} else if string(name) != "SUBSCRIBE" || string(data) != "topic"[:k-10] || err != nil {
			t.Errorf("%d bytes: got %q, %q, %v", k, name, data, err)
		}
	}
}

func TestCommandMalformed(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "command of 0 bytes, want a name"},
		{"no name", "\x00READY", "command name of 0 bytes, want 1 to 255"},
		{"name runs over", "\x06READY", "command name of 6 bytes, want at most the 5 that follow"},
		{"name runs over by far", "\xFF", "command name of 255 bytes, want at most the 0 that follow"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := zmtp.ParseCommand([]byte(row.body))
			checkError(t, err, ringwire.ErrProtocol, row.want)
		})
	}
}

func TestAppendCommandPanics(t *testing.T) {
	checkPanic(t, "0 bytes, want 1 to 255", func() { zmtp.AppendCommand(nil, "", nil) })
	checkPanic(t, "256 bytes, want 1 to 255", func() { zmtp.AppendCommand(nil, strings.Repeat("N", 256), nil) })
}

// FuzzCommand gives the body of a command to the parser of every command.
func FuzzCommand(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x05READY\x0BSocket-Type\x00\x00\x00\x03SUB", "\x05ERROR\x03400", "\x05ERROR\xFF400", "\x05ERROR\x01\n", "\x04PING\x00\x0Actx",
		"\x04PING\x00", "\x04PING", "\x04PONG0123456789abcdef", "\x09SUBSCRIBEtopic", "\x06CANCEL", "\xFFx",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		name, data, err := zmtp.ParseCommand(body)
		if err != nil {
			checkError(t, err, ringwire.ErrProtocol)
			return
		}
		if again := commandBody(t, zmtp.AppendCommand(nil, string(name), data)); !bytes.Equal(again, body) {
			t.Fatalf("got %q, want %q", again, body)
		}
		var again []byte
		switch string(name) {
		case zmtp.CommandPing:
			ttl, context, err := zmtp.ParsePing(data)
			if valid := len(data) >= 2 && len(data) <= 18; valid != (err == nil) {
				t.Fatalf("PING %q: got %v", data, err)
			}
			if err != nil {
				return
			}
			again = zmtp.AppendPing(nil, ttl, context)
		case zmtp.CommandPong:
			context, err := zmtp.ParsePong(data)
			if valid := len(data) <= 16; valid != (err == nil) {
				t.Fatalf("PONG %q: got %v", data, err)
			}
			if err != nil {
				return
			}
			again = zmtp.AppendPong(nil, context)
		case zmtp.CommandSubscribe, zmtp.CommandCancel:
			again = zmtp.AppendSubscription(nil, data, string(name) == zmtp.CommandSubscribe, true)
		case zmtp.CommandError:
			checkErrorCommand(t, data)
			return
		default:
			return
		}
		if again = commandBody(t, again); !bytes.Equal(again, body) {
			t.Fatalf("got %q, want %q", again, body)
		}
	})
}
