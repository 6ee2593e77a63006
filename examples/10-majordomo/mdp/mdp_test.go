package mdp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/examples/10-majordomo/mdp"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const endpoint = "inproc://broker"

// withBroker runs test in a bubble, with a broker.
func withBroker(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- mdp.RunBroker(ctx, endpoint, mdp.Config{}) }()
		defer func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the broker ended with %v, want context.Canceled", err)
			}
		}()
		test(t)
	})
}

// peer is a DEALER that says what a test wants.
type peer struct {
	t      *testing.T
	socket *socket.Socket
}

func newPeer(t *testing.T) peer {
	s, err := socket.New(pattern.Dealer, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	return peer{t, s}
}

func (p peer) send(frames ...string) {
	p.t.Helper()
	var list [][]byte
	for _, frame := range frames {
		list = append(list, []byte(frame))
	}
	if err := p.socket.Send(p.t.Context(), list...); err != nil {
		p.t.Fatal(err)
	}
}

// recv returns the next message that is no heartbeat.
func (p peer) recv() []string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	for {
		m, err := p.socket.Recv(ctx)
		if err != nil {
			p.t.Fatal(err)
		}
		var list []string
		for i := range m.Len() {
			list = append(list, string(m.Frame(i)))
		}
		if fmt.Sprintf("%q", list) != `["" "MDPW01" "\x04"]` {
			return list
		}
	}
}

func (p peer) want(frames ...string) {
	p.t.Helper()
	if got := p.recv(); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", frames) {
		p.t.Errorf("got %q, want %q", got, frames)
	}
}

// TestRFC7Frames: each command of the broker, byte by byte.
func TestRFC7Frames(t *testing.T) {
	withBroker(t, func(t *testing.T) {
		worker, client := newPeer(t), newPeer(t)
		worker.send("", "MDPW01", "\x01", "echo")
		client.send("", "MDPC01", "echo", "a", "", "b")
		got := worker.recv()
		if len(got) != 8 {
			t.Fatalf("got %q, want 8 frames", got)
		}
		from := got[3]
		if want := []string{"", "MDPW01", "\x02", from, "", "a", "", "b"}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %q, want %q", got, want)
		}
		worker.send("", "MDPW01", "\x03", from, "", "c", "d")
		client.want("", "MDPC01", "echo", "c", "d")
	})
}

// TestRFC7Unexpected: what is valid and does not belong there is answered DISCONNECT,
// what is malformed not at all.
func TestRFC7Unexpected(t *testing.T) {
	for name, frames := range map[string][]string{
		"HEARTBEAT before READY":        {"", "MDPW01", "\x04"},
		"REPLY before READY":            {"", "MDPW01", "\x03", "client", "", "body"},
		"READY for the broker's names":  {"", "MDPW01", "\x01", "mmi.service"},
		"READY without a service":       {"", "MDPW01", "\x01"},
		"a command that does not exist": {"", "MDPW01", "\x06"},
	} {
		t.Run(name, func(t *testing.T) {
			withBroker(t, func(t *testing.T) {
				worker := newPeer(t)
				worker.send("nonsense")
				worker.send("", "MDPW02", "\x01", "echo")
				worker.send(frames...)
				worker.want("", "MDPW01", "\x05")
			})
		})
	}
	t.Run("a second READY, a REPLY without a request", func(t *testing.T) {
		withBroker(t, func(t *testing.T) {
			for _, frames := range [][]string{{"", "MDPW01", "\x01", "echo"}, {"", "MDPW01", "\x03", "client", "", "body"}} {
				worker, client := newPeer(t), newPeer(t)
				worker.send("", "MDPW01", "\x01", "echo")
				worker.send(frames...)
				worker.want("", "MDPW01", "\x05")
				client.send("", "MDPC01", "mmi.service", "echo")
				client.want("", "MDPC01", "mmi.service", "404")
			}
		})
	})
}

// TestARequestOutlivesItsWorkers: whether one leaves or falls silent, its request goes
// to the next; a reply of the silent one comes too late.
func TestARequestOutlivesItsWorkers(t *testing.T) {
	withBroker(t, func(t *testing.T) {
		client, leaves, silent := newPeer(t), newPeer(t), newPeer(t)
		client.send("", "MDPC01", "echo", "a") // before there is any worker
		leaves.send("", "MDPW01", "\x01", "echo")
		from := leaves.recv()[3]
		leaves.send("", "MDPW01", "\x05")

		silent.send("", "MDPW01", "\x01", "echo")
		silent.want("", "MDPW01", "\x02", from, "", "a")
		time.Sleep(3*2500*time.Millisecond + 2500*time.Millisecond)
		silent.send("", "MDPW01", "\x03", from, "", "too late")
		silent.want("", "MDPW01", "\x05")

		answers := newPeer(t)
		answers.send("", "MDPW01", "\x01", "echo")
		answers.want("", "MDPW01", "\x02", from, "", "a")
		answers.send("", "MDPW01", "\x03", from, "", "at last")
		client.want("", "MDPC01", "echo", "at last")
	})
}

// TestARequestExpires: a service without a worker does not keep requests for ever.
func TestARequestExpires(t *testing.T) {
	withBroker(t, func(t *testing.T) {
		client, worker := newPeer(t), newPeer(t)
		client.send("", "MDPC01", "echo", "old")
		time.Sleep(time.Minute)
		client.send("", "MDPC01", "echo", "new")
		worker.send("", "MDPW01", "\x01", "echo")
		if got := worker.recv(); got[len(got)-1] != "new" {
			t.Errorf("got %q, want the new request", got)
		}
	})
}

// TestALongRequestIsNoDeath: a worker that works for a minute gives signs of life.
func TestALongRequestIsNoDeath(t *testing.T) {
	withBroker(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		worked := 0
		ended := make(chan error)
		go func() {
			ended <- mdp.RunWorker(ctx, endpoint, "slow", func(_ context.Context, body [][]byte) [][]byte {
				worked++
				time.Sleep(time.Minute)
				return body
			}, mdp.Config{})
		}()
		client, err := mdp.NewClient(endpoint, mdp.Config{Timeout: 2 * time.Minute, Tries: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if got, err := client.Request(ctx, "slow", []byte("a")); err != nil || string(got[0]) != "a" {
			t.Errorf("got %q, %v, want a", got, err)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the worker ended with %v, want context.Canceled", err)
		}
		if worked != 1 {
			t.Errorf("the request was worked on %d times, want once", worked)
		}
	})
}

// TestNoReply: a client gives up with an error that says so.
func TestNoReply(t *testing.T) {
	withBroker(t, func(t *testing.T) {
		client, err := mdp.NewClient(endpoint, mdp.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if got, err := client.Request(t.Context(), "nobody", []byte("a")); !errors.Is(err, mdp.ErrNoReply) {
			t.Errorf("got %q, %v, want ErrNoReply", got, err)
		}
		got, err := client.Request(t.Context(), "mmi.unknown", []byte("a"))
		if err != nil || string(got[0]) != "501" {
			t.Errorf("mmi.unknown: got %q, %v, want 501", got, err)
		}
	})
}
