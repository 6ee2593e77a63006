package socket_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestREL02JoinsTransports: a subscriber that WaitSubscribers has seen misses nothing,
// on every transport.
func TestREL02JoinsTransports(t *testing.T) {
	confEach(t, func(e *confEnv) {
		pub := e.New(pattern.Pub, nil)
		at := e.Bind(pub)
		for i := range 200 {
			topic := fmt.Sprint("topic ", i, ".")
			sub := e.New(pattern.Sub, nil)
			e.Subscribe(sub, topic)
			e.Connect(sub, at)
			e.WaitSubscribers(pub, topic, 1)
			e.Send(pub, topic)
			e.Want(sub, topic)
			e.Close(sub)
		}
		if st := pub.Stats(); st.Unmatched != 0 || st.SendDropped.Total() != 0 {
			e.Errorf("%d unmatched, %d dropped, want none", st.Unmatched, st.SendDropped.Total())
		}
	})
}

// TestREL05CloseDelivers: what was accepted before Close reaches a peer that reads, all
// of it, also when that peer sends all the time: closing a connection with bytes that
// were not read would destroy what is on its way.
func TestREL05CloseDelivers(t *testing.T) {
	confEach(t, func(e *confEnv) {
		for _, total := range []int{1, 10, 900} {
			for _, bindSender := range []bool{false, true} {
				opts := &socket.Options{SendHWM: 1000, RecvHWM: 100, Linger: confGuard}
				from, to := e.New(pattern.Dealer, opts), e.New(pattern.Dealer, opts)
				if bindSender {
					e.Join(from, to)
				} else {
					e.Join(to, from)
				}
				var wg sync.WaitGroup
				wg.Go(func() { // until from is gone
					for to.Send(e.ctx, make([]byte, 1000)) == nil {
						if to.Stats().Peers == 0 {
							return
						}
					}
				})
				wg.Go(func() {
					for i := range total {
						m, err := to.Recv(e.ctx)
						if err != nil {
							e.Errorf("message %d: %v", i, err)
							return
						}
						if got := confText(m); len(got) != 2 || got[0] != fmt.Sprint(i) {
							e.Errorf("got %.20q, want message %d", got, i)
						}
					}
				})
				for i := range total {
					e.Send(from, fmt.Sprint(i), strings.Repeat("x", 100))
				}
				began := time.Now()
				if err := from.Close(); err != nil {
					e.Errorf("Close = %v, want nil: everything was delivered", err)
				}
				if took := time.Since(began); took > confGuard {
					e.Errorf("Close took %v", took)
				}
				e.Until("the connection ends", func() bool { return to.Stats().Peers == 0 || e.Failed() })
				e.Until("everything was received", func() bool { return to.Stats().Returned >= int64(total) || e.Failed() })
				e.Close(to)
				wg.Wait()
				e.Accounts(from)
				e.Accounts(to)
			}
		}
	})
}

// relStory is what a pair of sockets has to tell: the messages that arrive at each
// side, in order.
type relStory struct{ atBound, atConnecting []string }

// TestREL16InprocOrders: over inproc it makes no difference whether Bind, Connect or
// Send came first, for any pair of types: empty frames, long messages and the first
// message arrive the same.
func TestREL16InprocOrders(t *testing.T) {
	for _, types := range []struct{ bound, connecting *pattern.Spec }{
		{pattern.Pull, pattern.Push}, {pattern.Push, pattern.Pull}, {pattern.Pair, pattern.Pair},
		{pattern.Dealer, pattern.Dealer}, {pattern.Router, pattern.Dealer}, {pattern.Rep, pattern.Req}, {pattern.Rep, pattern.Dealer},
		{pattern.Router, pattern.Req},
	} {
		t.Run(fmt.Sprintf("%s and %s", types.bound, types.connecting), func(t *testing.T) {
			confOn(t, "inproc", func(e *confEnv) {
				var stories []relStory
				for _, order := range []string{"bind, connect, send", "connect, bind, send", "connect, send, bind"} {
					early := strings.HasSuffix(order, "send, bind")
					if early && !types.connecting.Sends() {
						continue
					}
					stories = append(stories, relTell(e, types.bound, types.connecting, order))
				}
				for _, story := range stories[1:] {
					if !slices.Equal(story.atBound, stories[0].atBound) || !slices.Equal(story.atConnecting, stories[0].atConnecting) {
						e.Errorf("got %.200q, want the same as with the bind first, %.200q", story, stories[0])
					}
				}
				if len(stories[0].atBound)+len(stories[0].atConnecting) < 4 {
					e.Errorf("only %q happened: nothing was tested", stories[0])
				}
			})
		})
	}
}

func relTell(e *confEnv, boundType, connectingType *pattern.Spec, order string) (story relStory) {
	bound := e.New(boundType, &socket.Options{Identity: []byte("bound")})
	connecting := e.New(connectingType, &socket.Options{Identity: []byte("connecting")})
	at := e.Reserve()
	script := [][]string{{"", "first"}, {"", "second", ""}, {"", strings.Repeat("x", 70_000)}, {"", "", "last"}}
	send := func(s *socket.Socket) {
		for i, frames := range script {
			if s.Type() == pattern.Req {
				if i > 0 {
					return // one at a time
				}
				frames = frames[1:]
			}
			e.Send(s, frames...)
		}
	}
	if order == "bind, connect, send" {
		e.BindTo(bound, at)
	}
	e.Connect(connecting, at)
	if strings.HasSuffix(order, "send, bind") {
		send(connecting)
	}
	if order != "bind, connect, send" {
		e.BindTo(bound, at)
	}
	if connectingType.Sends() && !strings.HasSuffix(order, "send, bind") {
		send(connecting)
	}
	n := len(script)
	if connectingType == pattern.Req {
		n = 1
	}
	if boundType.Receives() {
		for range n {
			got := e.Recv(bound)
			story.atBound = append(story.atBound, fmt.Sprintf("%q", got))
			if boundType.Sends() && connectingType.Receives() && boundType != pattern.Dealer { // it answers
				e.Send(bound, got...)
				story.atConnecting = append(story.atConnecting, fmt.Sprintf("%q", e.Recv(connecting)))
			}
		}
	}
	if boundType == pattern.Push || boundType == pattern.Dealer {
		e.WaitPeers(bound, 1)
		send(bound)
		for range n {
			story.atConnecting = append(story.atConnecting, fmt.Sprintf("%q", e.Recv(connecting)))
		}
	}
	if connectingType == pattern.Req { // the types that have one message each: three more
		for _, text := range []string{"", "a", "b"} {
			e.Send(connecting, text)
			got := e.Recv(bound)
			e.Send(bound, got...)
			story.atBound = append(story.atBound, fmt.Sprintf("%q", got))
			story.atConnecting = append(story.atConnecting, fmt.Sprintf("%q", e.Recv(connecting)))
		}
	}
	e.Accounts(bound)
	e.Accounts(connecting)
	e.Close(bound)
	e.Close(connecting)
	return story
}

// TestREL09NothingIsInherited: a program that is started while sockets listen, connect
// and have connections gets none of their descriptors.
func TestREL09NothingIsInherited(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/proc/self/fd is Linux's")
	}
	e := confNew(t, "tcp")
	for _, scheme := range []string{"tcp", "ipc"} {
		e.scheme = scheme
		pull, push := e.New(pattern.Pull, nil), e.New(pattern.Push, nil)
		e.Join(pull, push)
	}
	cmd := exec.Command("sh", "-c", "ls -l /proc/self/fd; cat /proc/self/comm")
	cmd.Env = os.Environ()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if text := string(out); strings.Contains(text, "socket:") || !strings.Contains(text, "pipe:") {
		t.Errorf("the child has these descriptors, want no socket, and the pipe that we gave it:\n%s", text)
	}
}

// TestREL03StateErrors: a call out of turn is an error at once, changes nothing, and
// the exchange goes on.
func TestREL03StateErrors(t *testing.T) {
	confEach(t, func(e *confEnv) {
		req, rep := e.New(pattern.Req, nil), e.New(pattern.Rep, nil)
		e.Join(rep, req)
		for i := range 20 {
			if err := rep.Send(e.ctx, []byte("nobody asked")); !errors.Is(err, ringwire.ErrState) {
				e.Fatalf("a reply without a request: %v, want ErrState", err)
			}
			if _, err := req.Recv(e.ctx); !errors.Is(err, ringwire.ErrState) {
				e.Fatalf("Recv without a request: %v, want ErrState", err)
			}
			e.Send(req, fmt.Sprint(i))
			if err := req.Send(e.ctx, []byte("impatient")); !errors.Is(err, ringwire.ErrState) {
				e.Fatalf("a second request: %v, want ErrState", err)
			}
			e.Want(rep, fmt.Sprint(i))
			e.Send(rep, "to "+fmt.Sprint(i))
			e.Want(req, "to "+fmt.Sprint(i))
		}
	})
}
