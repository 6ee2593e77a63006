package socket_test

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/socket/plain"
)

// secrets are what must be nowhere: each in the forms in which it could be printed.
type secrets []string

func (s *secrets) add(text string, raw []byte) {
	*s = append(*s, text, fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), strings.Trim(fmt.Sprint(raw), "[]"), fmt.Sprintf("%q", raw))
}

func (s secrets) check(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range s {
		if strings.Contains(text, secret) {
			t.Errorf("%s has a secret: %s", what, text)
		}
	}
}

// lockedBuffer is a log that many write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestSEC17Everywhere: no secret key and no password is in what options, keys, sockets,
// events, statistics, errors, logs and panics say, in any form, while connections of
// PLAIN and CURVE come up and others are refused.
func TestSEC17Everywhere(t *testing.T) {
	var hidden secrets
	newKey := func() *curve.SecretKey {
		key := curveKey(t)
		raw, err := curve.DecodeZ85(key.Text())
		if err != nil {
			t.Fatal(err)
		}
		hidden.add(key.Text(), raw)
		return key
	}
	serverKey, clientKey, stranger := newKey(), newKey(), newKey()
	passwords := []string{"correct horse battery staple", "wrong horse battery staple"}
	for _, p := range passwords {
		hidden.add(p, []byte(p))
	}
	certificate := &curve.Certificate{Public: clientKey.Public(), Secret: clientKey, Metadata: map[string]string{"name": "x"}}

	var log lockedBuffer
	loggers := []*slog.Logger{
		slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	curveServer, err := curve.Server(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	plainClients := make([]ringwire.Mechanism, len(passwords))
	for i, p := range passwords {
		if plainClients[i], err = plain.Client("alice", p); err != nil {
			t.Fatal(err)
		}
	}
	plainAuth := func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		if c.Password != passwords[0] {
			panic(fmt.Sprintf("%v %+v is not alice", c, c))
		}
		return ringwire.Verdict{Allow: true, Principal: c.Username}, nil
	}
	for i, pair := range []struct{ server, good, bad *socket.Options }{
		{&socket.Options{Mechanism: curveServer, Authenticator: curve.AllowKeys(clientKey.Public())}, curveClientOf(t, clientKey, serverKey.Public()), curveClientOf(t, stranger, serverKey.Public())},
		{&socket.Options{Mechanism: plain.Server(), Authenticator: plainAuth}, &socket.Options{Mechanism: plainClients[0]}, &socket.Options{Mechanism: plainClients[1]}},
	} {
		for _, o := range []*socket.Options{pair.server, pair.good, pair.bad} {
			o.Logger = loggers[i]
			o.ReconnectMin = -1
		}
		server := hostileSocket(t, pattern.Pull, pair.server)
		defer server.Close()
		good, bad := hostileSocket(t, pattern.Push, pair.good), hostileSocket(t, pattern.Push, pair.bad)
		defer good.Close()
		defer bad.Close()
		events := []*hostileEvents{hostileWatch(server), hostileWatch(good), hostileWatch(bad)}
		at := "tcp://" + hostileBind(t, server, "tcp://127.0.0.1:0")
		for _, s := range []*socket.Socket{good, bad} {
			if err := s.Connect(at); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
		defer cancel()
		if err := good.Send(ctx, []byte("x")); err != nil {
			t.Fatal(err)
		}
		m, err := server.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		ended := func(e *socket.Event) bool { return hostileEnds(e.Kind) }
		events[0].wait(t, "the refusal", ended)
		events[2].wait(t, "the refusal", ended)
		said := []any{
			pair.server, pair.good, pair.bad, *pair.server, *pair.good, pair.server.Mechanism, pair.good.Mechanism, server, good, m, m.Peer(),
			server.Peers(), server.Stats(), good.Peers(), good.Stats(), serverKey, certificate, *certificate, serverKey.Public(),
			map[string]*curve.SecretKey{"k": serverKey}, []*curve.SecretKey{clientKey}, struct{ K *curve.SecretKey }{clientKey}, *clientKey,
		}
		for _, e := range events {
			for _, ev := range e.find(func(*socket.Event) bool { return true }) {
				said = append(said, ev, &ev, ev.Err)
			}
		}
		for _, v := range said {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				hidden.check(t, fmt.Sprintf("%s of %T", verb, v), fmt.Sprintf(verb, v))
			}
			if m, ok := v.(encoding.TextMarshaler); ok {
				text, err := m.MarshalText()
				hidden.check(t, fmt.Sprintf("the text of %T", v), string(text)+fmt.Sprint(err))
			}
			text, err := json.Marshal(v)
			hidden.check(t, fmt.Sprintf("the JSON of %T", v), string(text)+fmt.Sprint(err))
			for _, l := range loggers {
				l.Debug("said", "value", v)
			}
		}
	}
	hidden.check(t, "the log", log.String())
	if !strings.Contains(log.String(), "redacted") {
		t.Error("the log has no secret because it has nothing of them at all")
	}
}
