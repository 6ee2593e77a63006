package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestPageStalled: subscribers that stop reading are on the page under what they
// are called: their identity, else their X-Name, else their address. When they read
// again, what the page says was dropped for each is what that one misses, by the
// numbers of the messages. (TestPage and TestStalledSubscriber have how soon it
// shows.)
func TestPageStalled(t *testing.T) {
	const messages = 1500
	b := &browser{t, newBrowser(t)}
	p := start(t, "--send-hwm", "100", "--send-buffer", "16KiB")
	b.do(chromedp.Navigate(p.admin))
	b.until(`document.getElementById("state").textContent === "running"`)

	pub := newSocket(t, pattern.Pub, &socket.Options{OnFull: socket.FullBlock}, p.frontend)
	reader := newSocket(t, pattern.Sub, named("reader"), p.backend)
	// What each of them is called, and its next message.
	late := make(map[string]func() ([]byte, error))
	receive := func(s *socket.Socket) func() ([]byte, error) {
		return func() ([]byte, error) {
			m, err := s.Recv(patience(t))
			if err != nil {
				return nil, err
			}
			return m.Bytes(), nil
		}
	}
	late[`"archive"`] = startWireSubscriber(t, p.backend, "Socket-Type", "SUB", "Identity", "archive", "X-Name", "not this").message
	late[`"risk"`] = receive(newSocket(t, pattern.Sub, &socket.Options{RecvHWM: 10, RecvBuffer: 128 << 10, Metadata: map[string]string{"X-Name": "risk"}}, p.backend))
	nameless := newSocket(t, pattern.Sub, &socket.Options{RecvHWM: 10, RecvBuffer: 128 << 10}, p.backend)
	if err := nameless.WaitPeers(patience(t), 1); err != nil {
		t.Fatal(err)
	}
	late[nameless.Peers()[0].Local] = receive(nameless)
	eventually(t, "all have subscribed", func() bool {
		n := 0
		for _, v := range p.peers() {
			n += v.Subscriptions
		}
		return n == 4
	})
	if err := pub.WaitSubscribers(patience(t), "", 1); err != nil {
		t.Fatal(err)
	}

	// The reader paces the publisher, so that only the others miss anything.
	body := make([]byte, 4096)
	for i := range messages {
		binary.BigEndian.PutUint64(body, uint64(i))
		if err := pub.Send(patience(t), body); err != nil {
			t.Fatal(err)
		}
		m, err := reader.Recv(patience(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := int(binary.BigEndian.Uint64(m.Bytes())); got != i {
			t.Fatalf("the reader got message %d, want %d", got, i)
		}
		m.Release()
	}
	b.until(`document.querySelectorAll("#backend tr.stalled").length === 3`)
	cell := func(name, column string) string {
		const text = `[...document.querySelectorAll("#backend tbody tr")].filter((tr) => tr.children[1].firstChild.textContent === %q).map((tr) => tr.querySelector('td[data-name="%s"] span').textContent.replaceAll(",", "")).join(" and ")`
		return valueOf[string](b, fmt.Sprintf(text, name, column))
	}
	for name := range late {
		if got := cell(name, "state"); got != "stalled" {
			t.Errorf("the page says that %s is %q, want stalled", name, got)
		}
	}

	// Now they read, up to a message that comes when nothing is queued any more.
	type result struct {
		missed int
		err    error
	}
	results := make(map[string]chan result)
	for name, next := range late {
		done := make(chan result, 1)
		results[name] = done
		go func() {
			missed, err := missing(next, messages)
			done <- result{missed, err}
		}()
	}
	eventually(t, "the queues are empty", func() bool { return p.stats().Backend.Send.Queued == 0 })
	binary.BigEndian.PutUint64(body, messages)
	send(t, pub, string(body))
	for name, done := range results {
		r := <-done
		if r.err != nil || r.missed == 0 {
			t.Fatalf("%s has missed %d messages, %v, want some, as it was stalled", name, r.missed, r.err)
		}
		want := strconv.Itoa(r.missed)
		eventually(t, name+" misses "+want, func() bool { return cell(name, "dropped") == want })
	}
	if got := cell(`"reader"`, "dropped"); got != "0" {
		t.Errorf("the page says that %s messages were dropped for the reader, want 0", got)
	}
}

// missing reads numbered messages up to the last one, and returns how many of those
// before it did not come.
func missing(next func() ([]byte, error), last int) (int, error) {
	got := make(map[int]bool)
	for {
		b, err := next()
		if err != nil {
			return 0, err
		}
		number := int(binary.BigEndian.Uint64(b))
		if number == last {
			return last - len(got), nil
		}
		if number > last || got[number] {
			return 0, fmt.Errorf("message %d came twice, or was never sent", number)
		}
		got[number] = true
	}
}
