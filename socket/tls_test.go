package socket_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tlstcp"
)

// tlsCertificate is valid for loopback, or names a client; it is its own authority.
func tlsCertificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, pool
}

// tlsPair is the options of a server that asks for certificates, and of its client.
func tlsPair(t *testing.T) (server, client socket.Options) {
	t.Helper()
	serverCert, serverPool := tlsCertificate(t, "server.example")
	clientCert, clientPool := tlsCertificate(t, "client.example")
	for _, side := range []struct {
		opts   *socket.Options
		config *tls.Config
	}{
		{&server, &tls.Config{Certificates: []tls.Certificate{serverCert}, ClientCAs: clientPool, ClientAuth: tls.RequireAndVerifyClientCert}},
		{&client, &tls.Config{Certificates: []tls.Certificate{clientCert}, RootCAs: serverPool}},
	} {
		overTLS(t, side.opts, side.config)
	}
	return server, client
}

// overTLS gives a socket the transport.
func overTLS(t *testing.T, opts *socket.Options, config *tls.Config) {
	t.Helper()
	tr, err := tlstcp.New(config)
	if err != nil {
		t.Fatal(err)
	}
	opts.Transports = []transport.Transport{tr}
}

// TestTLS: messages of all sizes go both ways over tls+tcp; each side knows the other
// by its certificate, and has receipts and heartbeats as over tcp.
func TestTLS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	so, co := tlsPair(t)
	so.RequireSecure, co.RequireSecure = true, true
	co.HeartbeatInterval, co.HeartbeatTimeout = 10*time.Millisecond, time.Minute
	seen := make(chan ringwire.Credentials, 1)
	so.Authenticator = func(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		seen <- c
		return ringwire.Verdict{Allow: true, Principal: "principal of " + c.Subject}, nil
	}
	server, client := tokenOpen(t, pattern.Router, so), tokenOpen(t, pattern.Dealer, co)
	tokenConnect(t, client, tokenBind(t, server, "tls+tcp://127.0.0.1:0"))
	for _, size := range []int{0, 1, 255, 256, 1 << 14, 1 << 16, 5 << 20} {
		body := make([]byte, size)
		rand.Read(body)
		if err := client.Send(ctx, body, []byte("end")); err != nil {
			t.Fatal(err)
		}
		m, err := server.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Peer().Principal(); got != "principal of client.example" {
			t.Errorf("the message comes from principal %q", got)
		}
		if err := server.SendMessage(ctx, m); err != nil {
			t.Fatal(err)
		}
		if m, err = client.Recv(ctx); err != nil {
			t.Fatal(err)
		}
		if m.Len() != 2 || string(m.Frame(0)) != string(body) || string(m.Frame(1)) != "end" {
			t.Errorf("%d bytes came back as %d frames, the first of %d bytes", size, m.Len(), len(m.Frame(0)))
		}
	}
	if err := client.Confirm(ctx); err != nil {
		t.Error(err)
	}
	if c := <-seen; c.Subject != "client.example" || c.Mechanism != "NULL" || len(c.Certificate) == 0 || c.Address == "" {
		t.Errorf("the authenticator was shown %+v", c)
	}
	if p := client.Peers()[0]; p.Principal != "server.example" {
		t.Errorf("the client knows the server as %q", p.Principal)
	}
	tokenUntil(t, "a heartbeat was answered", func() bool { return client.Peers()[0].RoundTrip > 0 })
}

// TestTLSStream: a stream of messages over tls+tcp arrives whole and in order, and
// what was accepted before Close arrives, too.
func TestTLSStream(t *testing.T) {
	so, co := tlsPair(t)
	pull, push := tokenOpen(t, pattern.Pull, so), tokenOpen(t, pattern.Push, co)
	tokenConnect(t, push, tokenBind(t, pull, "tls+tcp://127.0.0.1:0"))
	const n = 20_000
	go func() {
		for i := range n {
			if push.Send(t.Context(), fmt.Append(nil, i), make([]byte, i%2000)) != nil {
				break
			}
		}
		push.Shutdown(t.Context())
	}()
	ctx, cancel := context.WithTimeout(t.Context(), confGuard)
	defer cancel()
	var m ringwire.Message
	for i := range n {
		if err := pull.RecvInto(ctx, &m); err != nil {
			t.Fatalf("message %d: %v; %+v", i, err, pull.Stats().Counters)
		}
		if string(m.Frame(0)) != fmt.Sprint(i) || len(m.Frame(1)) != i%2000 {
			t.Fatalf("got message %s with %d bytes, want %d", m.Frame(0), len(m.Frame(1)), i)
		}
	}
}

// TestTLSRefuses: whoever does not prove who it is, or does not speak TLS, becomes no
// peer; each refusal is an event with its reason.
func TestTLSRefuses(t *testing.T) {
	so, co := tlsPair(t)
	so.HandshakeTimeout = 200 * time.Millisecond
	_, stranger := tlsPair(t)
	nobody := socket.Options{}
	for name, test := range map[string]struct {
		dial func(at string)
		why  string
	}{
		"the client does not trust the server": {func(at string) { tokenConnect(t, tokenOpen(t, pattern.Push, stranger), at) }, "certificate"},
		"the client speaks no TLS": {func(at string) {
			tokenConnect(t, tokenOpen(t, pattern.Push, nobody), strings.TrimPrefix(at, "tls+"))
		}, "TLS"},
		"the client says nothing": {func(at string) { confDial(t, strings.TrimPrefix(at, "tls+")) }, "in time"},
	} {
		t.Run(name, func(t *testing.T) {
			pull := tokenOpen(t, pattern.Pull, so)
			next := confNew(t, "tcp").Events(pull)
			at := tokenBind(t, pull, "tls+tcp://127.0.0.1:0")
			test.dial(at)
			if ev := next(socket.HandshakeFailed); ev.Err == nil || !strings.Contains(ev.Err.Error(), test.why) {
				t.Errorf("the event says %v, want something about %s", ev.Err, test.why)
			}
			// And nobody is kept out by it.
			push := tokenOpen(t, pattern.Push, co)
			tokenConnect(t, push, at)
			ctx, cancel := context.WithTimeout(t.Context(), confGuard)
			defer cancel()
			if err := push.Send(ctx, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if _, err := pull.Recv(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestTLSMustBeBrought: an endpoint of tls+tcp without the transport says where it is
// to be had.
func TestTLSMustBeBrought(t *testing.T) {
	s := tokenOpen(t, pattern.Pull, socket.Options{})
	if _, err := s.Bind("tls+tcp://127.0.0.1:0"); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "tlstcp") {
		t.Errorf("got %v, want ErrUnsupported and a word about package tlstcp", err)
	}
}

// TestTLSRequireSecure: tls+tcp is secure enough for RequireSecure, and tcp is not.
func TestTLSRequireSecure(t *testing.T) {
	so, _ := tlsPair(t)
	so.RequireSecure = true
	s := tokenOpen(t, pattern.Pull, so)
	if _, err := s.Bind("tls+tcp://*:0"); err != nil {
		t.Errorf("with TLS: %v", err)
	}
	if _, err := s.Bind("tcp://*:0"); err == nil {
		t.Error("tcp without encryption was bound beyond this machine")
	}
}
