package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Both ends run in one process here: good for comparing two versions of the
// library, not for comparing libraries.

func BenchmarkThroughputTCP16(b *testing.B)  { benchmarkThroughput(b, "tcp://127.0.0.1:0", 16) }
func BenchmarkThroughputTCP64(b *testing.B)  { benchmarkThroughput(b, "tcp://127.0.0.1:0", 64) }
func BenchmarkThroughputTCP1K(b *testing.B)  { benchmarkThroughput(b, "tcp://127.0.0.1:0", 1<<10) }
func BenchmarkThroughputTCP64K(b *testing.B) { benchmarkThroughput(b, "tcp://127.0.0.1:0", 64<<10) }

func BenchmarkThroughputIPC16(b *testing.B)  { benchmarkThroughput(b, "ipc://*", 16) }
func BenchmarkThroughputIPC64(b *testing.B)  { benchmarkThroughput(b, "ipc://*", 64) }
func BenchmarkThroughputIPC1K(b *testing.B)  { benchmarkThroughput(b, "ipc://*", 1<<10) }
func BenchmarkThroughputIPC64K(b *testing.B) { benchmarkThroughput(b, "ipc://*", 64<<10) }

func BenchmarkThroughputInproc16(b *testing.B)  { benchmarkThroughput(b, "inproc://thr", 16) }
func BenchmarkThroughputInproc64(b *testing.B)  { benchmarkThroughput(b, "inproc://thr", 64) }
func BenchmarkThroughputInproc1K(b *testing.B)  { benchmarkThroughput(b, "inproc://thr", 1<<10) }
func BenchmarkThroughputInproc64K(b *testing.B) { benchmarkThroughput(b, "inproc://thr", 64<<10) }

func BenchmarkThroughputCurveTCP64(b *testing.B) { benchmarkCurve(b, 64) }
func BenchmarkThroughputCurveTCP1K(b *testing.B) { benchmarkCurve(b, 1<<10) }

func BenchmarkRoundTripTCP64(b *testing.B)    { benchmarkRoundTrip(b, "tcp://127.0.0.1:0", 64) }
func BenchmarkRoundTripIPC64(b *testing.B)    { benchmarkRoundTrip(b, "ipc://*", 64) }
func BenchmarkRoundTripInproc64(b *testing.B) { benchmarkRoundTrip(b, "inproc://lat", 64) }

// connected returns two sockets, the first bound and the second connected to
// it, that are closed at the end of the benchmark.
func connected(b *testing.B, endpoint string, bound, connecting *pattern.Spec) (local, remote *socket.Socket) {
	b.Helper()
	return connectedAs(b, endpoint, bound, connecting, nil, nil)
}

// connectedAs is connected of sockets with options.
func connectedAs(b *testing.B, endpoint string, bound, connecting *pattern.Spec, ofBound, ofConnecting *socket.Options) (local, remote *socket.Socket) {
	b.Helper()
	open := func(spec *pattern.Spec, opts *socket.Options) *socket.Socket {
		s, err := socket.New(spec, opts)
		if err != nil {
			b.Fatal(err)
		}
		// go test has no time limit for benchmarks: a run that hangs ends here.
		guard := time.AfterFunc(2*time.Minute, func() {
			b.Errorf("got no end in 2 minutes: %s has %+v", s.Type(), s.Stats())
			s.Close()
		})
		b.Cleanup(func() {
			guard.Stop()
			if err := s.Close(); err != nil {
				b.Errorf("close %s: got %v, want nil", s.Type(), err)
			}
		})
		return s
	}
	local, remote = open(bound, ofBound), open(connecting, ofConnecting)
	at, err := local.Bind(endpoint)
	if err != nil {
		b.Fatal(err)
	}
	if err := remote.Connect(at); err != nil {
		b.Fatal(err)
	}
	if err := remote.WaitPeers(b.Context(), 1); err != nil {
		b.Fatal(err)
	}
	return local, remote
}

// benchmarkThroughput times b.N messages from the first Send to the last Recv.
func benchmarkThroughput(b *testing.B, endpoint string, size int) {
	pull, push := connected(b, endpoint, pattern.Pull, pattern.Push)
	timeThroughput(b, pull, push, size)
}

// benchmarkCurve is benchmarkThroughput over tcp, encrypted.
func benchmarkCurve(b *testing.B, size int) {
	server, client := new(socket.Options), new(socket.Options)
	if err := errors.Join(encrypt(server, true), encrypt(client, false)); err != nil {
		b.Fatal(err)
	}
	pull, push := connectedAs(b, "tcp://127.0.0.1:0", pattern.Pull, pattern.Push, server, client)
	timeThroughput(b, pull, push, size)
}

func timeThroughput(b *testing.B, pull, push *socket.Socket, size int) {
	b.Helper()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	sent := make(chan error, 1)
	b.ResetTimer()
	go func() {
		buffer := make([]byte, size)
		for range b.N {
			if err := push.Send(context.Background(), buffer); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	var m ringwire.Message
	for i := range b.N {
		if err := pull.RecvInto(context.Background(), &m); err != nil {
			b.Fatal(err)
		}
		if got := len(m.Frame(0)); got != size {
			b.Fatalf("message %d: got %d bytes, want %d", i, got, size)
		}
	}
	b.StopTimer()
	m.Release()
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// benchmarkRoundTrip times b.N requests and their replies.
func benchmarkRoundTrip(b *testing.B, endpoint string, size int) {
	rep, req := connected(b, endpoint, pattern.Rep, pattern.Req)
	b.ReportAllocs()
	replied := make(chan error, 1)
	go func() {
		var m ringwire.Message
		defer m.Release()
		for range b.N {
			if err := rep.RecvInto(context.Background(), &m); err != nil {
				replied <- err
				return
			}
			if err := rep.Send(context.Background(), m.Frame(0)); err != nil {
				replied <- err
				return
			}
		}
		replied <- nil
	}()
	buffer := make([]byte, size)
	var m ringwire.Message
	b.ResetTimer()
	for i := range b.N {
		if err := req.Send(context.Background(), buffer); err != nil {
			b.Fatal(err)
		}
		if err := req.RecvInto(context.Background(), &m); err != nil {
			b.Fatal(err)
		}
		if got := len(m.Frame(0)); got != size {
			b.Fatalf("reply %d: got %d bytes, want %d", i, got, size)
		}
	}
	b.StopTimer()
	m.Release()
	if err := <-replied; err != nil {
		b.Fatal(err)
	}
}
