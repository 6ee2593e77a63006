package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestReplicasAgree: after one was cut off, one came late, and the server was started
// again.
func TestReplicasAgree(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var out bytes.Buffer
		if err := run(ctx, 20*time.Millisecond, dir, &out); err != nil {
			t.Fatalf("%v after:\n%s", err, out.String())
		}
		want := `A has set three values
  replica A: /traffic/oslo=jam /weather/oslo=snow /weather/rome=sun
  replica B: /weather/oslo=snow /weather/rome=sun
B has set one that holds for a second; it is over
  replica A: /traffic/oslo=jam /weather/oslo=snow /weather/rome=sun
  replica B: /weather/oslo=snow /weather/rome=sun
B was cut off while A has set a value; C has come late
  replica A: /traffic/oslo=jam /weather/oslo=rain /weather/rome=sun
  replica B: /weather/oslo=rain /weather/rome=sun
  replica C: /traffic/oslo=jam
the server was started again, and C has deleted a key
  replica A: /weather/oslo=rain /weather/rome=sun
  replica B: /weather/oslo=rain /weather/rome=sun
  replica C: 
`
		if out.String() != want {
			t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
		}
	})
}

// bed is a server on a network in memory, on the clock of a bubble.
type bed struct {
	*testing.T
	network *sockettest.Network
	dir     string
	options socket.Options
}

var endpoints = Endpoints{"mem://server:1", "mem://server:2", "mem://server:3"}

func (b *bed) at(host string) Config {
	options := b.options
	options.Transports = []transport.Transport{b.network.Host(host)}
	options.NoLinger = true
	return Config{Heartbeat: time.Second, Timeout: 5 * time.Second, Socket: options}
}

// server starts a server, which is killed at the end of the test if not before.
func (b *bed) server() (kill func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := runServer(ctx, endpoints, b.dir, b.at("server")); ctx.Err() == nil {
			b.Error(err)
		}
	})
	kill = func() { cancel(); wg.Wait() }
	b.Cleanup(kill)
	return kill
}

func (b *bed) replica(host, subtree string) *replica {
	b.Helper()
	r, err := newReplica(endpoints, subtree, b.at(host))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close() })
	return r
}

func inBed(t *testing.T, options socket.Options, test func(b *bed)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		test(&bed{t, sockettest.NewNetwork(1), dir, options})
	})
}

// TestNothingIsMissed: replicas that are cut off again and again, whose queues are too
// short, and that come in the middle, all end with what the order of updates says,
// while several set the same keys; and so does the server after a restart.
func TestNothingIsMissed(t *testing.T) {
	inBed(t, socket.Options{SendHWM: 3, RecvHWM: 3}, func(b *bed) {
		kill := b.server()
		replicas := []*replica{b.replica("A", ""), b.replica("B", "/"), b.replica("C", "/some/")}
		const setters, sets = 4, 25
		one, other := replicas[0], replicas[1]
		var wg sync.WaitGroup
		for s := range setters {
			wg.Go(func() {
				for i := range sets {
					value := fmt.Sprint(s, "-", i)
					if i%10 == 9 {
						value = "" // delete
					}
					if err := []*replica{one, other}[s%2].set(b.Context(), fmt.Sprint("/some/", i%3), value, 0); err != nil {
						b.Error(err)
					}
					if s == 0 && i%5 == 0 {
						b.network.Cut("server", "C")
						b.network.Cut("server", []string{"A", "B"}[i/5%2])
					}
				}
			})
		}
		replicas = append(replicas, b.replica("D", ""))
		wg.Wait()
		if err := one.set(b.Context(), "/some/end", "1", 0); err != nil {
			b.Fatal(err)
		}
		check := func() {
			b.Helper()
			var tables []map[string]string
			for _, r := range replicas {
				ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
				defer cancel()
				if err := r.wait(ctx, func(values map[string]string) bool {
					if values["/some/end"] == "" {
						return false
					}
					tables = append(tables, values)
					return true
				}); err != nil {
					b.Fatal(err)
				}
			}
			for _, table := range tables {
				if !maps.Equal(table, tables[0]) {
					b.Errorf("got tables %v, want them to be the same", tables)
				}
			}
		}
		check()
		kill()
		b.server()
		replicas = append(replicas, b.replica("E", ""))
		check()
	})
}

// TestTTL: a key is gone when its time is over, also when the server was not there
// then; and setting it again makes it stay.
func TestTTL(t *testing.T) {
	inBed(t, socket.Options{}, func(b *bed) {
		kill := b.server()
		r := b.replica("A", "")
		for _, key := range []string{"/short", "/again", "/long"} {
			if err := r.set(b.Context(), key, "1", map[string]int{"/short": 10, "/again": 10, "/long": 60}[key]); err != nil {
				b.Fatal(err)
			}
		}
		if err := r.set(b.Context(), "/again", "2", 0); err != nil {
			b.Fatal(err)
		}
		look := func(want string) {
			b.Helper()
			var got string
			if err := r.wait(b.Context(), func(values map[string]string) bool { got = show(values); return true }); err != nil || got != want {
				b.Errorf("got %s, %v, want %s", got, err, want)
			}
		}
		look("/again=2 /long=1 /short=1")
		time.Sleep(12 * time.Second)
		look("/again=2 /long=1")
		kill()
		time.Sleep(time.Minute)
		b.server()
		if err := r.set(b.Context(), "/back", "3", 0); err != nil {
			b.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		look("/again=2 /back=3")
	})
}

// TestRFC12Frames: what a server sends, byte by byte.
func TestRFC12Frames(t *testing.T) {
	inBed(t, socket.Options{}, func(b *bed) {
		b.server()
		open := func(spec *pattern.Spec, endpoint string) *socket.Socket {
			options := b.at("client").Socket
			s, err := socket.New(spec, &options)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { s.Close() })
			if err := s.Connect(endpoint); err != nil {
				b.Fatal(err)
			}
			return s
		}
		show := func(frames [][]byte) string {
			var list []string
			for _, frame := range frames {
				list = append(list, strings.Trim(fmt.Sprintf("%q", frame), `"`))
			}
			return strings.Join(list, "|")
		}
		want := func(s *socket.Socket, want string) {
			b.Helper()
			m, err := s.Recv(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if got := show(frames(m)); got != want {
				b.Errorf("got %s, want %s", got, want)
			}
		}
		send := func(s *socket.Socket, frames ...string) {
			b.Helper()
			var list [][]byte
			for _, frame := range frames {
				list = append(list, []byte(frame))
			}
			if err := s.Send(b.Context(), list...); err != nil {
				b.Fatal(err)
			}
		}
		const zero = "\x00\x00\x00\x00\x00\x00\x00\x00"
		const one = `\x00\x00\x00\x00\x00\x00\x00\x01`
		sub, pub, dealer := open(pattern.Sub, endpoints.Updates), open(pattern.Pub, endpoints.Collector), open(pattern.Dealer, endpoints.Snapshots)
		if err := sub.Subscribe("/a/"); err != nil {
			b.Fatal(err)
		}
		if err := sub.WaitPeers(b.Context(), 1); err != nil {
			b.Fatal(err)
		}
		if err := pub.WaitSubscribers(b.Context(), "/", 1); err != nil {
			b.Fatal(err)
		}
		synctest.Wait() // the subscription is in force
		id, err := hex.DecodeString("00112233445566778899aabbccddeeff")
		if err != nil {
			b.Fatal(err)
		}
		send(pub, "/a/key", "nonsense")
		send(pub, "/a/key", zero, string(id), "ttl=1\n", "value")
		want(sub, `/a/key|`+one+`|`+strings.Trim(fmt.Sprintf("%q", id), `"`)+`|ttl=1\n|value`)
		send(dealer, icanhaz, "/a/")
		want(dealer, `/a/key|`+one+`|||value`)
		want(dealer, `KTHXBAI|`+one+`|||/a/`)
		send(dealer, icanhaz, "/b/")
		want(dealer, `KTHXBAI|`+one+`|||/b/`)
		want(sub, `/a/key|\x00\x00\x00\x00\x00\x00\x00\x02|||`) // the time is over
		if err := sub.Subscribe("HUGZ"); err != nil {
			b.Fatal(err)
		}
		want(sub, `HUGZ|`+strings.ReplaceAll(one, "01", "00")+`||subscribed=HUGZ\n|`)
		want(sub, `HUGZ|`+strings.ReplaceAll(one, "01", "00")+`|||`)
	})
}

// TestASlowReplicaMissesNothing: one that could not be sent as many updates as fit its
// queue is disconnected, and asks for a snapshot when it is back.
func TestASlowReplicaMissesNothing(t *testing.T) {
	inBed(t, socket.Options{SendHWM: 3, RecvHWM: 3}, func(b *bed) {
		b.network.SetLink("server", "slow", sockettest.Link{Buffer: 100})
		b.server()
		fast, slow := b.replica("fast", ""), b.replica("slow", "")
		set := func(key, value string) {
			b.Helper()
			if err := fast.set(b.Context(), key, value, 0); err != nil {
				b.Fatal(err)
			}
		}
		has := func(key string) {
			b.Helper()
			ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
			defer cancel()
			if err := slow.wait(ctx, func(values map[string]string) bool { return values[key] != "" }); err != nil {
				b.Fatal(err)
			}
		}
		set("/first", "1")
		has("/first")
		b.network.Stall("server", "slow")
		for i := range 20 {
			set(fmt.Sprint("/", i), "1")
		}
		b.network.Resume("server", "slow")
		set("/last", "1")
		has("/last")
		slow.wait(b.Context(), func(values map[string]string) bool {
			if len(values) != 22 {
				b.Errorf("the slow replica has %d keys, want 22", len(values))
			}
			return true
		})
	})
}

// TestOlderUpdatesChangeNothing: those that came before the snapshot was asked for wait
// in the socket, and are part of it.
func TestOlderUpdatesChangeNothing(t *testing.T) {
	r := &replica{synced: true, sequence: 5, values: map[string]string{"/a": "5"}, changed: make(chan struct{})}
	for sequence, want := range []string{"5", "5", "5", "5", "5", "5", "6"} {
		r.apply(update{key: "/a", sequence: uint64(sequence), value: fmt.Sprint(sequence)})
		if got := r.values["/a"]; got != want {
			t.Errorf("after update %d: got %s, want %s", sequence, got, want)
		}
	}
}

// TestSetReturnsWithItsUpdate: also as the first thing that a replica does, when the
// update may be part of its snapshot; and not only after it was sent again.
func TestSetReturnsWithItsUpdate(t *testing.T) {
	inBed(t, socket.Options{}, func(b *bed) {
		b.server()
		for i := range 20 {
			r := b.replica(fmt.Sprint("host", i), "")
			start := time.Now()
			if err := r.set(b.Context(), fmt.Sprint("/", i), "1", 0); err != nil {
				b.Fatal(err)
			}
			if took := time.Since(start); took >= r.config.Timeout {
				b.Errorf("set took %v, want less than %v", took, r.config.Timeout)
			}
		}
	})
}
