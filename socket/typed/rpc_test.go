package typed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/socket/typed"
	"github.com/ringwire/ringwire/transport"
)

type question struct {
	Asker, Number int
	Wait          time.Duration
}

type answer struct {
	Asker, Number int
	By            string
}

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// serve starts a server, which ends with the test.
func serve[Req, Resp any](t testing.TB, endpoint string, opts *typed.Options, h typed.Handler[Req, Resp]) (*typed.Server[Req, Resp], string) {
	t.Helper()
	server := must[*typed.Server[Req, Resp]](t)(typed.NewServer(h, opts))
	at := must[string](t)(server.Bind(endpoint))
	done := make(chan error, 1)
	go func() { done <- server.Serve(context.Background()) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: got %v, want nil after Close", err)
		}
	})
	return server, at
}

// dial returns a client that is connected with one server.
func dial[Req, Resp any](t testing.TB, endpoint string, opts *typed.Options) *typed.Client[Req, Resp] {
	t.Helper()
	client := must[*typed.Client[Req, Resp]](t)(typed.NewClient[Req, Resp](opts))
	t.Cleanup(func() { ok(t, client.Close()) })
	ok(t, client.Connect(endpoint))
	ok(t, client.WaitServers(soon(t), 1))
	return client
}

// on are options for a host of a network in memory.
func on(network *sockettest.Network, host string) *typed.Options {
	return &typed.Options{Socket: &socket.Options{Transports: []transport.Transport{network.Host(host)}, Logger: silent}}
}

// settled is what a server has counted when it has nothing more to do.
func settled(t testing.TB, server interface{ Stats() typed.ServerStats }) typed.ServerStats {
	t.Helper()
	for ctx := soon(t); ; runtime.Gosched() {
		s := server.Stats()
		if sum := s.Replied + s.Failed + s.Abandoned + int64(s.Waiting+s.Running); s.Received != sum {
			t.Fatalf("got %+v, of which %d are accounted for", s, sum)
		}
		if s.Waiting+s.Running == 0 || ctx.Err() != nil {
			return s
		}
	}
}

func double(_ context.Context, n int) (int, error) { return 2 * n, nil }

func TestCallOverEachTransport(t *testing.T) {
	for _, endpoint := range []string{"inproc://typed-call", "tcp://127.0.0.1:*", "ipc://*"} {
		t.Run(strings.SplitN(endpoint, ":", 2)[0], func(t *testing.T) {
			_, at := serve(t, endpoint, nil, double)
			client := dial[int, int](t, at, nil)
			if got := must[int](t)(client.Call(soon(t), 21)); got != 42 {
				t.Errorf("got %d, want 42", got)
			}
		})
	}
}

// A thousand requests at once, with replies in random order from three servers, and calls
// that are cancelled at random: each reply is the one to its own request, and every
// counter agrees with what the callers saw.
func TestNoForeignReplies(t *testing.T) {
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			network := sockettest.NewNetwork(seed)
			client := must[*typed.Client[question, answer]](t)(typed.NewClient[question, answer](on(network, "client")))
			defer client.Close()
			var servers []*typed.Server[question, answer]
			var handled atomic.Int64
			for i := range 3 {
				host := fmt.Sprint("server", i)
				network.SetLink("client", host, sockettest.Link{Latency: time.Millisecond, Jitter: 5 * time.Millisecond, MaxRead: 100})
				s, at := serve(t, "mem://"+host+":1", on(network, host), func(ctx context.Context, q question) (answer, error) {
					defer handled.Add(1)
					select {
					case <-time.After(q.Wait):
						return answer{q.Asker, q.Number, host}, nil
					case <-ctx.Done():
						return answer{}, ctx.Err()
					}
				})
				servers = append(servers, s)
				ok(t, client.Connect(at))
			}
			ok(t, client.WaitServers(t.Context(), 3))

			const askers, each = 50, 20
			var replied, gaveUp atomic.Int64
			by := make(map[string]int)
			var mu sync.Mutex
			var all sync.WaitGroup
			for asker := range askers {
				for number := range each {
					q := question{asker, number, time.Duration(random.IntN(100)) * time.Millisecond}
					patience := time.Hour
					if random.IntN(4) == 0 {
						patience = time.Duration(random.IntN(100)) * time.Millisecond
					}
					all.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), patience)
						defer cancel()
						a, err := client.Call(ctx, q)
						switch {
						case errors.Is(err, context.DeadlineExceeded):
							gaveUp.Add(1)
						case err != nil:
							t.Errorf("seed %d: call %+v: %v", seed, q, err)
						case a.Asker != q.Asker || a.Number != q.Number:
							t.Errorf("seed %d: got the reply %+v to %+v", seed, a, q)
						default:
							replied.Add(1)
							mu.Lock()
							by[a.By]++
							mu.Unlock()
						}
					})
				}
			}
			all.Wait()
			synctest.Wait()
			time.Sleep(time.Second) // of the bubble's clock: late replies and cancels arrive
			if replied.Load()+gaveUp.Load() != askers*each || gaveUp.Load() == 0 || len(by) != 3 {
				t.Errorf("seed %d: %d replies %v and %d given up, want %d in all, some given up, from 3 servers", seed, replied.Load(), by, gaveUp.Load(), askers*each)
			}
			// A call that ended with the server's CodeDeadline counts as Failed.
			c := client.Stats()
			if c.Calls != askers*each || c.Replied != replied.Load() || c.GivenUp+c.Failed != gaveUp.Load() || c.Lost != 0 || c.Rejected != 0 {
				t.Errorf("seed %d: client counted %+v, want %d replies and %d given up", seed, c, replied.Load(), gaveUp.Load())
			}
			var sum typed.ServerStats
			for _, s := range servers {
				got := s.Stats()
				if got.Received != got.Replied+got.Failed+got.Abandoned || got.Waiting+got.Running+int(got.Rejected) != 0 {
					t.Errorf("seed %d: server counted %+v, which does not add up", seed, got)
				}
				sum.Received += got.Received
				sum.Replied += got.Replied
				sum.Failed += got.Failed
			}
			if sum.Replied+sum.Failed != c.Replied+c.Failed+c.Stale {
				t.Errorf("seed %d: servers sent %d replies and %d errors, the client took %d, %d and %d stale", seed, sum.Replied, sum.Failed, c.Replied, c.Failed, c.Stale)
			}
		})
	}
}

// The same without a bubble, over tcp with the real scheduler.
func TestThousandCallsOverTCP(t *testing.T) {
	server, at := serve(t, "tcp://127.0.0.1:*", &typed.Options{Workers: -1}, func(_ context.Context, q question) (answer, error) {
		for range q.Wait {
			runtime.Gosched()
		}
		return answer{q.Asker, q.Number, "server"}, nil
	})
	client := dial[question, answer](t, at, nil)
	ctx := soon(t)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			q := question{Asker: i, Number: i * i, Wait: time.Duration(rand.IntN(200))}
			if a, err := client.Call(ctx, q); err != nil || a.Asker != q.Asker || a.Number != q.Number {
				t.Errorf("call %+v: got %+v, %v", q, a, err)
			}
		})
	}
	all.Wait()
	if c, s := client.Stats(), settled(t, server); c.Replied != 1000 || s.Received != 1000 || s.Replied != 1000 {
		t.Errorf("client counted %+v, server %+v, want 1000 replies", c, s)
	}
}

func TestErrorsCrossTheWire(t *testing.T) {
	var log strings.Builder
	opts := &typed.Options{Socket: &socket.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))}}
	_, at := serve(t, "inproc://typed-errors", opts, func(_ context.Context, what string) (any, error) {
		switch what {
		case "plain":
			return nil, errors.New("no such thing")
		case "coded":
			return nil, fmt.Errorf("lookup: %w", &typed.Error{Code: "not-found", Text: "no order 7"})
		case "panic":
			panic("at the disco")
		case "goexit":
			runtime.Goexit()
		case "unencodable":
			return make(chan int), nil
		case "late":
			return nil, context.DeadlineExceeded
		}
		return "fine", nil
	})
	client := dial[string, string](t, at, nil)
	for _, c := range []struct {
		what, code, text string
		is               error
	}{
		{what: "plain", code: typed.CodeHandler, text: "no such thing"},
		{what: "coded", code: "not-found", text: "no order 7"},
		{what: "panic", code: typed.CodePanic, text: "the handler panicked"},
		{what: "goexit", code: typed.CodePanic, text: "the handler panicked"},
		{what: "unencodable", code: typed.CodeHandler, text: "typed: interface {} as msgpack"},
		{what: "late", code: typed.CodeDeadline, is: context.DeadlineExceeded},
	} {
		_, err := client.Call(soon(t), c.what)
		e, coded := errors.AsType[*typed.Error](err)
		if !coded || e.Code != c.code || !strings.HasPrefix(e.Text, c.text) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: got %v, want code %s, text %q", c.what, err, c.code, c.text)
		}
	}
	if got := must[string](t)(client.Call(soon(t), "still there?")); got != "fine" {
		t.Errorf("after panics: got %q", got)
	}
	if !strings.Contains(log.String(), "at the disco") || !strings.Contains(log.String(), "rpc_test.go") {
		t.Errorf("the log has no panic with its stack: %s", log.String())
	}
}

// The handler has the caller's time, and ends with it.
func TestDeadlineAndCancellationReachTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork(1)
		network.SetLink("client", "server", sockettest.Link{Latency: 10 * time.Millisecond})
		left := make(chan time.Duration, 1)
		ended := make(chan error, 1)
		server, at := serve(t, "mem://server:1", on(network, "server"), func(ctx context.Context, _ int) (int, error) {
			deadline, has := ctx.Deadline()
			if !has {
				deadline = time.Now()
			}
			left <- time.Until(deadline)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return 0, ctx.Err()
		})
		client := dial[int, int](t, at, on(network, "client"))

		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := client.Call(ctx, 1)
		cancel()
		if got := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || got != time.Second {
			t.Errorf("got %v after %v, want a deadline after 1s", err, got)
		}
		if got := <-left; got != time.Second {
			t.Errorf("the handler had %v, want 1s", got)
		}
		// The server's clock starts when the request arrives, 10 ms late, when the cancel arrives, too.
		if err := <-ended; err == nil {
			t.Error("the handler's context has no cause")
		}

		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, cancel)
		begin = time.Now()
		if _, err = client.Call(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		if got := <-left; got != 0 {
			t.Errorf("the handler had a deadline in %v, want none", got)
		}
		err = <-ended
		if got := time.Since(begin); err == nil || got != time.Minute+10*time.Millisecond {
			t.Errorf("the handler ended after %v with %v, want one latency after the client's cancel", got, err)
		}
		synctest.Wait()
		if s := server.Stats(); s.Received != 2 || s.Abandoned+s.Failed != 2 {
			t.Errorf("got %+v, want 2 requests without replies", s)
		}
	})
}

func TestHandlerOfAClientThatIsGoneIsCancelled(t *testing.T) {
	for _, endpoint := range []string{"inproc://typed-gone", "tcp://127.0.0.1:*"} {
		begun, ended := make(chan struct{}), make(chan error)
		_, at := serve(t, endpoint, nil, func(ctx context.Context, _ int) (int, error) {
			close(begun)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return 0, nil
		})
		client := must[*typed.Client[int, int]](t)(typed.NewClient[int, int](nil))
		ok(t, client.Connect(at))
		result := make(chan error)
		go func() { _, err := client.Call(soon(t), 1); result <- err }()
		<-begun
		ok(t, client.Close())
		if err := <-result; !errors.Is(err, ringwire.ErrClosed) {
			t.Errorf("%s: Call of a closed client: got %v, want ErrClosed", endpoint, err)
		}
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "client has gone") {
				t.Errorf("%s: the handler ended with %v, want that the client has gone", endpoint, err)
			}
		case <-soon(t).Done():
			t.Fatalf("%s: the handler was not cancelled", endpoint)
		}
	}
}

// Calls that a server had when it died fail at once, the next ones reach its successor.
func TestClientOutlivesItsServer(t *testing.T) {
	for _, transport := range []string{"inproc", "tcp", "ipc"} {
		t.Run(transport, func(t *testing.T) {
			endpoint := map[string]string{"inproc": "inproc://typed-restart", "tcp": "tcp://127.0.0.1:*", "ipc": "ipc://" + shortPath(t)}[transport]
			begun := make(chan struct{})
			first := must[*typed.Server[int, int]](t)(typed.NewServer(func(ctx context.Context, n int) (int, error) {
				close(begun)
				<-ctx.Done()
				return 0, ctx.Err()
			}, nil))
			at := must[string](t)(first.Bind(endpoint))
			served := make(chan error, 1)
			go func() { served <- first.Serve(context.Background()) }()
			client := dial[int, int](t, at, &typed.Options{Socket: &socket.Options{ReconnectMin: time.Millisecond, ReconnectMax: 10 * time.Millisecond}})
			result := make(chan error, 1)
			go func() { _, err := client.Call(soon(t), 1); result <- err }()
			<-begun
			ok(t, first.Close())
			ok(t, <-served)
			if err := <-result; !errors.Is(err, typed.ErrLost) {
				t.Errorf("got %v, want ErrLost", err)
			}
			serve(t, at, nil, double)
			if got := must[int](t)(client.Call(soon(t), 4)); got != 8 {
				t.Errorf("got %d of the second server, want 8", got)
			}
			if s := client.Stats(); s.Lost != 1 || s.Replied != 1 {
				t.Errorf("got %+v, want 1 lost and 1 replied", s)
			}
		})
	}
}

// Servers come and go while calls are made: each call ends once, with its own reply or
// with an error that says that it was lost.
func TestRestartsLoseNoCall(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			network := sockettest.NewNetwork(seed)
			network.SetLink("client", "server", sockettest.Link{Latency: time.Millisecond, Jitter: 3 * time.Millisecond})
			opts := on(network, "client")
			opts.Socket.ReconnectMin, opts.Socket.ReconnectMax = time.Millisecond, 5*time.Millisecond
			client := must[*typed.Client[question, answer]](t)(typed.NewClient[question, answer](opts))
			defer client.Close()
			ok(t, client.Connect("mem://server:1"))
			stop := make(chan struct{})
			var servers sync.WaitGroup
			servers.Go(func() {
				random := rand.New(rand.NewPCG(seed, 2))
				for {
					server := must[*typed.Server[question, answer]](t)(typed.NewServer(func(_ context.Context, q question) (answer, error) {
						time.Sleep(q.Wait)
						return answer{Asker: q.Asker, Number: q.Number}, nil
					}, on(network, "server")))
					must[string](t)(server.Bind("mem://server:1"))
					servers.Go(func() { server.Serve(context.Background()) })
					select {
					case <-stop:
						server.Close()
						return
					case <-time.After(time.Duration(5+random.IntN(50)) * time.Millisecond):
					}
					if random.IntN(2) == 0 {
						network.Cut("client", "server")
					}
					server.Close()
				}
			})
			var all sync.WaitGroup
			var lost, replied atomic.Int64
			for i := range 300 {
				q := question{Asker: i, Number: i, Wait: time.Duration(random.IntN(20)) * time.Millisecond}
				at := time.Duration(random.IntN(500)) * time.Millisecond
				all.Go(func() {
					time.Sleep(at)
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					switch a, err := client.Call(ctx, q); {
					case errors.Is(err, typed.ErrLost):
						lost.Add(1)
					case err != nil:
						t.Errorf("seed %d: %v", seed, err)
					case a.Asker != q.Asker || a.Number != q.Number:
						t.Errorf("seed %d: got %+v to %+v", seed, a, q)
					default:
						replied.Add(1)
					}
				})
			}
			all.Wait()
			close(stop)
			servers.Wait()
			if s := client.Stats(); s.Calls != 300 || s.Lost != lost.Load() || s.Replied != replied.Load() || s.GivenUp+s.Failed != 0 || replied.Load() == 0 || lost.Load() == 0 {
				t.Errorf("seed %d: got %+v, %d replied and %d lost, want 300 in all", seed, s, replied.Load(), lost.Load())
			}
		})
	}
}

// What a server has taken is answered before it goes, and what comes then is refused.
func TestShutdownAnswersWhatWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers, calls = 4, 20
		network := sockettest.NewNetwork(1)
		release := make(chan struct{})
		var most, now atomic.Int64
		opts := on(network, "server")
		opts.Workers = workers
		server, at := serve(t, "mem://server:1", opts, func(_ context.Context, n int) (int, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			<-release
			return n, nil
		})
		client := dial[int, int](t, at, on(network, "client"))
		results := make(chan error, calls)
		for i := range calls {
			go func() {
				got, err := client.Call(t.Context(), i)
				if err == nil && got != i {
					err = fmt.Errorf("got %d, want %d", got, i)
				}
				results <- err
			}()
		}
		synctest.Wait()
		if s := server.Stats(); s.Running != workers || s.Waiting != calls-workers {
			t.Errorf("got %+v, want %d running, the others waiting", s, workers)
		}
		down := make(chan error, 1)
		go func() { down <- server.Shutdown(t.Context()) }()
		synctest.Wait()
		_, err := client.Call(t.Context(), -1)
		if e, coded := errors.AsType[*typed.Error](err); !coded || e.Code != typed.CodeStopping {
			t.Errorf("got %v, want code %s", err, typed.CodeStopping)
		}
		close(release)
		for range calls {
			ok(t, <-results)
		}
		ok(t, <-down)
		if got := most.Load(); got != workers {
			t.Errorf("%d handlers at once, want %d", got, workers)
		}
	})
}

// Answers that arrived before the connection ended are given to their calls, however
// many there are.
func TestAnswersInFrontOfTheEndCount(t *testing.T) {
	for _, endpoint := range []string{"inproc://typed-last", "tcp://127.0.0.1:*"} {
		for range 20 {
			const calls = 500
			router := must[*socket.Socket](t)(socket.New(pattern.Router, nil))
			client := must[*typed.Client[int, int]](t)(typed.NewClient[int, int](nil))
			ok(t, client.Connect(must[string](t)(router.Bind(endpoint))))
			var all sync.WaitGroup
			for i := range calls {
				all.Go(func() {
					if got, err := client.Call(soon(t), i); err != nil || got != 1 {
						t.Errorf("%s: got %d, %v, want 1", endpoint, got, err)
					}
				})
			}
			replies := make([]*ringwire.Message, calls)
			for i := range replies {
				m := must[*ringwire.Message](t)(router.Recv(soon(t)))
				head := append([]byte(nil), m.Frame(2)[:10]...)
				head[1] = 'R'
				replies[i] = ringwire.NewMessage(append([]byte(nil), m.Frame(0)...), nil, head, []byte{1})
			}
			must[int](t)(router.SendBatch(soon(t), replies))
			ok(t, router.Close())
			all.Wait()
			ok(t, client.Close())
		}
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	server, at := serve(t, "inproc://typed-shutdown", nil, func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	})
	client := dial[int, int](t, at, nil)
	result := make(chan error, 1)
	go func() { _, err := client.Call(soon(t), 1); result <- err }()
	for server.Stats().Running == 0 {
		runtime.Gosched()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if err := <-result; err == nil {
		t.Error("the call of a server that was shut down has succeeded")
	}
}

func TestBusyServerSaysSo(t *testing.T) {
	release := make(chan struct{})
	server, at := serve(t, "inproc://typed-busy", &typed.Options{Workers: 1, Queue: 2}, func(_ context.Context, n int) (int, error) {
		<-release
		return n, nil
	})
	client := dial[int, int](t, at, nil)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			if _, err := client.Call(soon(t), i); err != nil {
				t.Error(err)
			}
		})
		for server.Stats().Received <= int64(i) {
			runtime.Gosched()
		}
	}
	_, err := client.Call(soon(t), 4)
	if e, coded := errors.AsType[*typed.Error](err); !coded || e.Code != typed.CodeBusy {
		t.Errorf("got %v, want code %s", err, typed.CodeBusy)
	}
	close(release)
	all.Wait()
}

// A client whose answers find no room is disconnected, and others are served.
func TestClientThatTakesNoAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork(1)
		network.SetLink("deaf", "server", sockettest.Link{Buffer: 1 << 10})
		opts := on(network, "server")
		opts.Socket.SendHWM, opts.Workers = 1, 2
		server, at := serve(t, "mem://server:1", opts, func(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil })
		deaf := must[*socket.Socket](t)(socket.New(pattern.Dealer, &socket.Options{RecvHWM: 1, Transports: []transport.Transport{network.Host("deaf")}, ReconnectMin: -1, NoLinger: true}))
		defer deaf.Close()
		ok(t, deaf.Connect(at))
		ok(t, deaf.WaitPeers(t.Context(), 1))
		network.Stall("server", "deaf")
		for i := range byte(20) {
			ok(t, deaf.Send(t.Context(), nil, []byte{1, 'Q', 0, 0, 0, 0, 0, 0, 0, i + 1, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{0xcd, 0x10, 0}))
		}
		synctest.Wait()
		if got := server.Stats().Running; got != 2 {
			t.Fatalf("%d workers run, want 2 that wait for room", got)
		}
		client := dial[int, []byte](t, at, on(network, "client"))
		if got := must[[]byte](t)(client.Call(t.Context(), 3)); len(got) != 3 {
			t.Errorf("got %d bytes, want 3", len(got))
		}
		synctest.Wait()
		if s := server.Stats(); s.Running != 0 || s.Abandoned == 0 || server.Socket().Stats().Peers != 1 {
			t.Errorf("got %+v and %d peers, want nothing running, and the deaf client gone", s, server.Socket().Stats().Peers)
		}
	})
}

// Requests that are none are told so where that can be done, and do no harm.
func TestServerAnswersBadRequests(t *testing.T) {
	server, at := serve(t, "inproc://typed-bad", nil, double)
	raw := must[*socket.Socket](t)(socket.New(pattern.Dealer, nil))
	defer raw.Close()
	ok(t, raw.Connect(at))
	number := "\x00\x00\x00\x00\x00\x00\x00\x07"
	never := "\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, c := range []struct {
		frames []string
		number byte
		text   string
	}{
		{[]string{"", "hello"}, 0, "not a typed request, see docs/typed.md: header has version 104, want 1"},
		{[]string{"", "\x01Q"}, 0, "header has 2 bytes, want 18"},
		{[]string{"", "\x01Q" + number, "\x01"}, 7, "header has 10 bytes, want 18"},
		{[]string{"", "\x01X" + number, "\x01"}, 7, "header has kind 'X'"},
		{[]string{"", "\x02Q" + number + never, "\x01"}, 7, "header has version 2"},
		{[]string{"", "\x01Q" + number + never}, 7, "a request has 1 frames after the empty one, want 2"},
		{[]string{"", "\x01Q" + number + never, "\x01", "\x01"}, 7, "a request has 3 frames"},
		{[]string{"", "\x01Q" + number + never, "\xa3abc"}, 7, "sent what is no int by msgpack: a string"},
		{[]string{"", "\x01Q" + number + never, "\xdd\xff\xff\xff\xff"}, 7, "claims more elements than it has bytes"},
	} {
		frames := make([][]byte, len(c.frames))
		for i, f := range c.frames {
			frames[i] = []byte(f)
		}
		ok(t, raw.Send(soon(t), frames...))
		m := must[*ringwire.Message](t)(raw.Recv(soon(t)))
		if m.Len() != 4 || m.Frame(1)[1] != 'E' || m.Frame(1)[9] != c.number || string(m.Frame(2)) != typed.CodeBadRequest || !strings.Contains(string(m.Frame(3)), c.text) {
			t.Errorf("%q: got %v, want an error about request %d that has %q", c.frames, m, c.number, c.text)
		}
	}
	ok(t, raw.Send(soon(t), []byte("no envelope")))
	ok(t, raw.Send(soon(t), nil))
	ok(t, raw.Send(soon(t), nil, []byte("\x01Q"+number+never), []byte{4}))
	m := must[*ringwire.Message](t)(raw.Recv(soon(t)))
	if m.Len() != 3 || string(m.Frame(1)) != "\x01R"+number || string(m.Frame(2)) != "\x08" {
		t.Errorf("got %v, want the reply 8", m)
	}
	// A number is free again when its request is answered or cancelled.
	const again = 300
	for range again {
		ok(t, raw.Send(soon(t), nil, []byte("\x01Q"+number+never), []byte{4}))
		must[*ringwire.Message](t)(raw.Recv(soon(t)))
	}
	// A REQ is a client, too.
	req := must[*socket.Socket](t)(socket.New(pattern.Req, nil))
	defer req.Close()
	ok(t, req.Connect(at))
	m = must[*ringwire.Message](t)(req.Do(soon(t), []byte("\x01Q"+number+never), []byte{5}))
	if m.Len() != 2 || string(m.Frame(1)) != "\x0a" {
		t.Errorf("got %v, want the reply 10", m)
	}
	if s := settled(t, server); s.Received != again+4 || s.Replied != again+2 || s.Failed != 2 || s.Rejected != 9 {
		t.Errorf("got %+v, want %d requests, 2 that could not be decoded, 9 that were none", s, again+4)
	}
}

// Answers that are none, or to other numbers, reach no caller.
func TestClientDropsWhatIsNoReply(t *testing.T) {
	router := must[*socket.Socket](t)(socket.New(pattern.Router, nil))
	defer router.Close()
	at := must[string](t)(router.Bind("inproc://typed-liar"))
	client := dial[int, int](t, at, nil)
	result := make(chan int, 1)
	go func() {
		got, err := client.Call(soon(t), 1)
		if err != nil {
			t.Error(err)
		}
		result <- got
	}()
	m := must[*ringwire.Message](t)(router.Recv(soon(t)))
	id, head := m.Frame(0), append([]byte(nil), m.Frame(2)[:10]...)
	head[1] = 'R'
	other := append([]byte(nil), head...)
	other[9]++
	for _, frames := range [][][]byte{
		{id, []byte("x")}, {id, nil}, {id, nil, []byte("x")}, {id, head, []byte{1}},
		{id, nil, other, {1}}, {id, nil, append([]byte{2}, head[1:]...), {1}}, {id, nil, append([]byte{1, 'Q'}, head[2:]...), {1}},
		{id, nil, head, {7}}, {id, nil, head, {8}},
	} {
		ok(t, router.Send(soon(t), frames...))
	}
	if got := <-result; got != 7 {
		t.Errorf("got %d, want 7", got)
	}
	for client.Stats().Stale < 2 {
		runtime.Gosched()
	}
	if s := client.Stats(); s.Stale != 2 || s.Rejected != 6 || s.Replied != 1 {
		t.Errorf("got %+v, want 2 stale (another number, a second reply), 6 rejected, 1 reply", s)
	}
}

// Through a device, with the envelope that it adds.
func TestCallThroughADevice(t *testing.T) {
	front := must[*socket.Socket](t)(socket.New(pattern.Router, nil))
	back := must[*socket.Socket](t)(socket.New(pattern.Dealer, nil))
	a, b := must[string](t)(front.Bind("inproc://typed-front")), must[string](t)(back.Bind("inproc://typed-back"))
	var pumps sync.WaitGroup
	for _, way := range [][2]*socket.Socket{{front, back}, {back, front}} {
		pumps.Go(func() {
			for m, err := range way[0].Messages(context.Background()) {
				if err != nil || way[1].SendMessage(context.Background(), m) != nil {
					return
				}
			}
		})
	}
	server := must[*typed.Server[int, int]](t)(typed.NewServer(double, nil))
	ok(t, server.Connect(b))
	done := make(chan error, 1)
	go func() { done <- server.Serve(context.Background()) }()
	client := dial[int, int](t, a, nil)
	if got := must[int](t)(client.Call(soon(t), 8)); got != 16 {
		t.Errorf("got %d, want 16", got)
	}
	ok(t, server.Close())
	ok(t, <-done)
	front.Close()
	back.Close()
	pumps.Wait()
}

func TestCallsWithoutAServerSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork(1)
		client := must[*typed.Client[int, int]](t)(typed.NewClient[int, int](on(network, "client")))
		ok(t, client.Connect("mem://server:1"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.Call(ctx, 1)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "mem://server:1") {
			t.Errorf("got %v, want the deadline, the endpoint and that it refused", err)
		}
		if err := client.WaitServers(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 of 1") {
			t.Errorf("got %v, want 0 of 1 servers", err)
		}
		ok(t, client.Close())
		ok(t, client.Close())
		if _, err := client.Call(t.Context(), 1); !errors.Is(err, ringwire.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		if err := client.Connect("mem://server:2"); !errors.Is(err, ringwire.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	})
}

func TestTwoServesAreOneTooMany(t *testing.T) {
	server, at := serve(t, "inproc://typed-two", nil, double)
	must[int](t)(dial[int, int](t, at, nil).Call(soon(t), 1)) // the first one runs
	if err := server.Serve(soon(t)); !errors.Is(err, ringwire.ErrState) {
		t.Errorf("got %v, want ErrState", err)
	}
}

// Serve can end and begin again; what waits meanwhile is not lost.
func TestServeAgain(t *testing.T) {
	server := must[*typed.Server[int, int]](t)(typed.NewServer(double, nil))
	defer server.Close()
	at := must[string](t)(server.Bind("inproc://typed-again"))
	client := dial[int, int](t, at, nil)
	for i := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			got, err := client.Call(soon(t), i)
			if err == nil && got != 2*i {
				err = fmt.Errorf("got %d, want %d", got, 2*i)
			}
			cancel()
			result <- err
		}()
		if err := server.Serve(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		ok(t, <-result)
	}
}
