package socket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Defects that were found in other implementations of this protocol, each as
// the test that would have found it. docs/conformance.md has the list and says
// where the tests of the others are.

// TestRegressionPushBroadcasts: three PULLs get each message exactly once
// between them, while others send and connections come and go.
func TestRegressionPushBroadcasts(t *testing.T) {
	confEach(t, func(e *confEnv) {
		const pulls, each, pushes = 3, 2000, 2
		var at []string
		var sockets []*socket.Socket
		for range pulls {
			s := e.New(pattern.Pull, nil)
			at = append(at, e.Bind(s))
			sockets = append(sockets, s)
		}
		var wg sync.WaitGroup
		for p := range pushes {
			push := e.New(pattern.Push, nil)
			e.Connect(push, at...)
			e.WaitPeers(push, pulls)
			wg.Go(func() {
				for i := range each {
					if err := push.Send(e.ctx, []byte(strconv.Itoa(p*each+i))); err != nil {
						e.Errorf("Send = %v, want nil", err)
						return
					}
				}
			})
		}
		got := make(chan string)
		ctx, cancel := context.WithCancel(e.ctx)
		defer cancel()
		for _, s := range sockets {
			wg.Go(func() {
				for m, err := range s.Messages(ctx) {
					if err != nil {
						return
					}
					got <- confText(m)[0]
				}
			})
		}
		seen := make(map[string]int)
		for range pushes * each {
			seen[<-got]++
		}
		cancel()
		wg.Wait()
		for i := range pushes * each {
			if n := seen[strconv.Itoa(i)]; n != 1 {
				e.Fatalf("message %d arrived %d times, want once", i, n)
			}
		}
		for _, s := range sockets {
			e.WantNone(s)
		}
	})
}

// TestRegressionReqStuckOnDeadServer: a request that one server took with it
// is given up at its deadline, and the next goes to another server.
func TestRegressionReqStuckOnDeadServer(t *testing.T) {
	confEach(t, func(e *confEnv) {
		dies, lives := e.New(pattern.Rep, nil), e.New(pattern.Rep, nil)
		req := e.New(pattern.Req, &socket.Options{Immediate: true})
		e.Connect(req, e.Bind(dies), e.Bind(lives))
		e.WaitPeers(req, 2)
		ctx, cancel := context.WithCancel(e.ctx)
		ended := make(chan error)
		go func() { _, err := req.Do(ctx, []byte("taken along")); ended <- err }()
		e.Want(dies, "taken along")
		e.Close(dies)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			e.Fatalf("Do = %v, want Canceled", err)
		}
		e.Until("the connection is lost", func() bool { return req.Stats().Peers == 1 })
		stop := confEcho(e, lives)
		defer stop()
		for i := range 3 {
			m, err := req.Do(e.ctx, []byte(fmt.Sprint(i)))
			if err != nil || string(m.Bytes()) != fmt.Sprint(i) {
				e.Fatalf("Do %d = %v, want the reply of the other server", i, err)
			}
		}
	})
}

// TestRegressionSendTimeoutTearsStream: sends that are given up at any moment
// leave the stream whole: what arrives are exactly the messages that were
// accepted, in order.
func TestRegressionSendTimeoutTearsStream(t *testing.T) {
	confEach(t, func(e *confEnv) {
		opts := &socket.Options{SendHWM: 2, RecvHWM: 2}
		push, pull := e.New(pattern.Push, opts), e.New(pattern.Pull, opts)
		e.Join(pull, push)
		var accepted []string
		failed := 0
		for i := 0; failed < 5; i++ {
			if i > 5000 {
				e.Fatal("no Send was given up, want some")
			}
			ctx, cancel := context.WithTimeout(e.ctx, confBlocked/4)
			err := push.Send(ctx, []byte(strconv.Itoa(i)), []byte(confBig))
			cancel()
			switch {
			case err == nil:
				accepted = append(accepted, strconv.Itoa(i))
			case errors.Is(err, context.DeadlineExceeded):
				failed++
			default:
				e.Fatal(err)
			}
		}
		for _, want := range accepted {
			e.Want(pull, want, confBig)
		}
		e.Send(push, "after")
		e.Want(pull, "after")
		e.Accounts(push)
		e.Accounts(pull)
	})
}

// TestRegressionServerRestarts: a server that is restarted again and again
// under load: clients go on, nothing is torn, nothing hangs.
func TestRegressionServerRestarts(t *testing.T) {
	confEach(t, func(e *confEnv) {
		const restarts, clients = 20, 3
		at := e.Reserve()
		ctx, cancel := context.WithCancel(e.ctx)
		defer cancel()
		var wg sync.WaitGroup
		for c := range clients {
			s := e.New(pattern.Dealer, nil)
			e.Connect(s, at)
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					body := strconv.Itoa(c) + ":" + strconv.Itoa(i)
					s.Send(ctx, []byte(body), []byte(body))
				}
			})
			wg.Go(func() {
				for m, err := range s.Messages(ctx) {
					if err != nil {
						return
					}
					if f := confText(m); len(f) != 2 || f[0] != f[1] {
						e.Errorf("client received %.60q, want two equal frames", f)
					}
				}
			})
		}
		for range restarts {
			server := e.New(pattern.Router, nil)
			e.BindTo(server, at)
			for range 50 {
				m := e.Recv(server)
				if len(m) != 3 || m[1] != m[2] {
					e.Fatalf("server received %.60q, want identity and two equal frames", m)
				}
				server.TrySend(confBytes(m)...) // the client may be gone again
			}
			e.Close(server)
		}
		cancel()
		wg.Wait()
	})
}

// TestRegressionLostSubscriptions: subscriptions made before and after the
// connection, more than a high-water mark of them, hold on every reconnection.
func TestRegressionLostSubscriptions(t *testing.T) {
	confEach(t, func(e *confEnv) {
		const n = 3000
		at := e.Reserve()
		sub := e.New(pattern.Sub, &socket.Options{SendHWM: 5, RecvHWM: 5})
		for i := range n / 2 {
			e.Subscribe(sub, fmt.Sprintf("%05d", i))
		}
		e.Connect(sub, at)
		for round := range 3 {
			pub := e.New(pattern.Pub, nil)
			e.BindTo(pub, at)
			if round == 0 {
				e.WaitPeers(sub, 1)
				for i := n / 2; i < n; i++ {
					e.Subscribe(sub, fmt.Sprintf("%05d", i))
				}
			}
			e.Until("all subscriptions are here", func() bool {
				list := pub.Peers()
				return len(list) == 1 && list[0].Subscriptions == n
			})
			for _, i := range []int{0, n/2 - 1, n / 2, n - 1} {
				e.Send(pub, fmt.Sprintf("%05d", i), "x")
				e.Want(sub, fmt.Sprintf("%05d", i), "x")
			}
			e.Close(pub)
			e.Until("the connection is lost", func() bool { return sub.Stats().Peers == 0 })
		}
	})
}

// TestRegressionSizes: bodies around every limit of the framing and of the
// buffers, whole.
func TestRegressionSizes(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push, pull := e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
		e.Join(pull, push)
		for _, size := range []int{0, 1, 2, 63, 64, 65, 254, 255, 256, 257, 4095, 4096, 32767, 32768, 65535, 65536, 65537, 1 << 20, 3 << 20} {
			body := make([]byte, size)
			for i := range body {
				body[i] = byte(i ^ i>>8 ^ i>>16)
			}
			for _, frames := range [][][]byte{{body}, {body, nil, body[:size/2]}} {
				if err := push.Send(e.ctx, frames...); err != nil {
					e.Fatal(err)
				}
				m, err := pull.Recv(e.ctx)
				if err != nil {
					e.Fatal(err)
				}
				if m.Len() != len(frames) {
					e.Fatalf("size %d: %d frames, want %d", size, m.Len(), len(frames))
				}
				for i, f := range frames {
					if !bytes.Equal(m.Frame(i), f) {
						e.Errorf("size %d: frame %d differs", size, i)
					}
				}
				m.Release()
			}
		}
	})
}

// TestRegressionBufferReuse: the caller may change its buffer as soon as Send
// has returned, however large, and whether or not there is a connection yet.
func TestRegressionBufferReuse(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, size := range []int{1, 100, 5000, 100000} {
			at := e.Reserve()
			push, pull := e.New(pattern.Push, nil), e.New(pattern.Pull, nil)
			e.Connect(push, at)
			buf := make([]byte, size)
			for i := range byte(20) {
				for k := range buf {
					buf[k] = i
				}
				if err := push.Send(e.ctx, buf, buf); err != nil {
					e.Fatal(err)
				}
				if i == 10 {
					e.BindTo(pull, at)
				}
			}
			clear(buf)
			for i := range byte(20) {
				m, err := pull.Recv(e.ctx)
				if err != nil {
					e.Fatal(err)
				}
				if want := bytes.Repeat([]byte{i}, size); m.Len() != 2 || !bytes.Equal(m.Frame(0), want) || !bytes.Equal(m.Frame(1), want) {
					e.Fatalf("size %d: message %d was changed after its Send", size, i)
				}
				m.Release()
			}
		}
	})
}

// TestRegressionCloseLosesLast: Close with a linger delivers what was accepted,
// also to a peer that still sends to us.
func TestRegressionCloseLosesLast(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, c := range []struct{ from, to *pattern.Spec }{{pattern.Push, pattern.Pull}, {pattern.Dealer, pattern.Dealer}, {pattern.Pair, pattern.Pair}} {
			for i := range 20 {
				s, r := e.New(c.from, nil), e.New(c.to, nil)
				if i%2 == 0 {
					e.Join(r, s)
				} else {
					e.Join(s, r)
				}
				if c.to.Sends() {
					e.Send(r, "meanwhile")
				}
				e.Send(s, "next to last", confBig)
				e.Send(s, "last")
				if err := s.Close(); err != nil {
					e.Fatalf("%s: Close = %v, want nil", c.from, err)
				}
				e.Want(r, "next to last", confBig)
				e.Want(r, "last")
				e.Close(r)
			}
		}
	})
}
