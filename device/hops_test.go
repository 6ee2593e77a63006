package device_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

var hopMessages = flag.Int("device.messages", 20_000, "`messages` that TestForwarderHops publishes in all; the long run is 1000000")

// tallyOf is what one subscriber got of each source, which must be the next one
// each time.
type tallyOf struct {
	next                                  []int
	messages, missing, doubled, backwards int
	seen                                  []map[int]bool // only of what came before its time
	bad                                   error
}

// enter notes a message.
func (y *tallyOf) enter(m *ringwire.Message) {
	source, number, err := parse(m, 0)
	if err == nil && source >= len(y.next) {
		err = fmt.Errorf("source %d does not exist", source)
	}
	if err != nil {
		y.bad = err
		return
	}
	y.messages++
	switch want := y.next[source]; {
	case number == want:
		y.next[source]++
	case number > want:
		for n := want; n < number; n++ {
			y.seen[source][n] = false
		}
		y.missing += number - want
		y.next[source] = number + 1
	default:
		if came, skipped := y.seen[source][number]; skipped && !came {
			y.seen[source][number] = true
			y.missing--
			y.backwards++
		} else {
			y.doubled++
		}
	}
}

// collectAll receives until there are so many messages, or something is wrong for
// ever.
func (y *tallyOf) collectAll(ctx context.Context, s *socket.Socket, want int) error {
	batch := make([]*ringwire.Message, 64)
	for y.messages < want && y.bad == nil {
		n, err := s.RecvBatch(ctx, batch)
		if err != nil {
			return err
		}
		for _, m := range batch[:n] {
			y.enter(m)
			m.Release()
		}
		clear(batch[:n])
	}
	return nil
}

// TestForwarderHops: four publishers, three forwarders in a row, four subscribers,
// high-water marks of 1000, nothing dropped by publishers and forwarders: each
// subscriber has every message, those of each publisher in order.
func TestForwarderHops(t *testing.T) {
	const publishers, subscribers, hops, hwm = 4, 4, 3, 1000
	each := *hopMessages / publishers
	for _, scheme := range schemes {
		t.Run(scheme, func(t *testing.T) {
			// Ten times the slowest that was seen, with the race detector.
			ctx, cancel := context.WithTimeout(t.Context(), limit+time.Duration(*hopMessages)*2*time.Millisecond)
			defer cancel()
			bounded := func() *socket.Options {
				return &socket.Options{SendHWM: hwm, RecvHWM: hwm, XPubNoDrop: true}
			}
			var chain []*stage
			for i := range hops {
				chain = append(chain, start(t, device.NewForwarder, scheme, &socket.Options{SendHWM: hwm, RecvHWM: hwm}, bounded(), nil))
				if i > 0 {
					connect(t, chain[i].Front(), chain[i-1].back)
				}
			}
			first, last := chain[0], chain[hops-1]
			var all sync.WaitGroup
			got := make([]*tallyOf, subscribers)
			for i := range got {
				y := &tallyOf{next: make([]int, publishers)}
				for range publishers {
					y.seen = append(y.seen, make(map[int]bool))
				}
				got[i] = y
				sub := subscribe(t, connected(t, pattern.Sub, &socket.Options{RecvHWM: hwm}, last.back), "")
				all.Go(func() {
					if err := y.collectAll(ctx, sub, publishers*each); err != nil {
						t.Errorf("subscriber %d: %v", i, err)
					}
				})
			}
			subscribed(t, last.Back(), "x", subscribers)
			var pubs []*socket.Socket
			for range publishers {
				pub := connected(t, pattern.Pub, bounded(), first.front)
				subscribed(t, pub, "x", 1)
				pubs = append(pubs, pub)
			}
			for i, pub := range pubs {
				all.Go(func() {
					if n, err := flood(ctx, pub, i, 0, each); err != nil {
						t.Errorf("publisher %d after %d messages: %v", i, n, err)
					}
				})
			}
			all.Wait()
			for i, y := range got {
				t.Logf("subscriber %d: %d messages, %d missing, %d twice, %d out of order", i, y.messages, y.missing, y.doubled, y.backwards)
				if y.bad != nil {
					t.Errorf("subscriber %d: %v", i, y.bad)
				}
				for source, next := range y.next {
					if next != each {
						t.Errorf("subscriber %d: got %d messages of publisher %d, want %d", i, next, source, each)
					}
				}
				if y.messages != publishers*each || y.missing+y.doubled+y.backwards != 0 {
					t.Errorf("subscriber %d: got %d messages, %d missing, %d twice, %d out of order, want %d and none", i, y.messages, y.missing, y.doubled, y.backwards, publishers*each)
				}
			}
			for i, hop := range chain {
				if err := hop.Close(); err != nil {
					t.Errorf("close hop %d: %v", i, err)
				}
				balanced(t, hop.Device)
				if n := hop.Stats().Forward.Sent.Messages; n != int64(publishers*each) {
					t.Errorf("hop %d has sent %d messages, want %d", i, n, publishers*each)
				}
				if d := hop.Back().Stats().SendDropped; d.Total() != 0 {
					t.Errorf("hop %d has dropped %+v, want nothing", i, d)
				}
			}
		})
	}
}
