package session_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
)

// relFaulty is a memNet of which the at-th call of Dial, Accept or Close fails. What
// fails to close is closed all the same, as a descriptor is.
type relFaulty struct {
	*memNet
	at    int64
	tiny  bool // each Read brings one byte
	calls atomic.Int64
}

func (f *relFaulty) fails() bool { return f.calls.Add(1) == f.at }

func (f *relFaulty) Dial(ctx context.Context, address string, o *transport.Options) (net.Conn, error) {
	if f.fails() {
		return nil, errInjected
	}
	c, err := f.memNet.Dial(ctx, address, o)
	if err != nil {
		return nil, err
	}
	return relFaultyConn{c.(*memConn), f}, nil
}

func (f *relFaulty) Listen(ctx context.Context, address string, o *transport.Options) (transport.Listener, error) {
	l, err := f.memNet.Listen(ctx, address, o)
	if err != nil {
		return nil, err
	}
	return relFaultyListener{l, f}, nil
}

type relFaultyListener struct {
	transport.Listener
	f *relFaulty
}

func (l relFaultyListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.f.fails() {
		c.Close()
		return nil, errInjected
	}
	return relFaultyConn{c.(*memConn), l.f}, nil
}

func (l relFaultyListener) Close() error {
	err := l.Listener.Close()
	if l.f.fails() {
		return errInjected
	}
	return err
}

type relFaultyConn struct {
	*memConn
	f *relFaulty
}

func (c relFaultyConn) Read(p []byte) (int, error) {
	if c.f.tiny {
		p = p[:1]
	}
	return c.memConn.Read(p)
}

func (c relFaultyConn) Close() error {
	err := c.memConn.Close()
	if c.f.fails() {
		return errInjected
	}
	return err
}

// relPairs are the socket types that talk to each other freely, the one that sends
// first; REQ and REP are the subject of TestFaultReqRep.
var relPairs = []struct{ from, to *pattern.Spec }{
	{pattern.Push, pattern.Pull}, {pattern.Pub, pattern.Sub}, {pattern.XPub, pattern.XSub}, {pattern.XPub, pattern.Sub}, {pattern.Pub, pattern.XSub},
	{pattern.Pair, pattern.Pair}, {pattern.Dealer, pattern.Dealer}, {pattern.Dealer, pattern.Router}, {pattern.Router, pattern.Dealer}, {pattern.Router, pattern.Router},
}

const relName = "name" // of whoever connects

// relTraffic has from send and to receive until some messages have come, numbered and
// whole, in order, none twice; then it closes both and checks the accounts.
func relTraffic(t *testing.T, n transport.Transport, from, to *pattern.Spec, bindFrom bool) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	opts := socket.Options{SendHWM: 3, RecvHWM: 3, Identity: []byte(relName)}
	a, b := relOpen(t, n, from, opts), relOpen(t, n, to, opts)
	if to.Subscribes() {
		if err := b.Subscribe(""); err != nil {
			t.Fatal(err)
		}
	}
	bound, connecting := b, a
	if bindFrom {
		bound, connecting = a, b
	}
	relBind(t, bound, "mem://x")
	if from == pattern.Router && !bindFrom { // or it could not name the other
		if err := connecting.ConnectPeer("mem://x", []byte(relName)); err != nil {
			t.Fatal(err)
		}
	} else {
		relConnect(t, connecting, "mem://x")
	}
	var wg sync.WaitGroup
	var accepted atomic.Int64
	sizes := []int{0, 100, 3000, 20_000}
	wg.Go(func() {
		for i := uint32(0); ctx.Err() == nil; i++ {
			frames := [][]byte{numbered(i, sizes[i%4]), []byte("second")}
			if from == pattern.Router {
				frames = append([][]byte{[]byte(relName)}, frames...)
			}
			switch err := a.Send(ctx, frames...); {
			case err == nil:
				accepted.Add(1)
			case ctx.Err() != nil || from == pattern.Router && errors.Is(err, ringwire.ErrHostUnreachable):
			default:
				t.Errorf("Send: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	next := 0
	for range 12 {
		m, err := b.Recv(ctx)
		if err != nil {
			t.Errorf("waiting for %d: %v; %+v, %+v", next, err, a.Stats(), b.Stats())
			break
		}
		first := 0
		if to == pattern.Router {
			first = 1
		}
		got := relNumber(m.Frame(first))
		if m.Len() != first+2 || len(m.Frame(first)) != 4+sizes[got%4] || string(m.Frame(first+1)) != "second" || got < next {
			t.Errorf("got message %d of %d frames, %d bytes, want %d or a later one, whole", got, m.Len(), len(m.Frame(first)), next)
		}
		next = got + 1
		m.Release()
	}
	cancel()
	wg.Wait()
	a.Close()
	b.Close()
	balance(t, from.Name(), a)
	balance(t, to.Name(), b)
	if st, back := a.Stats(), b.Stats(); back.Arrived > st.Written || st.Accepted != accepted.Load() && st.Unmatched == 0 {
		t.Errorf("%d accepted, %d written, %d arrived, want no less at each step", st.Accepted, st.Written, back.Arrived)
	}
}

// TestSIM01 has each call of the network fail in turn, for all patterns: first each
// Read and Write, its connection with it, then each Dial, Accept and Close.
func TestSIM01(t *testing.T) {
	for _, p := range relPairs {
		for _, bindFrom := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to %s,%v", p.from, p.to, bindFrom), func(t *testing.T) {
				for _, ops := range []bool{false, true} {
					for at := int64(1); ; at++ {
						var calls *atomic.Int64
						synctest.Test(t, func(t *testing.T) {
							n := newMemNet()
							f := &relFaulty{memNet: n, at: at}
							calls = &f.calls
							if ops {
								relTraffic(t, f, p.from, p.to, bindFrom)
								return
							}
							n.hook = func(c *memConn, write bool) error {
								if !f.fails() {
									return nil
								}
								c.Close()
								return errInjected
							}
							relTraffic(t, n, p.from, p.to, bindFrom)
						})
						if t.Failed() {
							t.Fatalf("with the fault at call %d, ops %v", at, ops)
						}
						if calls.Load() < at {
							if at < 5 {
								t.Fatalf("only %d calls: nothing was tested", calls.Load())
							}
							break
						}
					}
				}
			})
		}
	}
}

// TestSIM07Tight is the same traffic without a fault, with everything as small as it
// goes: a network that holds a greeting and no more, and brings a byte at a time, or
// says again and again that nothing came.
func TestSIM07Tight(t *testing.T) {
	for _, p := range relPairs {
		for _, bindFrom := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				n.max = 64
				relTraffic(t, &relFaulty{memNet: n, tiny: true}, p.from, p.to, bindFrom)
			})
			synctest.Test(t, func(t *testing.T) {
				n := newMemNet()
				n.max = 64
				relTraffic(t, &zeroNet{memNet: n}, p.from, p.to, bindFrom)
			})
		}
	}
}
