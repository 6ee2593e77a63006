package observe_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/observe"
)

// A program that has a debug server mounts a registry there.
func ExampleRegistry() {
	var registry observe.Registry
	orders, err := socket.New(pattern.Pull, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer orders.Close()
	registry.Add("orders", orders)
	if _, err := orders.Bind("inproc://observed-orders"); err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux() // or http.DefaultServeMux
	mux.Handle("/debug/ringwire", &registry)
	server := httptest.NewServer(mux) // a program has http.ListenAndServe("localhost:6060", mux)
	defer server.Close()

	answer, err := server.Client().Get(server.URL + "/debug/ringwire?socket=orders")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		Sockets map[string]struct {
			Type  string
			Stats struct{ Peers int }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.StatusCode, got.Sockets["orders"].Type, got.Sockets["orders"].Stats.Peers)
	// Output: 200 PULL 0
}

func ExamplePublish() {
	s, err := socket.New(pattern.Push, nil)
	if err != nil {
		log.Fatal(err)
	}
	remove := observe.Publish("example", s)
	all := expvar.Get("ringwire").(*expvar.Map)
	fmt.Println(all.Get("example") != nil)
	s.Close()
	remove() // Close does it, too, a moment later
	fmt.Println(all.Get("example") != nil)
	// Output:
	// true
	// false
}

func ExampleVar() {
	s, err := socket.New(pattern.Pair, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	var got struct{ Type string }
	if err := json.Unmarshal([]byte(observe.Var(s).String()), &got); err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Type)
	// Output: PAIR
}
