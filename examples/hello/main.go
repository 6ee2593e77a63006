// Hello sends one message from one socket to another over tcp.
//
//	go run ./examples/hello
package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	pull, err := socket.New(pattern.Pull, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer pull.Close()
	endpoint, err := pull.Bind("tcp://127.0.0.1:*") // a free port
	if err != nil {
		log.Fatal(err)
	}

	push, err := socket.New(pattern.Push, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer push.Close()
	if err := push.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	if err := push.Send(ctx, []byte("hello"), []byte("world")); err != nil {
		log.Fatal(err)
	}

	m, err := pull.Recv(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Len(), "frames:", m)
	m.Release()
}
