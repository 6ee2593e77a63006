package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The alerts.
const (
	opens  = "open"
	closes = "close"
)

// shop takes orders between two alerts.
type shop struct {
	orders, alerts     *socket.Socket
	ordersAt, alertsAt string
}

func newShop(orders, alerts string) (s *shop, err error) {
	s = new(shop)
	if s.orders, err = socket.New(pattern.Pull, nil); err != nil {
		return nil, err
	}
	if s.alerts, err = socket.New(pattern.Sub, nil); err != nil {
		return nil, errors.Join(err, s.orders.Close())
	}
	if err = s.alerts.Subscribe(""); err == nil {
		s.ordersAt, err = s.orders.Bind(orders)
	}
	if err == nil {
		s.alertsAt, err = s.alerts.Bind(alerts)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *shop) close() error { return errors.Join(s.orders.Close(), s.alerts.Close()) }

// run takes orders from when the shop opens until it closes, or ctx is done, and says
// how many. It prints how many there are every so often.
func (s *shop) run(ctx context.Context, every time.Duration, out io.Writer) (taken int, err error) {
	// One socket: no channel is needed. Leaving the loop loses nothing.
	for alert, err := range s.alerts.Messages(ctx) {
		if err != nil {
			return 0, err
		}
		if string(alert.Bytes()) == opens {
			break
		}
	}

	// Two sockets and a ticker: select.
	receiving, stop := context.WithCancel(ctx)
	defer stop()
	orders, ordersFailed := channel(receiving, s.orders)
	alerts, alertsFailed := channel(receiving, s.alerts)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	var last string
	for orders != nil || alerts != nil { // until both are closed: see channel
		select {
		case order, ok := <-orders:
			if !ok {
				orders = nil // is never ready
				stop()       // the other one ends, too
				continue
			}
			taken++
			last = string(order.Bytes())
			order.Release()
		case alert, ok := <-alerts:
			if !ok {
				alerts = nil
				stop()
				continue
			}
			if string(alert.Bytes()) == closes {
				stop()
			}
			alert.Release()
		case <-ticks.C:
			fmt.Fprintf(out, "shop: %d orders, the last one is %q\n", taken, last)
		}
	}
	if err := errors.Join(ordersFailed(), alertsFailed(), ctx.Err()); err != nil {
		return taken, fmt.Errorf("after %d orders: %w", taken, err)
	}
	return taken, nil
}
