package main

import (
	"context"
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/socket/typed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDemo: each call ends as it should, and the server hears of the one whose time is
// over before it stops.
func TestDemo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := demo(ctx, log.New(&out, "", 0)); err != nil {
		t.Fatal(err)
	}
	const heard = "server: nobody waits for the moon any more\n"
	const want = `4 x apple: 100 cents
2 x pear: 60 cents
1 x melon: 250 cents
3 x kiwi: refused with code sold-out: no kiwi left
1 x unicorn: refused with code panic: the handler panicked
1 x moon: not in time
`
	if got := strings.Replace(out.String(), heard, "", 1); got != want || got == out.String() {
		t.Errorf("got\n%swant\n%sand before, between or after\n%s", out.String(), want, heard)
	}
}

// TestCallsDoNotMix: of a thousand calls at once, each gets the answer to its own.
func TestCallsDoNotMix(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	serving, stop := context.WithCancel(ctx)
	bound := make(chan string, 1)
	served := make(chan error, 1)
	go func() { served <- serve(serving, "tcp://127.0.0.1:*", log.New(io.Discard, "", 0), bound) }()
	client, err := typed.NewClient[Order, Receipt](nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Connect(<-bound); err != nil {
		t.Fatal(err)
	}
	const calls = 1000
	wrong := make(chan string, calls)
	for i := range calls {
		go func() {
			r, err := client.Call(ctx, Order{Item: "apple", Pieces: i})
			if err != nil || r.Cents != 25*i {
				wrong <- describe(r, err)
				return
			}
			wrong <- ""
		}()
	}
	for range calls {
		if w := <-wrong; w != "" {
			t.Error("a call got", w)
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Error("the server:", err)
	}
}
