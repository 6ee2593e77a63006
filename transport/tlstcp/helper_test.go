package tlstcp_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log"
	"math/big"
	"net"
	"net/url"
	"time"

	"github.com/ringwire/ringwire/transport/tlstcp"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  ed25519.PrivateKey
	pool *x509.CertPool
}

func newAuthority() *authority {
	a := &authority{pool: x509.NewCertPool()}
	template := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "test authority"}}
	_, a.key, a.cert = a.sign(template)
	a.pool.AddCert(a.cert)
	return a
}

// sign makes a certificate, signed by a, or by itself if a has none yet.
func (a *authority) sign(template *x509.Certificate) (der []byte, key ed25519.PrivateKey, cert *x509.Certificate) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	if der, err = x509.CreateCertificate(rand.Reader, template, parent, public, signer); err != nil {
		log.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		log.Fatal(err)
	}
	return der, key, cert
}

// certificate is for a server with these hosts, or a client with this subject.
func (a *authority) certificate(template x509.Certificate) tls.Certificate {
	der, key, _ := a.sign(&template)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) server() tls.Certificate {
	return a.certificate(x509.Certificate{
		Subject:  pkix.Name{CommonName: "server"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	})
}

func (a *authority) client(uri string) tls.Certificate {
	u, err := url.Parse(uri)
	if err != nil {
		log.Fatal(err)
	}
	return a.certificate(x509.Certificate{URIs: []*url.URL{u}, DNSNames: []string{"ignored"}})
}

func must(config *tls.Config) *tlstcp.Transport {
	t, err := tlstcp.New(config)
	if err != nil {
		log.Fatal(err)
	}
	return t
}
