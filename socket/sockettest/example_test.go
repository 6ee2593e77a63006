package sockettest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// prices is the code under test: it asks a server, and says what it knew last
// when the server cannot be reached in time.
type prices struct {
	client *socket.Socket
	known  string
}

func (p *prices) get(ctx context.Context) (price string, fresh bool) {
	reply, err := p.client.Do(ctx, []byte("price"))
	if err != nil {
		return p.known, false
	}
	defer reply.Release()
	p.known = string(reply.Bytes())
	return p.known, true
}

// serve answers each request with the price.
func serve(server *socket.Socket) {
	ctx := context.Background()
	for {
		request, err := server.Recv(ctx)
		if err != nil {
			return // it was closed
		}
		request.Release()
		if err := server.Send(ctx, []byte("42")); err != nil {
			return
		}
	}
}

// on makes a socket of a host of the network: this is all that is different
// in a test.
func on(network *sockettest.Network, host string, spec *pattern.Spec) *socket.Socket {
	s, err := socket.New(spec, &socket.Options{Transports: []transport.Transport{network.Host(host)}})
	if err != nil {
		log.Fatal(err)
	}
	return s
}

// Code that asks a server is tested with a partition between the two. In a
// test, testing/synctest makes all waiting exact, and take no time.
func Example() {
	network := sockettest.NewNetwork(1)
	server, client := on(network, "server", pattern.Rep), on(network, "client", pattern.Req)
	defer server.Close()
	defer client.Close()
	endpoint, err := server.Bind("mem://server:5555")
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	go serve(server)

	prices := prices{client: client, known: "unknown"}
	get := func(patience time.Duration) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		price, fresh := prices.get(ctx)
		fmt.Println(price, fresh)
	}
	get(10 * time.Second)

	network.Partition("client", "server")
	get(10 * time.Millisecond)

	network.Heal("client", "server")
	get(10 * time.Second)
	// Output:
	// 42 true
	// 42 false
	// 42 true
}
