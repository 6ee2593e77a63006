// The program that a test puts the snippets of the documents into: what they may use
// without saying where it comes from, and the loop that runs them.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"math/big"
	"net"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

type snippet struct {
	name string
	run  func() error // nil: it is compiled only
	echo bool         // answer what req asks
}

// What snippets may use. The sockets are new for each, and each is connected with the
// one beside it; sub has subscribed to everything.
var (
	ctx         context.Context
	push, pull  *socket.Socket
	pub, sub    *socket.Socket
	req, rep    *socket.Socket
	dealer      *socket.Socket // its identity is "worker-7"
	router      *socket.Socket
	xpub, xsub  *socket.Socket
	pair, other *socket.Socket
	a, b, c     = []byte("a"), []byte("b"), []byte("c")
	m           *ringwire.Message
	certificate tls.Certificate // of 127.0.0.1 and ann.example
	roots       *x509.CertPool  // which vouch for it
)

func main() {
	if err := certify(); err != nil {
		log.Fatal(err)
	}
	for _, s := range snippets {
		fmt.Println("===", s.name)
		if s.run == nil {
			continue
		}
		if err := run(s); err != nil {
			log.Fatalf("%s: %v", s.name, err)
		}
	}
}

func run(s snippet) error {
	var cancel context.CancelFunc
	ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m = ringwire.NewMessage([]byte("m"))
	var all []*socket.Socket
	connected := func(bound, connecting *pattern.Spec, opts *socket.Options) (left, right *socket.Socket) {
		left, right = must(socket.New(bound, nil)), must(socket.New(connecting, opts))
		all = append(all, left, right)
		check(right.Connect(must(left.Bind("tcp://127.0.0.1:*"))))
		check(left.WaitPeers(ctx, 1))
		check(right.WaitPeers(ctx, 1))
		return left, right
	}
	pull, push = connected(pattern.Pull, pattern.Push, nil)
	pub, sub = connected(pattern.Pub, pattern.Sub, nil)
	check(sub.Subscribe(""))
	check(pub.WaitSubscribers(ctx, "", 1))
	rep, req = connected(pattern.Rep, pattern.Req, nil)
	router, dealer = connected(pattern.Router, pattern.Dealer, &socket.Options{Identity: []byte("worker-7")})
	xpub, xsub = connected(pattern.XPub, pattern.XSub, nil)
	pair, other = connected(pattern.Pair, pattern.Pair, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !s.echo {
			return
		}
		for {
			request, err := rep.Recv(ctx)
			if err != nil || rep.SendMessage(ctx, request) != nil {
				return
			}
		}
	}()
	err := s.run()
	for _, one := range all {
		one.Close()
	}
	<-done
	return err
}

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// certify makes the certificate.
func certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"ann.example"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	roots = x509.NewCertPool()
	roots.AddCert(leaf)
	return nil
}
