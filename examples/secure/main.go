// Secure sends a message that nobody between the two sockets can read, from a client
// that the server knows. Run it with: go run ./examples/secure
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

func main() {
	serverKey, clientKey := must(curve.NewSecretKey()), must(curve.NewSecretKey())
	pull := must(socket.New(pattern.Pull, &socket.Options{
		Mechanism:     must(curve.Server(serverKey)),
		Authenticator: curve.AllowKeys(clientKey.Public()), // nobody else
	}))
	defer pull.Close()
	toServer := must(curve.Client(clientKey, serverKey.Public())) // to no other
	push := must(socket.New(pattern.Push, &socket.Options{Mechanism: toServer}))
	defer push.Close()
	endpoint := must(pull.Bind("tcp://127.0.0.1:*"))
	if err := errors.Join(push.Connect(endpoint), push.Send(context.Background(), []byte("a secret"))); err != nil {
		log.Fatal(err)
	}
	m := must(pull.Recv(context.Background()))
	fmt.Printf("%s, from the client: %t\n", m.Bytes(), m.Peer().Principal() == clientKey.Public().String())
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
