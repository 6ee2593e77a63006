package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
	"github.com/ringwire/ringwire/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// file is a file that takes no memory: a block over and over again. It knows how far it
// was read.
type file struct {
	block []byte
	size  int64
	read  atomic.Int64
}

func newFile(size int64) *file {
	// The length of the block divides no chunk: every chunk is different.
	block := make([]byte, 1<<20+7)
	rand.NewChaCha8([32]byte{1}).Read(block)
	return &file{block: block, size: size}
}

func (f *file) ReadAt(b []byte, offset int64) (n int, err error) {
	for n < len(b) && offset+int64(n) < f.size {
		from := f.block[(offset+int64(n))%int64(len(f.block)):]
		n += copy(b[n:min(int64(len(b)), f.size-offset)], from)
	}
	f.read.Store(min(offset+int64(n), f.size))
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Close() error { return nil }

func (f *file) open(name string) (source, error) {
	if name != "file" {
		return nil, fs.ErrNotExist
	}
	return f, nil
}

func (f *file) sum(t *testing.T) [32]byte {
	t.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.size)); err != nil {
		t.Fatal(err)
	}
	f.read.Store(0)
	return [32]byte(h.Sum(nil))
}

// writer calls a function with how much was written before each Write.
type writer struct {
	io.Writer
	written int64
	before  func(written int64)
}

func (w *writer) Write(b []byte) (int, error) {
	w.before(w.written)
	n, err := w.Writer.Write(b)
	w.written += int64(n)
	return n, err
}

// start starts a server, until the test or its bubble ends.
func start(t *testing.T, endpoint string, f *file, options socket.Options) (bound string, kill func()) {
	t.Helper()
	s, bound, err := listen(endpoint, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { serve(ctx, s, f.open) })
	kill = func() { cancel(); wg.Wait(); s.Close() }
	t.Cleanup(kill)
	return bound, kill
}

// TestFiftyMegabytes: they arrive as they are, and on the way no more of them is in
// memory than the credit: neither was more read than that, nor did the heap grow.
func TestFiftyMegabytes(t *testing.T) {
	const chunk, window = 256 << 10, 8
	f := newFile(50 << 20)
	want := f.sum(t)
	endpoint, _ := start(t, "tcp://127.0.0.1:*", f, socket.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	base, most, grown, chunks := heap(), int64(0), int64(0), 0
	h := sha256.New()
	w := &writer{Writer: h, before: func(written int64) {
		most = max(most, f.read.Load()-written)
		if chunks++; chunks%20 == 0 {
			grown = max(grown, heap()-base)
		}
	}}
	got, err := fetch(ctx, endpoint, "file", w, Config{Chunk: chunk, Window: window, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if sum := [32]byte(h.Sum(nil)); sum != want || got.bytes != f.size {
		t.Errorf("got %d bytes with sum %x, want %d with sum %x", got.bytes, sum, f.size, want)
	}
	if credit := int64(chunk * window); most > credit {
		t.Errorf("%d bytes were read and not written, want at most %d", most, credit)
	}
	// Each chunk may be in memory twice, at the sender and at the receiver; 4 MiB are
	// for buffers of the connection.
	if limit := int64(2*chunk*window + 4<<20); grown > limit {
		t.Errorf("the heap grew by %d bytes, want at most %d", grown, limit)
	}
}

// TestASlowReceiver: the server reads as much as it has credit for, and stops.
func TestASlowReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const chunk, window = 1000, 4
		f := newFile(100_500)
		want := f.sum(t)
		endpoint, _ := start(t, "inproc://server", f, socket.Options{})
		h := sha256.New()
		w := &writer{Writer: h, before: func(written int64) {
			synctest.Wait() // until nothing moves any more
			if got, want := f.read.Load(), min(written+chunk*window, f.size); got != want {
				t.Errorf("with %d bytes written, %d were read, want %d", written, got, want)
			}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		if _, err := fetch(ctx, endpoint, "file", w, Config{Chunk: chunk, Window: window}); err != nil {
			t.Fatal(err)
		}
		if sum := [32]byte(h.Sum(nil)); sum != want {
			t.Errorf("got sum %x, want %x", sum, want)
		}
	})
}

// TestATransferGoesOn: after the connection was cut, and after the server was started
// again; every byte is written once.
func TestATransferGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := sockettest.NewNetwork(1)
		at := func(host string) socket.Options {
			return socket.Options{Transports: []transport.Transport{network.Host(host)}, NoLinger: true}
		}
		f := newFile(1_000_000)
		want := f.sum(t)
		endpoint, kill := start(t, "mem://server:1", f, at("server"))
		h := sha256.New()
		chunks := 0
		w := &writer{Writer: h, before: func(int64) {
			switch chunks++; chunks {
			case 20, 40:
				network.Cut("client", "server")
			case 60:
				kill()
				_, kill = start(t, endpoint, f, at("server"))
			}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of the bubble's clock
		defer cancel()
		got, err := fetch(ctx, endpoint, "file", w, Config{Chunk: 10_000, Socket: at("client")})
		if err != nil {
			t.Fatal(err)
		}
		if sum := [32]byte(h.Sum(nil)); sum != want || got.bytes != f.size {
			t.Errorf("got %d bytes with sum %x, want %d with sum %x", got.bytes, sum, f.size, want)
		}
		if got.again == 0 {
			t.Error("nothing was asked for again: nothing was lost, and this test shows nothing")
		}
	})
}

// TestFilesOfTheDirectoryOnly: and an error that says what the server says, not what
// there is.
func TestFilesOfTheDirectoryOnly(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside")
	if err := errors.Join(os.Mkdir(inside, 0o700), os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600),
		os.WriteFile(filepath.Join(inside, "empty"), nil, 0o600), os.WriteFile(filepath.Join(inside, "small"), []byte("small"), 0o600)); err != nil {
		t.Fatal(err)
	}
	const endpoint = "inproc://files"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error)
	go func() { ended <- runServer(ctx, endpoint, inside) }()
	for name, want := range map[string]string{"small": "small", "empty": "", "../secret": "error", "missing": "error", filepath.Join(dir, "secret"): "error"} {
		var b bytes.Buffer
		_, err := fetch(ctx, endpoint, name, &b, Config{})
		if want == "error" {
			if err == nil || !strings.Contains(err.Error(), "the server says") {
				t.Errorf("%s: got %q, %v, want an error of the server", name, b.String(), err)
			}
		} else if err != nil || b.String() != want {
			t.Errorf("%s: got %q, %v, want %q", name, b.String(), err, want)
		}
	}
	if _, err := fetch(ctx, endpoint, "small", io.Discard, Config{Chunk: maxChunk + 1}); err == nil || !strings.Contains(err.Error(), "want at most 1048576") {
		t.Errorf("a chunk that is too long: got %v, want an error of the server", err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the server ended with %v, want context.Canceled", err)
	}
}

func TestTheStory(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), 1<<20, &out); err != nil {
		t.Fatal(err)
	}
	var sums []string
	for line := range strings.Lines(out.String()) {
		if _, sum, found := strings.Cut(line, " is "); found {
			sums = append(sums, sum)
		}
	}
	if len(sums) != 2 || sums[0] != sums[1] {
		t.Errorf("got sums %q, want two that are the same:\n%s", sums, out.String())
	}
}
