package interop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestGoZeroMQ is the matrix with go-zeromq/zmq4 v0.17.0 on the other side, in
// the same process. What that library itself cannot do is in the table
// gozeromqDefects, each row with its proof.
func TestGoZeroMQ(t *testing.T) {
	for _, p := range pairs {
		t.Run(p.name(), func(t *testing.T) {
			for _, side := range sides {
				t.Run(side, func(t *testing.T) {
					for _, transport := range transports {
						t.Run(transport, func(t *testing.T) {
							cell(t, p, side, transport, *messages, shapesFor(p), newGoCounterpart(t, p))
						})
					}
				})
			}
		})
	}
}

// shapesFor leaves out what go-zeromq's REP takes apart wrongly: see the row
// "REP: empty frames" of gozeromqDefects.
func shapesFor(p pair) [][]int {
	if p.theirs != "REP" {
		return shapes
	}
	var list [][]int
	for _, s := range shapes {
		empty := false
		for _, size := range s {
			empty = empty || size == 0
		}
		if !empty {
			list = append(list, s)
		}
	}
	return list
}

var goConstructors = map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
	"PAIR": zmq4.NewPair, "PUSH": zmq4.NewPush, "PULL": zmq4.NewPull,
	"PUB": zmq4.NewPub, "SUB": zmq4.NewSub, "XPUB": zmq4.NewXPub, "XSUB": zmq4.NewXSub,
	"REQ": zmq4.NewReq, "REP": zmq4.NewRep, "DEALER": zmq4.NewDealer, "ROUTER": zmq4.NewRouter,
}

// goSocket makes a socket of theirs that is closed with the test. It logs to
// nowhere: it writes to standard error when a connection ends early.
func goSocket(t testing.TB, kind string, opts ...zmq4.Option) zmq4.Socket {
	t.Helper()
	opts = append(opts, zmq4.WithLogger(log.New(io.Discard, "", 0)), zmq4.WithDialerMaxRetries(100))
	s := goConstructors[kind](t.Context(), opts...)
	t.Cleanup(func() { s.Close() })
	return s
}

// goCounterpart is a go-zeromq socket as a side of a cell.
type goCounterpart struct {
	t    testing.TB
	kind string
	s    zmq4.Socket
}

func newGoCounterpart(t testing.TB, p pair) *goCounterpart {
	t.Helper()
	c := &goCounterpart{t, p.theirs, goSocket(t, p.theirs, zmq4.WithID(zmq4.SocketIdentity(theirName)))}
	if p.theirs == "SUB" {
		if err := c.s.SetOption(zmq4.OptionSubscribe, ""); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c *goCounterpart) bind(endpoint string) string {
	c.t.Helper()
	return listenGo(c.t, c.s, endpoint)
}

func listenGo(t testing.TB, s zmq4.Socket, endpoint string) string {
	t.Helper()
	if err := s.Listen(endpoint); err != nil {
		t.Fatal(err)
	}
	if a, ok := s.Addr().(*net.TCPAddr); ok {
		return fmt.Sprint("tcp://", a)
	}
	return endpoint
}

func (c *goCounterpart) connect(endpoint string) {
	c.t.Helper()
	dialGo(c.t, c.s, endpoint)
}

func dialGo(t testing.TB, s zmq4.Socket, endpoint string) {
	t.Helper()
	if err := s.Dial(endpoint); err != nil {
		t.Fatal(err)
	}
}

func (c *goCounterpart) begin(p *plan) func() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit())
	done := make(chan error, 1)
	go func() {
		defer cancel()
		if c.kind == "XSUB" {
			if err := c.s.Send(zmq4.NewMsg([]byte{1})); err != nil {
				done <- err
				return
			}
		}
		done <- p.run(ctx, goParty{c.s})
	}()
	return func() error {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return fmt.Errorf("go-zeromq %s does not end: %w", c.kind, ctx.Err())
		}
	}
}

// A publisher of theirs never tells of subscriptions.
func (c *goCounterpart) probes() bool { return c.kind == "PUB" || c.kind == "XPUB" }

func (c *goCounterpart) probe() error { return c.s.Send(zmq4.NewMsg(syncBody)) }

func (c *goCounterpart) close() { c.s.Close() }

// goParty adapts a go-zeromq socket. Its calls take no context; Close ends
// them.
type goParty struct{ s zmq4.Socket }

func (p goParty) send(ctx context.Context, frames [][]byte, _ bool) error {
	for {
		err := p.s.Send(zmq4.NewMsgFrom(frames...))
		if err == nil || p.s.Type() != zmq4.Req || ctx.Err() != nil {
			return err
		}
		// A REQ without a connection does not wait for one.
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (p goParty) recv(context.Context) ([][]byte, error) {
	m, err := p.s.Recv()
	return m.Frames, err
}

// TestGoZeroMQRestarted: a go-zeromq socket that listens is closed again and
// again. Ours finds the next one, which the other library cannot do.
func TestGoZeroMQRestarted(t *testing.T) {
	us := newSocket(t, pattern.Dealer, nil)
	seen := watch(t, us)
	at := anywhere(t, "tcp")
	for round := range restarts {
		them := goSocket(t, "DEALER")
		if at = listenGo(t, them, at); round == 0 {
			mustConnect(t, us, at)
		}
		waitPeers(t, us, 1)
		send(t, us, fmt.Sprint("to them ", round))
		m, err := them.Recv()
		if err != nil || string(m.Bytes()) != fmt.Sprint("to them ", round) {
			t.Fatalf("got %q, %v", m.Bytes(), err)
		}
		if err := them.Send(zmq4.NewMsgString("to us")); err != nil {
			t.Fatal(err)
		}
		want(t, recv(t, us), "to us")
		them.Close()
		seen.await(socket.Disconnected)
	}
}

// TestGoZeroMQIdentities: what go-zeromq calls itself is how our ROUTER
// addresses it, and the other way round.
func TestGoZeroMQIdentities(t *testing.T) {
	for _, row := range identities[1:] { // it cannot have none: see gozeromqDefects
		t.Run(row.name, func(t *testing.T) {
			router := newSocket(t, pattern.Router, nil)
			dealer := goSocket(t, "DEALER", zmq4.WithID(zmq4.SocketIdentity(row.identity)))
			dialGo(t, dealer, mustBind(t, router, "tcp://127.0.0.1:0"))
			if err := dealer.Send(zmq4.NewMsgString("hello")); err != nil {
				t.Fatal(err)
			}
			want(t, recv(t, router), row.identity, "hello")
			send(t, router, row.identity, "answer")
			if m, err := dealer.Recv(); err != nil || string(m.Bytes()) != "answer" {
				t.Fatalf("got %q, %v, want the answer", m.Bytes(), err)
			}
		})
	}
}

// TestGoZeroMQLinger: our last message arrives at go-zeromq after our Close.
func TestGoZeroMQLinger(t *testing.T) {
	const n = 1000
	us := newSocket(t, pattern.Push, nil)
	them := goSocket(t, "PULL")
	dialGo(t, them, mustBind(t, us, "tcp://127.0.0.1:0"))
	waitPeers(t, us, 1)
	for i := range n {
		send(t, us, fmt.Sprint(i))
	}
	closed := make(chan error, 1)
	go func() { closed <- us.Close() }()
	for i := range n {
		m, err := them.Recv()
		if err != nil || string(m.Bytes()) != fmt.Sprint(i) {
			t.Fatalf("message %d: got %q, %v", i, m.Bytes(), err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := them.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("after our last message: got %v, want %v", err, io.EOF)
	}
}
