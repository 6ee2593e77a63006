package sockettest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket/sockettest"
)

// TestPrices is the example as a test: on the clock of testing/synctest, over
// a link with latency, and with a check for leaks.
func TestPrices(t *testing.T) {
	sockettest.CheckLeaks(t)
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork(1)
		network.SetLink("client", "server", sockettest.Link{Latency: 20 * time.Millisecond})
		server, client := on(network, "server", pattern.Rep), on(network, "client", pattern.Req)
		defer server.Close()
		defer client.Close()
		endpoint, err := server.Bind("mem://server:5555")
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Connect(endpoint); err != nil {
			t.Fatal(err)
		}
		if err := client.WaitPeers(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		go serve(server)

		prices := prices{client: client, known: "unknown"}
		get := func(wantPrice string, wantFresh bool, wantTook time.Duration) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			price, fresh := prices.get(ctx)
			if took := time.Since(start); price != wantPrice || fresh != wantFresh || took != wantTook {
				t.Errorf("got %s, fresh %v, after %v; want %s, %v, %v", price, fresh, took, wantPrice, wantFresh, wantTook)
			}
		}
		get("42", true, 40*time.Millisecond)
		network.Partition("client", "server")
		get("42", false, time.Second)
		network.Heal("client", "server")
		time.Sleep(time.Minute)
		get("42", true, 40*time.Millisecond)
	})
}
