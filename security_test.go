package ringwire_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tlstcp"
)

// The functions of docs/security.md.

func makeKey(path, name string) error {
	key, err := curve.NewSecretKey()
	if err != nil {
		return err
	}
	c := curve.Certificate{Public: key.Public(), Secret: key, Metadata: map[string]string{"name": name}}
	return c.Write(path) // and path + "_secret"
}

func server(secretFile, clientsDirectory string) (*socket.Socket, error) {
	certificate, err := curve.ReadCertificate(secretFile)
	if err != nil {
		return nil, err
	}
	mechanism, err := curve.Server(certificate.Secret)
	if err != nil {
		return nil, err
	}
	clients, err := curve.OpenDirectory(clientsDirectory, slog.Default())
	if err != nil {
		return nil, err
	}
	return socket.New(pattern.Pull, &socket.Options{Mechanism: mechanism, Authenticator: clients.Allow})
}

func client(secretFile, serverFile string) (*socket.Socket, error) {
	own, err := curve.ReadCertificate(secretFile)
	if err != nil {
		return nil, err
	}
	server, err := curve.ReadCertificate(serverFile)
	if err != nil {
		return nil, err
	}
	mechanism, err := curve.Client(own.Secret, server.Public)
	if err != nil {
		return nil, err
	}
	return socket.New(pattern.Push, &socket.Options{Mechanism: mechanism})
}

func onlyFrom(network netip.Prefix, next socket.Authenticator) socket.Authenticator {
	return func(ctx context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
		at, err := netip.ParseAddrPort(c.Address)
		if err != nil || !network.Contains(at.Addr().Unmap()) {
			return ringwire.Verdict{}, nil // no
		}
		return next(ctx, c)
	}
}

func overTLS(certificate tls.Certificate, authority *x509.CertPool) (*socket.Options, error) {
	transports, err := tlstcp.New(&tls.Config{
		Certificates: []tls.Certificate{certificate},
		RootCAs:      authority, // of servers, to connect
		ClientCAs:    authority, // of clients, to bind
		ClientAuth:   tls.RequireAndVerifyClientCert,
	})
	if err != nil {
		return nil, err
	}
	return &socket.Options{Transports: []transport.Transport{transports}}, nil
}

// TestSecurityPageIsCompiled: the Go of docs/security.md is the Go above.
func TestSecurityPageIsCompiled(t *testing.T) {
	source := lines(readFile(t, "security_test.go"))
	snippets := strings.Split(readFile(t, "docs/security.md"), "```go\n")[1:]
	if len(snippets) != 5 {
		t.Errorf("got %d snippets, want 5", len(snippets))
	}
	for _, snippet := range snippets {
		snippet, _, _ = strings.Cut(snippet, "```")
		if !strings.Contains(source, lines(snippet)) {
			t.Errorf("security_test.go does not have\n%s", snippet)
		}
	}
}

// TestSecurityPageLimits: its defaults are those of the options.
func TestSecurityPageLimits(t *testing.T) {
	page := readFile(t, "docs/security.md")
	for option, value := range map[string]string{
		"HandshakeTimeout":         fmt.Sprintf("%.0f s", socket.DefaultHandshakeTimeout.Seconds()),
		"MaxHandshakes":            fmt.Sprint(socket.DefaultMaxHandshakes),
		"MaxConnectionsPerAddress": fmt.Sprint(socket.DefaultMaxConnectionsPerAddress),
		"MaxAcceptRate":            fmt.Sprint(socket.DefaultMaxAcceptRate),
		"MaxSubscriptions":         fmt.Sprintf("%d,000,000", socket.DefaultMaxSubscriptions/1_000_000),
		"MaxMessageSize":           fmt.Sprintf("%d MiB", socket.DefaultMaxMessageSize>>20),
		"MaxFrames":                fmt.Sprint(socket.DefaultMaxFrames),
	} {
		if row := fmt.Sprintf("\n| `%s` | %s", option, value); !strings.Contains(page, row) {
			t.Errorf("docs/security.md has no row that begins with %q", row)
		}
	}
}

// join connects two sockets and sends a message.
func join(t *testing.T, pull, push *socket.Socket, endpoint string) (principal string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at, err := pull.Bind(endpoint)
	if err == nil {
		err = errors.Join(push.Connect(at), push.Send(ctx, []byte("hello")))
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := pull.Recv(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.Bytes()); got != "hello" {
		t.Errorf("got %q, want hello", got)
	}
	return m.Peer().Principal()
}

// TestSecurityPageKeys does its steps.
func TestSecurityPageKeys(t *testing.T) {
	dir, clients := t.TempDir(), t.TempDir()
	if err := errors.Join(makeKey(filepath.Join(dir, "server"), "server"), makeKey(filepath.Join(clients, "ann"), "Ann")); err != nil {
		t.Fatal(err)
	}
	pull, err := server(filepath.Join(dir, "server_secret"), clients)
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
	push, err := client(filepath.Join(clients, "ann_secret"), filepath.Join(dir, "server"))
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	if got := join(t, pull, push, "tcp://127.0.0.1:*"); got != "Ann" {
		t.Errorf("the principal is %q, want Ann", got)
	}
}

// TestSecurityPageAuthenticator: its authenticator goes by the address.
func TestSecurityPageAuthenticator(t *testing.T) {
	yes := func(context.Context, ringwire.Credentials) (ringwire.Verdict, error) {
		return ringwire.Verdict{Allow: true}, nil
	}
	only := onlyFrom(netip.MustParsePrefix("127.0.0.0/8"), yes)
	for address, want := range map[string]bool{"127.0.0.1:5": true, "[::ffff:127.0.0.1]:5": true, "192.0.2.1:5": false, "": false} {
		if v, err := only(t.Context(), ringwire.Credentials{Address: address}); err != nil || v.Allow != want {
			t.Errorf("%q: %v, %v, want %v", address, v.Allow, err, want)
		}
	}
}

// TestSecurityPageTLS: its options work on both sides.
func TestSecurityPageTLS(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Ann"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	authority := x509.NewCertPool()
	authority.AddCert(parsed)
	o, err := overTLS(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, authority)
	if err != nil {
		t.Fatal(err)
	}
	pull, err := socket.New(pattern.Pull, o)
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
	push, err := socket.New(pattern.Push, o)
	if err != nil {
		t.Fatal(err)
	}
	defer push.Close()
	if got := join(t, pull, push, "tls+tcp://127.0.0.1:*"); got != "CN=Ann" {
		t.Errorf("the principal is %q, want CN=Ann", got)
	}
}
