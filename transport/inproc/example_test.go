package inproc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

// A Network of one's own is a namespace that nobody else sees: good for tests,
// which can then run in parallel with the same names.
func ExampleNetwork() {
	opts := &socket.Options{Transports: []transport.Transport{new(inproc.Network)}}
	pull, err := socket.New(pattern.Pull, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer pull.Close()
	pull.Bind("inproc://results")

	stranger, _ := socket.New(pattern.Pull, nil) // in the namespace of the process
	defer stranger.Close()
	_, err = stranger.Bind("inproc://results")
	fmt.Println("the same name elsewhere:", err)

	push, _ := socket.New(pattern.Push, opts)
	defer push.Close()
	push.Connect("inproc://results")
	push.Send(context.Background(), []byte("42"))
	m, _ := pull.Recv(context.Background())
	fmt.Println(m)
	// Output:
	// the same name elsewhere: <nil>
	// ["42"]
}
