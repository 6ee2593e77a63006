package main

import (
	"context"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// BenchmarkCalls has messages of 64 bytes sent and received by different calls, which
// do the same work: what differs is the call. docs/tuning.md has what came of it.
func BenchmarkCalls(b *testing.B) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "inproc://calls"} {
		name := "tcp"
		if endpoint == "inproc://calls" {
			name = "inproc"
		}
		b.Run(name+"/Send-RecvInto", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendEach, recvInto) })
		b.Run(name+"/ctx", func(b *testing.B) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			benchmarkCalls(b, endpoint, ctx, sendEach, recvInto)
		})
		b.Run(name+"/Recv-Release", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendEach, recvRelease) })
		b.Run(name+"/Recv", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendEach, recvKeep) })
		b.Run(name+"/Messages-Release", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendEach, messages) })
		b.Run(name+"/SendMessage-RecvInto", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendMessage, recvInto) })
		b.Run(name+"/SendBatch-RecvInto", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendBatch, recvInto) })
		b.Run(name+"/Send-RecvBatch", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendEach, recvBatch) })
		b.Run(name+"/SendBatch-RecvBatch", func(b *testing.B) { benchmarkCalls(b, endpoint, context.Background(), sendBatch, recvBatch) })
	}
}

const (
	callSize  = 64
	callBatch = 100
)

func benchmarkCalls(b *testing.B, endpoint string, ctx context.Context, send, recv func(context.Context, *socket.Socket, int) error) {
	pull, push := connected(b, endpoint, pattern.Pull, pattern.Push)
	b.ReportAllocs()
	sent := make(chan error, 1)
	b.ResetTimer()
	go func() { sent <- send(ctx, push, b.N) }()
	if err := recv(ctx, pull, b.N); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
}

func sendEach(ctx context.Context, push *socket.Socket, n int) error {
	body := make([]byte, callSize)
	for range n {
		if err := push.Send(ctx, body); err != nil {
			return err
		}
	}
	return nil
}

// sendMessage gives away messages: their bodies are all the same bytes, which nobody
// changes.
func sendMessage(ctx context.Context, push *socket.Socket, n int) error {
	body := make([]byte, callSize)
	for range n {
		if err := push.SendMessage(ctx, ringwire.NewMessage(body)); err != nil {
			return err
		}
	}
	return nil
}

func sendBatch(ctx context.Context, push *socket.Socket, n int) error {
	body := make([]byte, callSize)
	batch := make([]*ringwire.Message, callBatch)
	for n > 0 {
		part := batch[:min(n, callBatch)]
		for i := range part {
			part[i] = ringwire.NewMessage(body)
		}
		if _, err := push.SendBatch(ctx, part); err != nil {
			return err
		}
		n -= len(part)
	}
	return nil
}

func recvInto(ctx context.Context, pull *socket.Socket, n int) error {
	var m ringwire.Message
	defer m.Release()
	for range n {
		if err := pull.RecvInto(ctx, &m); err != nil {
			return err
		}
	}
	return nil
}

func recvRelease(ctx context.Context, pull *socket.Socket, n int) error {
	for range n {
		m, err := pull.Recv(ctx)
		if err != nil {
			return err
		}
		m.Release()
	}
	return nil
}

func recvKeep(ctx context.Context, pull *socket.Socket, n int) error {
	for range n {
		if _, err := pull.Recv(ctx); err != nil {
			return err
		}
	}
	return nil
}

func messages(ctx context.Context, pull *socket.Socket, n int) error {
	if n == 0 {
		return nil
	}
	for m, err := range pull.Messages(ctx) {
		if err != nil {
			return err
		}
		m.Release()
		if n--; n == 0 {
			break
		}
	}
	return nil
}

func recvBatch(ctx context.Context, pull *socket.Socket, n int) error {
	batch := make([]*ringwire.Message, callBatch)
	for n > 0 {
		got, err := pull.RecvBatch(ctx, batch[:min(n, callBatch)])
		if err != nil {
			return err
		}
		n -= got
	}
	return nil
}
