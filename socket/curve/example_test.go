package curve_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

// A server lets one client in, whose public key it knows; the client knows the
// server's.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	serverKey, err := curve.NewSecretKey()
	check(err)
	clientKey, err := curve.NewSecretKey()
	check(err)

	mechanism, err := curve.Server(serverKey)
	check(err)
	server, err := socket.New(pattern.Rep, &socket.Options{Mechanism: mechanism, Authenticator: curve.AllowKeys(clientKey.Public())})
	check(err)
	defer server.Close()
	endpoint, err := server.Bind("tcp://127.0.0.1:*")
	check(err)
	go func() {
		for m, err := range server.Messages(ctx) {
			if err != nil {
				return
			}
			server.Send(ctx, fmt.Appendf(nil, "hello, %v", m.Peer().Principal() == clientKey.Public().String()))
			m.Release()
		}
	}()

	mechanism, err = curve.Client(clientKey, serverKey.Public())
	check(err)
	client, err := socket.New(pattern.Req, &socket.Options{Mechanism: mechanism})
	check(err)
	defer client.Close()
	check(client.Connect(endpoint))
	reply, err := client.Do(ctx, []byte("who am I?"))
	check(err)
	fmt.Printf("%s\n", reply.Bytes())
	// Output: hello, true
}

// A key pair on disk, as czmq and pyzmq keep it.
func ExampleCertificate_Write() {
	dir, err := os.MkdirTemp("", "curve")
	check(err)
	defer os.RemoveAll(dir)
	key, err := curve.NewSecretKey()
	check(err)
	certificate := &curve.Certificate{Public: key.Public(), Secret: key, Metadata: map[string]string{"name": "broker"}}
	check(certificate.Write(filepath.Join(dir, "broker")))

	read, err := curve.ReadCertificate(filepath.Join(dir, "broker_secret"))
	check(err)
	fmt.Println(read.Metadata["name"], read.Public == key.Public())
	// Output: broker true
}

// Clients are let in whose certificates lie in a directory, which may change.
func ExampleOpenDirectory() {
	dir, err := os.MkdirTemp("", "clients")
	check(err)
	defer os.RemoveAll(dir)
	clients, err := curve.OpenDirectory(dir, nil)
	check(err)
	key, err := curve.NewSecretKey()
	check(err)
	mechanism, err := curve.Server(key)
	check(err)
	server, err := socket.New(pattern.Pull, &socket.Options{Mechanism: mechanism, Authenticator: clients.Allow})
	check(err)
	fmt.Println(server.Close())
	// Output: <nil>
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
