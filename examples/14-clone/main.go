// Clone: a table of keys and values that is the same at everybody.
//
// The problem: publish-subscribe gives a late subscriber nothing of what was published
// before, and a disconnected one nothing of what was published meanwhile. The pattern
// (ZeroMQ RFC 12): a server puts all updates into one order and numbers them. A replica
// subscribes, then asks for a snapshot, then applies the updates that are newer than
// the snapshot. It may want a subtree only, such as "/weather/".
//
// Frames, with numbers of 8 bytes, most significant first, and "" for an empty frame:
//
//	replica DEALER to server ROUTER
//	  ICANHAZ   "ICANHAZ?" subtree
//	  KVSYNC    key sequence "" "" value               one for each key
//	  KTHXBAI   "KTHXBAI" sequence "" "" subtree       the snapshot is complete
//	server XPUB to replica SUB
//	  KVPUB     key sequence id properties value       no value: the key is deleted
//	  HUGZ      "HUGZ" 0 "" properties ""              a sign of life
//	replica PUB to server SUB
//	  KVSET     key 0 id properties value
//
// A key begins with "/". id has 16 random bytes: who sets a value learns that it is in
// force when the update with that id comes back. properties are lines "name=value";
// "ttl" is how many seconds the key shall exist.
//
// When must a replica ask for a snapshot? As soon as its subscription is in force, or
// updates could fall into the gap between the two. RFC 12 leaves that open; here the
// server answers each subscription with a HUGZ that has the property "subscribed". It
// comes again after each reconnection, and then the replica asks again. A replica that
// is too slow is disconnected instead of missing an update: with both rules, a replica
// is late, or it agrees with the server.
//
// Without arguments, one program has a server and three replicas. Notice that they
// agree after one of them was cut off, and after the server was started again.
//
//	go run ./examples/14-clone
//	go run ./examples/14-clone -role server -log updates
//	go run ./examples/14-clone -role replica -subtree /weather/
//	go run ./examples/14-clone -role replica -set /weather/oslo=snow -ttl 60
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

// Config is what servers and replicas are told.
type Config struct {
	Heartbeat time.Duration // between signs of life, and between looks for keys whose time is over
	Timeout   time.Duration // how long a replica waits for a snapshot or an update before it asks again
	Socket    socket.Options
}

// Endpoints are where a server is.
type Endpoints struct{ Snapshots, Updates, Collector string }

func main() {
	role := flag.String("role", "", "server or replica; empty: all of them, in a story")
	host := flag.String("host", "127.0.0.1", "where the server is: ports 5514 to 5516")
	dir := flag.String("log", "clone", "directory in which the server keeps its updates")
	subtree := flag.String("subtree", "", `what the replica wants, such as "/weather/"; empty: everything`)
	set := flag.String("set", "", "a key and a value to set, such as /weather/oslo=snow")
	ttl := flag.Int("ttl", 0, "for how many seconds that holds; 0: for ever")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "14-clone: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	config := Config{Heartbeat: time.Second, Timeout: 5 * time.Second}
	at := Endpoints{"tcp://" + *host + ":5514", "tcp://" + *host + ":5515", "tcp://" + *host + ":5516"}
	var err error
	switch *role {
	case "":
		err = runInTemp(ctx, os.Stdout)
	case "server":
		err = runServer(ctx, at, *dir, config)
	case "replica":
		err = follow(ctx, at, *subtree, *set, *ttl, config)
	default:
		err = fmt.Errorf("role %q: want server or replica", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "14-clone:", err)
		os.Exit(1)
	}
}

// follow sets a value, if there is one to set, or prints the table whenever it changes.
func follow(ctx context.Context, at Endpoints, subtree, set string, ttl int, config Config) error {
	r, err := newReplica(at, subtree, config)
	if err != nil {
		return err
	}
	defer r.Close()
	if set != "" {
		key, value, _ := strings.Cut(set, "=")
		return r.set(ctx, key, value, ttl)
	}
	var last string
	return r.wait(ctx, func(values map[string]string) bool {
		if now := show(values); now != last {
			last = now
			fmt.Println(now)
		}
		return false
	})
}

func show(values map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(&b, " %s=%s", key, values[key])
	}
	return strings.TrimSpace(b.String())
}

func runInTemp(ctx context.Context, w io.Writer) error {
	dir, err := os.MkdirTemp("", "clone")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return run(ctx, 20*time.Millisecond, dir, w)
}

// run is the story, with the given interval between signs of life.
func run(ctx context.Context, interval time.Duration, dir string, w io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	out := log.New(w, "", 0)
	network := sockettest.NewNetwork(1)
	at := func(host string) Config {
		return Config{
			Heartbeat: interval,
			Timeout:   10 * interval,
			Socket:    socket.Options{Transports: []transport.Transport{network.Host(host)}, NoLinger: true},
		}
	}
	endpoints := Endpoints{"mem://server:1", "mem://server:2", "mem://server:3"}
	server := func() (kill func()) {
		ctx, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		wg.Go(func() {
			defer close(ended)
			if err := runServer(ctx, endpoints, dir, at("server")); ctx.Err() == nil {
				out.Print(err)
			}
		})
		return func() { cancel(); <-ended }
	}
	kill := server()

	replicas := make(map[string]*replica)
	join := func(host, subtree string) error {
		r, err := newReplica(endpoints, subtree, at(host))
		replicas[host] = r
		return err
	}
	defer func() {
		for _, r := range replicas {
			r.Close()
		}
	}()
	// agree waits until every replica has what it should have of a table, and shows it.
	agree := func(table map[string]string) error {
		for _, host := range slices.Sorted(maps.Keys(replicas)) {
			r := replicas[host]
			want := maps.Clone(table)
			maps.DeleteFunc(want, func(key, _ string) bool { return !strings.HasPrefix(key, r.subtree) })
			if err := r.wait(ctx, func(values map[string]string) bool { return maps.Equal(values, want) }); err != nil {
				return fmt.Errorf("replica %s: %w", host, err)
			}
			out.Printf("  replica %s: %s", host, show(want))
		}
		return nil
	}

	if err := errors.Join(join("A", ""), join("B", "/weather/")); err != nil {
		return err
	}
	table := map[string]string{"/weather/oslo": "snow", "/weather/rome": "sun", "/traffic/oslo": "jam"}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if err := replicas["A"].set(ctx, key, table[key], 0); err != nil {
			return err
		}
	}
	out.Print("A has set three values")
	if err := agree(table); err != nil {
		return err
	}

	if err := replicas["B"].set(ctx, "/weather/alarm", "storm", 1); err != nil {
		return err
	}
	out.Print("B has set one that holds for a second; it is over")
	if err := agree(table); err != nil {
		return err
	}

	network.Refuse("server", true)
	network.Cut("B", "server")
	table["/weather/oslo"] = "rain"
	if err := replicas["A"].set(ctx, "/weather/oslo", "rain", 0); err != nil {
		return err
	}
	out.Print("B was cut off while A has set a value; C has come late")
	network.Refuse("server", false)
	if err := join("C", "/traffic/"); err != nil {
		return err
	}
	if err := agree(table); err != nil {
		return err
	}

	kill()
	server()
	delete(table, "/traffic/oslo")
	if err := replicas["C"].set(ctx, "/traffic/oslo", "", 0); err != nil {
		return err
	}
	out.Print("the server was started again, and C has deleted a key")
	return agree(table)
}
