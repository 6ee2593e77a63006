package tlstcp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tlstcp"
	"github.com/ringwire/ringwire/transport/transporttest"
)

// eager does the TLS handshake in Dial and Accept, where a socket does it in its own
// handshake: what the kit checks holds for connections that are made.
type eager struct{ *tlstcp.Transport }

func (e eager) Dial(ctx context.Context, address string, opts *transport.Options) (net.Conn, error) {
	conn, err := e.Transport.Dial(ctx, address, opts)
	if err != nil {
		return nil, err
	}
	return conn, conn.(*tlstcp.Conn).HandshakeContext(ctx)
}

func (e eager) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	l, err := e.Transport.Listen(ctx, address, opts)
	return eagerListener{l}, err
}

type eagerListener struct{ transport.Listener }

func (l eagerListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return conn, conn.(*tlstcp.Conn).Handshake()
}

func TestConformance(t *testing.T) {
	a := newAuthority()
	both := must(&tls.Config{Certificates: []tls.Certificate{a.server()}, RootCAs: a.pool, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert})
	transporttest.Run(t, eager{both}, func(*testing.T) string { return "127.0.0.1:0" })
}

// exchange connects by both transports, sends one byte each way, and returns what
// each side met; the accepted connection is handed to look in between.
func exchange(t *testing.T, server, client *tlstcp.Transport, host string, look func(*tlstcp.Conn)) (atServer, atClient error) {
	t.Helper()
	l, err := server.Listen(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Endpoint())
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err = io.ReadFull(conn, make([]byte, 1)); err == nil {
			if look != nil {
				look(conn.(*tlstcp.Conn))
			}
			_, err = conn.Write([]byte{2})
		}
		done <- err
	}()
	conn, err := client.Dial(t.Context(), host+":"+port, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(time.Minute))
	_, atClient = conn.Write([]byte{1})
	if atClient == nil {
		_, atClient = io.ReadFull(conn, make([]byte, 1))
	}
	conn.Close()
	return <-done, atClient
}

// TestServerIsVerified: by the host of the endpoint, by the authorities that the
// client trusts, and in TLS 1.3 only.
func TestServerIsVerified(t *testing.T) {
	a, other := newAuthority(), newAuthority()
	server := must(&tls.Config{Certificates: []tls.Certificate{a.server()}})
	client := must(&tls.Config{RootCAs: a.pool})
	for _, host := range []string{"127.0.0.1", "localhost", "127.0.0.1:0;127.0.0.1"} {
		if atServer, atClient := exchange(t, server, client, host, nil); atServer != nil || atClient != nil {
			t.Errorf("host %s: at the server %v, at the client %v", host, atServer, atClient)
		}
	}
	_, atClient := exchange(t, server, must(&tls.Config{RootCAs: other.pool}), "127.0.0.1", nil)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](atClient); !ok {
		t.Errorf("a server that nobody vouches for: %v", atClient)
	}
	elsewhere := must(&tls.Config{Certificates: []tls.Certificate{a.certificate(x509.Certificate{DNSNames: []string{"elsewhere.example"}})}})
	_, atClient = exchange(t, elsewhere, client, "localhost", nil)
	if _, ok := errors.AsType[x509.HostnameError](atClient); !ok {
		t.Errorf("a server of another name: %v", atClient)
	}
}

// TestOldTLSIsRefused: a peer that can do no more than TLS 1.2 is not served.
func TestOldTLSIsRefused(t *testing.T) {
	a := newAuthority()
	server := must(&tls.Config{Certificates: []tls.Certificate{a.server()}, MinVersion: tls.VersionTLS10})
	l, err := server.Listen(t.Context(), "127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
		}
		done <- err
	}()
	conn, err := tls.Dial("tcp", l.Endpoint(), &tls.Config{RootCAs: a.pool, MaxVersion: tls.VersionTLS12})
	if err == nil {
		conn.Close()
		t.Error("a client of TLS 1.2 was served")
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("at the server: %v, want an error about the version", err)
	}
}

// TestClientIsVerified: who the certificate of a client says that it is, and a client
// without one where one is wanted.
func TestClientIsVerified(t *testing.T) {
	a, other := newAuthority(), newAuthority()
	server := must(&tls.Config{Certificates: []tls.Certificate{a.server()}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert})
	for want, certificate := range map[string]tls.Certificate{
		"spiffe://example/worker": a.client("spiffe://example/worker"),
		"worker.example":          a.certificate(x509.Certificate{DNSNames: []string{"worker.example"}, EmailAddresses: []string{"x@example"}}),
		"x@example":               a.certificate(x509.Certificate{EmailAddresses: []string{"x@example"}}),
		"CN=worker,O=example":     a.certificate(x509.Certificate{Subject: pkix.Name{CommonName: "worker", Organization: []string{"example"}}}),
	} {
		client := must(&tls.Config{RootCAs: a.pool, Certificates: []tls.Certificate{certificate}})
		var name string
		var der []byte
		atServer, atClient := exchange(t, server, client, "localhost", func(c *tlstcp.Conn) { der, name = c.PeerCertificate() })
		if atServer != nil || atClient != nil || name != want || string(der) != string(certificate.Certificate[0]) {
			t.Errorf("got name %q, %d bytes, %v, %v; want %q", name, len(der), atServer, atClient, want)
		}
	}
	for name, certificates := range map[string][]tls.Certificate{"none": nil, "foreign": {other.client("spiffe://example/worker")}} {
		client := must(&tls.Config{RootCAs: a.pool, Certificates: certificates})
		if atServer, atClient := exchange(t, server, client, "localhost", nil); atServer == nil || atClient == nil {
			t.Errorf("certificate %s: at the server %v, at the client %v, want errors", name, atServer, atClient)
		}
	}
	open := must(&tls.Config{Certificates: []tls.Certificate{a.server()}})
	client := must(&tls.Config{RootCAs: a.pool, Certificates: []tls.Certificate{a.client("spiffe://example/worker")}})
	atServer, atClient := exchange(t, open, client, "localhost", func(c *tlstcp.Conn) {
		if der, name := c.PeerCertificate(); der != nil || name != "" {
			t.Errorf("a client that was not asked has the name %q", name)
		}
	})
	if atServer != nil || atClient != nil {
		t.Error(atServer, atClient)
	}
}

// TestConfigIsRefused: what would weaken the transport is an error that names it.
func TestConfigIsRefused(t *testing.T) {
	a := newAuthority()
	for want, config := range map[string]*tls.Config{
		"ServerName":         {ServerName: "example"},
		"MaxVersion":         {MaxVersion: tls.VersionTLS12},
		"InsecureSkipVerify": {InsecureSkipVerify: true},
		"ClientAuth":         {ClientCAs: a.pool},
	} {
		if _, err := tlstcp.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that names %s", err, want)
		}
	}
	client, err := tlstcp.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Listen(t.Context(), "127.0.0.1:0", nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("listening without a certificate: %v", err)
	}
	if err := client.Check("nowhere", false); err == nil || !strings.Contains(err.Error(), "tls+tcp://nowhere") {
		t.Errorf("a wrong endpoint: %v, want an error that names it", err)
	}
}
