package socket_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/tcp"
)

// hostileTCP is tcp whose listeners fail as often as they are told to.
type hostileTCP struct {
	tcp.Transport
	failures *atomic.Int64
	err      error
}

func (h hostileTCP) Listen(ctx context.Context, address string, opts *transport.Options) (transport.Listener, error) {
	l, err := h.Transport.Listen(ctx, address, opts)
	return hostileListener{l, h}, err
}

type hostileListener struct {
	transport.Listener
	h hostileTCP
}

func (l hostileListener) Accept() (net.Conn, error) {
	if l.h.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.h.err)}
	}
	l.h.failures.Store(0)
	return l.Listener.Accept()
}

// A listener that cannot accept says so once, goes on trying, keeps its peers,
// and accepts again as soon as it can.
func TestSEC18AcceptErrors(t *testing.T) {
	const burst = 5
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS} {
		t.Run(errno.Error(), func(t *testing.T) {
			h := hostileTCP{failures: new(atomic.Int64), err: errno}
			a := hostileNew(t, pattern.Pull, &socket.Options{Transports: []transport.Transport{h}})
			for round := range int64(2) {
				h.failures.Store(burst)
				c := a.raid("tcp") // whoever comes now is the last for a while
				late := hostileSocket(t, pattern.Push, nil)
				defer late.Close()
				if err := late.Connect("tcp://" + a.at["tcp"]); err != nil {
					t.Fatal(err)
				}
				hostileUntil(t, "all failures", func() bool {
					a.beat()
					return a.victim.Stats().AcceptErrors == burst*(round+1)
				})
				ctx, cancel := context.WithTimeout(t.Context(), hostileGuard)
				defer cancel()
				if err := late.WaitPeers(ctx, 1); err != nil {
					t.Fatalf("a newcomer after the failures: %v", err)
				}
				told := a.events.find(func(e *socket.Event) bool { return e.Kind == socket.AcceptFailed })
				if int64(len(told)) != round+1 {
					t.Fatalf("events about accepting: got %v, want %d", told, round+1)
				}
				if ev := told[round]; !errors.Is(ev.Err, errno) || ev.Endpoint != "tcp://"+a.at["tcp"] {
					t.Errorf("event: got %v at %s, want %v at tcp://%s", ev.Err, ev.Endpoint, errno, a.at["tcp"])
				}
				if err := late.Close(); err != nil {
					t.Error(err)
				}
				a.kept(c)
			}
		})
	}
}

// hostileDeaf is a transport whose listener never accepts anything.
type hostileDeaf struct {
	mu    sync.Mutex
	tries []time.Time
	shut  chan struct{}
}

func (*hostileDeaf) Scheme() string           { return "deaf" }
func (*hostileDeaf) Check(string, bool) error { return nil }
func (*hostileDeaf) Dial(context.Context, string, *transport.Options) (net.Conn, error) {
	return nil, errors.ErrUnsupported
}

func (d *hostileDeaf) Listen(context.Context, string, *transport.Options) (transport.Listener, error) {
	return d, nil
}

func (d *hostileDeaf) Accept() (net.Conn, error) {
	d.mu.Lock()
	d.tries = append(d.tries, time.Now())
	d.mu.Unlock()
	select {
	case <-d.shut:
		return nil, net.ErrClosed
	default:
		return nil, syscall.EMFILE
	}
}

func (d *hostileDeaf) Close() error     { close(d.shut); return nil }
func (d *hostileDeaf) Addr() net.Addr   { return &net.UnixAddr{Name: "deaf"} }
func (d *hostileDeaf) Endpoint() string { return "deaf" }

// The pauses between attempts to accept grow from 5 ms to a second, and Close
// does not wait for one.
func TestSEC18AcceptBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &hostileDeaf{shut: make(chan struct{})}
		s, err := socket.New(pattern.Pull, &socket.Options{Transports: []transport.Transport{d}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Bind("deaf://x"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second) // of the bubble's time
		synctest.Wait()
		var got []time.Duration
		for i, at := range d.tries[1:] {
			got = append(got, at.Sub(d.tries[i]))
		}
		want := []time.Duration{5e6, 10e6, 20e6, 40e6, 80e6, 160e6, 320e6, 640e6, 1e9, 1e9}
		if !slices.Equal(got, want) {
			t.Errorf("pauses between attempts: got %v, want %v", got, want)
		}
		before := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(before); took != 0 {
			t.Errorf("Close took %v of the bubble's time, want none", took)
		}
	})
}
