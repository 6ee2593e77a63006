package socket_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/inproc"
)

// relLog keeps the warnings that are not about an event.
type relLog struct {
	mu    sync.Mutex
	lines []string
}

func (*relLog) Enabled(context.Context, slog.Level) bool { return true }
func (l *relLog) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *relLog) WithGroup(string) slog.Handler          { return l }

func (l *relLog) Handle(_ context.Context, r slog.Record) error {
	event := false
	for kind := socket.Listening; kind <= socket.Closed; kind++ {
		event = event || r.Message == kind.String()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !event && r.Level >= slog.LevelWarn {
		l.lines = append(l.lines, r.Message)
	}
	return nil
}

func relLogger(l *relLog) *slog.Logger { return slog.New(l) }

// want checks that the warnings so far contain these words, in this order, and that
// there are no others.
func (l *relLog) want(t *testing.T, what string, words ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) != len(words) {
		t.Errorf("%s: got %d warnings %q, want %d about %q", what, len(l.lines), l.lines, len(words), words)
		return
	}
	for i, word := range words {
		if !strings.Contains(l.lines[i], word) {
			t.Errorf("%s: got the warning %q, want one about %q", what, l.lines[i], word)
		}
	}
}

// relSick is a socket whose doctor is listened to.
func relSick(t *testing.T, network *inproc.Network, spec *pattern.Spec, opts socket.Options) (*socket.Socket, *relLog) {
	t.Helper()
	l := new(relLog)
	opts.Logger, opts.Transports = relLogger(l), []transport.Transport{network}
	s, err := socket.New(spec, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { confAbort(s) })
	return s, l
}

// TestDoctorWarnsOnce: each trap is told of when it is fallen into, and only then,
// and only once.
func TestDoctorWarnsOnce(t *testing.T) {
	brief := func(f func(ctx context.Context)) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		f(ctx)
	}
	for name, test := range map[string]func(t *testing.T, network *inproc.Network){
		"nobody subscribed": func(t *testing.T, network *inproc.Network) {
			for _, send := range []func(s *socket.Socket){
				func(s *socket.Socket) { s.Send(t.Context(), []byte("x")) },
				func(s *socket.Socket) { s.TrySend([]byte("x")) },
			} {
				pub, l := relSick(t, network, pattern.Pub, socket.Options{})
				l.want(t, "before")
				for range 3 {
					send(pub)
					l.want(t, "published to nobody", "WaitSubscribers")
				}
			}
		},
		"subscribed to something else": func(t *testing.T, network *inproc.Network) {
			pub, l := relSick(t, network, pattern.Pub, socket.Options{})
			sub, _ := relSick(t, network, pattern.Sub, socket.Options{})
			relJoinInproc(t, pub, sub)
			if err := sub.Subscribe("topic"); err != nil {
				t.Fatal(err)
			}
			if err := pub.WaitSubscribers(t.Context(), "topic", 1); err != nil {
				t.Fatal(err)
			}
			pub.Send(t.Context(), []byte("other"))
			l.want(t, "a subscriber is known")
			pub.Send(t.Context(), []byte("topic"))
			confAbort(sub)
			synctest.Wait()
			pub.Send(t.Context(), []byte("topic"))
			l.want(t, "a subscriber was known")
		},
		"no subscription": func(t *testing.T, network *inproc.Network) {
			sub, l := relSick(t, network, pattern.Sub, socket.Options{})
			sub.TryRecv()
			l.want(t, "nothing waits")
			for range 3 {
				brief(func(ctx context.Context) { sub.Recv(ctx) })
				l.want(t, "waiting without a subscription", "Subscribe(\"\")")
			}
			for _, other := range []*pattern.Spec{pattern.Sub, pattern.XSub, pattern.Pull} {
				s, l := relSick(t, network, other, socket.Options{})
				if other == pattern.Sub {
					s.Subscribe("x")
				}
				brief(func(ctx context.Context) { s.Recv(ctx) })
				l.want(t, other.Name()+" with what it needs")
			}
		},
		"no deadline": func(t *testing.T, network *inproc.Network) {
			req, l := relSick(t, network, pattern.Req, socket.Options{})
			rep, _ := relSick(t, network, pattern.Rep, socket.Options{})
			relJoinInproc(t, rep, req)
			go func() {
				for m, err := range rep.Messages(context.Background()) {
					if err != nil {
						return
					}
					time.Sleep(time.Second)
					rep.SendMessage(context.Background(), m)
				}
			}()
			for _, ctx := range []context.Context{t.Context(), context.Background(), context.Background()} {
				m, err := req.Do(ctx, []byte("x"))
				if err != nil {
					t.Fatal(err)
				}
				m.Release()
				if ctx == t.Context() {
					l.want(t, "a request with a deadline")
				}
			}
			l.want(t, "requests without a deadline", "without a deadline")
		},
		"no limit": func(t *testing.T, network *inproc.Network) {
			all := socket.Options{SendHWM: -1, SendHWMBytes: -1, RecvHWM: -1, RecvHWMBytes: -1}
			for _, c := range []struct {
				spec  *pattern.Spec
				opts  socket.Options
				warns bool
			}{
				{pattern.Push, all, true}, {pattern.Pull, all, true}, {pattern.Dealer, all, true},
				{pattern.Push, socket.Options{SendHWM: -1}, false}, {pattern.Push, socket.Options{SendHWMBytes: -1}, false},
				{pattern.Push, socket.Options{RecvHWM: -1, RecvHWMBytes: -1}, false}, {pattern.Pull, socket.Options{SendHWM: -1, SendHWMBytes: -1}, false},
				{pattern.Pair, socket.Options{}, false},
			} {
				_, l := relSick(t, network, c.spec, c.opts)
				if c.warns {
					l.want(t, c.spec.Name(), "without a limit")
				} else {
					l.want(t, c.spec.Name())
				}
			}
		},
		"all are slow": func(t *testing.T, network *inproc.Network) {
			pub, l := relSick(t, network, pattern.Pub, socket.Options{SendHWM: 2})
			fast, _ := relSick(t, network, pattern.Sub, socket.Options{})
			var slow []*socket.Socket
			for i := range 3 {
				sub := fast
				if i < 2 {
					sub, _ = relSick(t, network, pattern.Sub, socket.Options{RecvHWM: 2})
					slow = append(slow, sub)
				}
				sub.Subscribe("")
				relJoinInproc(t, pub, sub)
				if err := pub.WaitSubscribers(t.Context(), "", i+1); err != nil {
					t.Fatal(err)
				}
			}
			flood := func() {
				for range 100 {
					pub.Send(t.Context(), []byte("x"))
				}
				synctest.Wait()
			}
			flood()
			l.want(t, "one of three has room")
			confAbort(fast)
			synctest.Wait()
			for range 3 {
				time.Sleep(2 * time.Second) // an event of a slow peer comes once a second
				for _, sub := range slow {
					for m, err := sub.TryRecv(); err == nil; m, err = sub.TryRecv() {
						m.Release()
					}
				}
				flood()
				l.want(t, "nobody has room", "every subscriber is slow")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, new(inproc.Network)) })
		})
	}
}

// relJoinInproc connects to a socket that is bound, or is bound now.
func relJoinInproc(t *testing.T, bound, connecting *socket.Socket) {
	t.Helper()
	bound.Bind("inproc://sick") // again: in use by itself
	if err := connecting.Connect("inproc://sick"); err != nil {
		t.Fatal(err)
	}
	if err := connecting.WaitPeers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

// TestDoctorNeverConnected: an endpoint at which nobody listens is told of once, after
// several attempts; one that was connected once is not, however long it is away.
func TestDoctorNeverConnected(t *testing.T) {
	e := confNew(t, "tcp")
	l := new(relLog)
	opts := &socket.Options{Logger: relLogger(l), ReconnectMin: time.Millisecond, ReconnectMax: 2 * time.Millisecond}
	nobody := e.Reserve()
	push := e.New(pattern.Push, opts)
	failed := e.Events(push)
	e.Connect(push, nobody)
	for i := range 20 {
		failed(socket.ConnectFailed)
		if i == 2 {
			l.want(t, "after three attempts")
		}
	}
	l.want(t, "after twenty attempts", "could not be connected")

	l = new(relLog)
	opts.Logger = relLogger(l)
	pull, push := e.New(pattern.Pull, nil), e.New(pattern.Push, opts)
	e.Join(pull, push)
	failed = e.Events(push)
	e.Close(pull)
	for range 20 {
		failed(socket.ConnectFailed)
	}
	l.want(t, "a peer that is away")
}
