// Package tlstcp moves bytes over TLS 1.3 in TCP, in the endpoint grammar of
// transport/tcp with the scheme tls+tcp:
//
//	bind    tls+tcp://IFACE:PORT
//	connect tls+tcp://[SRC;]HOST:PORT
//
// The name that the server's certificate must be valid for is the HOST of the
// endpoint, a hostname or an address, and nothing else. A server that asks for
// client certificates knows its peers by them, see [Conn.PeerCertificate].
//
// The TLS handshake is the first part of what HandshakeTimeout of a socket bounds:
// neither Dial nor Accept does it, so a peer that says nothing keeps nobody out.
//
// The package refuses older versions of TLS, certificates that are not verified,
// and a server without a certificate. Start reading at [New].
package tlstcp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
)

// Scheme is what stands before "://" in an endpoint of this transport.
const Scheme = "tls+tcp"

// Transport is TLS over TCP. It is immutable, and goes into Options.Transports of
// a socket. Connections are of type [*Conn].
type Transport struct {
	tcp    tcp.Transport
	config *tls.Config // with VersionTLS13 as minimum; never handed out
}

var _ transport.Stream = (*Transport)(nil)

// New returns a transport with a copy of config; nil is the zero config, which can
// connect to servers whose certificate the system's roots vouch for.
//
// To bind, Certificates or GetCertificate must be there; to ask clients for a
// certificate, ClientCAs and ClientAuth. Refused are a ServerName (it comes from the
// endpoint), a MaxVersion below TLS 1.3, InsecureSkipVerify without VerifyConnection,
// and ClientCAs that ClientAuth makes no use of.
func New(config *tls.Config) (*Transport, error) {
	if config == nil {
		config = new(tls.Config)
	}
	c := config.Clone()
	switch {
	case c.ServerName != "":
		return nil, fmt.Errorf("tlstcp: ServerName is %q, want it empty: it is the host of the endpoint", c.ServerName)
	case c.MaxVersion != 0 && c.MaxVersion < tls.VersionTLS13:
		return nil, fmt.Errorf("tlstcp: MaxVersion is %s, want 0 or at least TLS 1.3", tls.VersionName(c.MaxVersion))
	case c.InsecureSkipVerify && c.VerifyConnection == nil:
		return nil, errors.New("tlstcp: InsecureSkipVerify without VerifyConnection would accept any server, want RootCAs that vouch for it")
	case c.ClientCAs != nil && c.ClientAuth < tls.VerifyClientCertIfGiven:
		return nil, fmt.Errorf("tlstcp: ClientCAs is set and ClientAuth is %v, which does not use it; want RequireAndVerifyClientCert or VerifyClientCertIfGiven", c.ClientAuth)
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS13)
	return &Transport{config: c}, nil
}

// Scheme is "tls+tcp".
func (*Transport) Scheme() string { return Scheme }

// Encrypts implements transport.Encrypter.
func (*Transport) Encrypts() bool { return true }

// Check looks at the syntax of an address and does no I/O. The error is a
// [*transport.EndpointError].
func (t *Transport) Check(address string, bind bool) error { return t.ours(t.tcp.Check(address, bind)) }

// Dial makes one attempt to connect by TCP. The server is verified by the first Read
// or Write.
func (t *Transport) Dial(ctx context.Context, address string, opts *transport.Options) (net.Conn, error) {
	conn, err := t.tcp.Dial(ctx, address, opts)
	if err != nil {
		return nil, t.ours(err)
	}
	config := t.config.Clone()
	config.ServerName = host(address)
	return &Conn{tls.Client(conn, config)}, nil
}

// Listen binds and listens. The client is verified by the first Read or Write of its
// connection.
func (t *Transport) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	if err := t.Check(address, true); err != nil {
		return nil, err
	}
	if c := t.config; len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
		return nil, fmt.Errorf("listen %s://%s: no certificate, want Certificates or GetCertificate in the tls.Config", Scheme, address)
	}
	l, err := t.tcp.Listen(ctx, address, opts)
	if err != nil {
		return nil, err
	}
	return &listener{l, t.config}, nil
}

// ours has an error about an endpoint name it with our scheme.
func (*Transport) ours(err error) error {
	wrong, ok := errors.AsType[*transport.EndpointError](err)
	if !ok {
		return err
	}
	own := *wrong
	if _, address, found := strings.Cut(wrong.Endpoint, "://"); found {
		own.Endpoint = Scheme + "://" + address
	}
	return &own
}

// host is the name or the address in a connect address, which tcp has accepted.
func host(address string) string {
	if _, after, sourced := strings.Cut(address, ";"); sourced {
		address = after
	}
	name, _, _ := net.SplitHostPort(address)
	name, _, _ = strings.Cut(name, "%") // a zone is no part of a certificate
	return name
}

type listener struct {
	transport.Listener
	config *tls.Config
}

// Accept returns a *Conn.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &Conn{tls.Server(conn, l.config)}, nil
}
