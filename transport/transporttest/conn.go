package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

func (k kit) echo(t *testing.T) {
	dialed, taken := k.pair(t)
	exchange(t, dialed, taken, "to the listener")
	exchange(t, taken, dialed, "to the dialer")
}

// exchange writes a text at one end and expects it at the other.
func exchange(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	if n, err := from.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write(%q) = %d, %v", text, n, err)
	}
	got := make([]byte, len(text))
	if n, err := io.ReadFull(to, got); err != nil {
		t.Fatalf("read %q: %v after %q", text, err, got[:n])
	}
	if string(got) != text {
		t.Fatalf("read %q, want %q", got, text)
	}
}

// large sends far more than both kernel buffers hold, in both directions.
func (k kit) large(t *testing.T) {
	const size, seed = 8 << 20, 1
	dialed, taken := k.pair(t)
	noise := func(stream byte) []byte {
		data := make([]byte, size)
		rand.NewChaCha8([32]byte{seed, stream}).Read(data)
		return data
	}
	up, down := noise(1), noise(2)
	results := make(chan error, 4)
	send := func(conn net.Conn, data []byte) {
		n, err := conn.Write(data)
		if err != nil {
			err = fmt.Errorf("write, after %d bytes: %w", n, err)
		}
		results <- err
	}
	take := func(conn net.Conn, want []byte) {
		got := make([]byte, size)
		n, err := io.ReadFull(conn, got)
		if err == nil && !bytes.Equal(got, want) {
			err = errors.New("other bytes than were sent")
		}
		if err != nil {
			err = fmt.Errorf("read, after %d bytes: %w", n, err)
		}
		results <- err
	}
	go send(dialed, up)
	go send(taken, down)
	go take(taken, up)
	go take(dialed, down)
	for range cap(results) {
		if err := receive(t, results, "transfer did not end"); err != nil {
			t.Errorf("transfer of %d bytes each way: %v", size, err)
		}
	}
}

// deadline tries often: the deadline falls before, while and after the reader
// parks, and must wake it in each case.
func (k kit) deadline(t *testing.T) {
	dialed, taken := k.pair(t)
	for round := range 100 {
		results := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			close(started)
			_, err := dialed.Read(make([]byte, 1))
			results <- err
		}()
		<-started
		for range round {
			runtime.Gosched()
		}
		if err := dialed.SetReadDeadline(time.Unix(1, 0)); err != nil {
			t.Fatalf("SetReadDeadline: %v", err)
		}
		err := receive(t, results, "the read was not woken")
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("round %d: read ended with %v, want os.ErrDeadlineExceeded", round, err)
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatalf("round %d: %v is not a net.Error with Timeout", round, err)
		}
		if err := dialed.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatalf("SetReadDeadline: %v", err)
		}
		exchange(t, taken, dialed, "still here")
	}
}

func (k kit) closeWakes(t *testing.T) {
	for range 20 {
		dialed, taken := k.pair(t)
		results := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			close(started)
			_, err := dialed.Read(make([]byte, 1))
			results <- err
		}()
		<-started
		runtime.Gosched()
		if err := dialed.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if err := receive(t, results, "the read was not woken"); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("read ended with %v, want net.ErrClosed", err)
		}
		if _, err := dialed.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Fatalf("write after Close: %v, want net.ErrClosed", err)
		}
		taken.Close()
	}
}

func (k kit) drain(t *testing.T) {
	dialed, taken := k.pair(t)
	const text = "last words"
	if _, err := dialed.Write([]byte(text)); err != nil {
		t.Fatalf("Write: %v", err)
	}
	if err := dialed.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	got, err := io.ReadAll(taken)
	if err != nil || string(got) != text {
		t.Fatalf("read %q, %v, want %q and then EOF", got, err, text)
	}
}

func (k kit) halfClose(t *testing.T) {
	dialed, taken := k.pair(t)
	half, ok := dialed.(interface{ CloseWrite() error })
	if !ok {
		t.Skipf("%T has no CloseWrite", dialed)
	}
	exchange(t, dialed, taken, "before")
	if err := half.CloseWrite(); err != nil {
		t.Fatalf("CloseWrite: %v", err)
	}
	if n, err := taken.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read at the far end: %d, %v, want 0, EOF", n, err)
	}
	exchange(t, taken, dialed, "the other direction lives")
}

func (k kit) outlive(t *testing.T) {
	l := k.listen(t)
	dialed, taken := k.connect(t, l)
	if err := l.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	exchange(t, dialed, taken, "up")
	exchange(t, taken, dialed, "down")
}
