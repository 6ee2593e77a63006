package main

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/observe"
)

// size is that of a message: large enough for a peer that does not read to be seen soon.
const size = 4 << 10

// listen makes a publisher that has room for few messages.
func listen(endpoint string) (pub *socket.Socket, at string, err error) {
	if pub, err = socket.New(pattern.Pub, &socket.Options{SendHWM: 50, SendBuffer: 16 << 10}); err != nil {
		return nil, "", err
	}
	if at, err = pub.Bind(endpoint); err != nil {
		return nil, "", errors.Join(err, pub.Close())
	}
	return pub, at, nil
}

// subscribe makes a subscriber that tells the publisher its name, and has room for few
// messages, too.
func subscribe(endpoint, name string) (*socket.Socket, error) {
	sub, err := socket.New(pattern.Sub, &socket.Options{
		RecvHWM:    50,
		RecvBuffer: 16 << 10,
		Metadata:   map[string]string{"X-Name": name},
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(sub.Subscribe("news"), sub.Connect(endpoint)); err != nil {
		return nil, errors.Join(err, sub.Close())
	}
	return sub, nil
}

// handler shows a socket under a name, in both ways, until remove is called.
func handler(name string, s *socket.Socket) (h http.Handler, remove func()) {
	var registry observe.Registry
	forget, unpublish := registry.Add(name, s), observe.Publish(name, s)
	mux := http.NewServeMux()
	mux.Handle("/debug/ringwire", &registry)
	mux.Handle("/debug/vars", expvar.Handler())
	return mux, func() { forget(); unpublish() }
}

// serve shows a socket at an address, until stop is called.
func serve(address, name string, s *socket.Socket) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	h, remove := handler(name, s)
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(listener) // until it is closed
	}()
	return fmt.Sprintf("http://%s", listener.Addr()), func() {
		server.Close()
		<-served
		remove()
	}, nil
}

// view is the part of the answers that this program looks at. Package observe
// documents all of it.
type view struct {
	Type  string
	Peers []struct {
		Name string
		Send struct {
			Accepted, Written, Queued int64
			Dropped                   struct{ Total int64 }
		}
	}
}

// fetch asks for the sockets behind a URL, whichever of the two it is.
func fetch(ctx context.Context, url string) (map[string]view, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true // one request: keep no connection
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, response.Status)
	}
	var answer struct {
		Sockets  map[string]view // of the handler
		Ringwire map[string]view // of expvar
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	if answer.Sockets != nil {
		return answer.Sockets, nil
	}
	return answer.Ringwire, nil
}
