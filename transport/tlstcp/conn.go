package tlstcp

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/ringwire/ringwire/transport"
)

// Conn is one connection. Its first Read or Write does the TLS handshake, under the
// deadlines that are set.
type Conn struct{ *tls.Conn }

var _ transport.Authenticated = (*Conn)(nil)

// PeerCertificate returns the verified certificate of the peer as DER, and who it
// says the peer is: its first URI, else its first DNS name, else its first mail
// address, else its subject. Both are empty before the handshake, and for a client
// that was not asked.
func (c *Conn) PeerCertificate() (der []byte, name string) {
	chains := c.ConnectionState().VerifiedChains
	if len(chains) == 0 {
		return nil, ""
	}
	leaf := chains[0][0]
	return leaf.Raw, subject(leaf)
}

func subject(c *x509.Certificate) string {
	switch {
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.EmailAddresses) > 0:
		return c.EmailAddresses[0]
	}
	return c.Subject.String()
}
