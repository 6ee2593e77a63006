package observe_test

import (
	"encoding/json"
	"expvar"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/observe"
)

// A program that has a debug server mounts a registry:
//
//	http.Handle("/debug/ringwire", &registry)
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

	answer := httptest.NewRecorder()
	registry.ServeHTTP(answer, httptest.NewRequest("GET", "/debug/ringwire", nil))
	var got struct {
		Sockets map[string]struct {
			Type  string
			Stats struct{ Peers int }
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Code, got.Sockets["orders"].Type, got.Sockets["orders"].Stats.Peers)
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
