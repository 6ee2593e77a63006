// Secure sends a message that nobody in between can read, to a server that knows who
// sent it.
//
//	go run ./examples/secure
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
)

func main() {
	serverKey, clientKey := must(curve.NewSecretKey()), must(curve.NewSecretKey())
	admit := curve.AllowKeys(clientKey.Public()) // and nobody else
	pull := must(socket.New(pattern.Pull, &socket.Options{Mechanism: must(curve.Server(serverKey)), Authenticator: admit}))
	defer pull.Close()
	toServer := must(curve.Client(clientKey, serverKey.Public())) // and to no other
	push := must(socket.New(pattern.Push, &socket.Options{Mechanism: toServer}))
	defer push.Close()
	if err := push.Connect(must(pull.Bind("tcp://127.0.0.1:*"))); err != nil {
		log.Fatal(err)
	} else if err := push.Send(context.Background(), []byte("a secret")); err != nil {
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
