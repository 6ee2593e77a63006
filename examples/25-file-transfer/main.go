// File transfer: a large file in chunks, of which the receiver has a few on their way.
//
// The problem: a server that sends a file as fast as it can read it fills queues and
// memory when the receiver is slow, and starts from the beginning when the connection
// is lost; one that waits for an acknowledgement of each chunk is as slow as the round
// trip. The pattern: the receiver gives credit. It asks for a window of chunks at once,
// and for one more whenever it has written one. So there is always work under way, and
// never more of it than the credit, wherever it is slow.
//
// Frames, DEALER to ROUTER and back, with numbers most significant first:
//
//	"GET" name offset length      8 bytes and 4 bytes
//	"OK" offset data              8 bytes; less data than asked for: the file ends there
//	"ERROR" offset text
//
// Each request says all that is needed, so the server remembers nothing about clients:
// when one goes, or the server is started again, there is nothing to clear up, and the
// client asks again for what it misses. Chunks come in the order in which they were
// asked for; after a loss the client asks again from the first one that is missing, and
// drops what does not fit.
//
// Without arguments, one program serves a file of 50 MiB and fetches it over tcp.
// Notice that the sums are the same, and how little was under way at any time.
//
//	go run ./examples/25-file-transfer
//	go run ./examples/25-file-transfer -role server -dir .
//	go run ./examples/25-file-transfer -role client -name README.md -out copy.md
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
)

func main() {
	role := flag.String("role", "", "server or client; empty: both, in a story")
	bind := flag.String("bind", "tcp://127.0.0.1:5525", "where the server is")
	connect := flag.String("connect", "tcp://127.0.0.1:5525", "where the client finds it")
	dir := flag.String("dir", ".", "whose files the server gives away")
	name := flag.String("name", "", "of the file that the client fetches")
	target := flag.String("out", "", "where the client writes it")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "25-file-transfer: argument %q: want flags only, see -help\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var err error
	switch *role {
	case "":
		err = run(ctx, 50<<20, os.Stdout)
	case "server":
		err = runServer(ctx, *bind, *dir)
	case "client":
		err = fetchFile(ctx, *connect, *name, *target, os.Stdout)
	default:
		err = fmt.Errorf("role %q: want server or client", *role)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "25-file-transfer:", err)
		os.Exit(1)
	}
}

// runServer gives away the files of a directory, and of nothing outside of it.
func runServer(ctx context.Context, endpoint, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	s, _, err := listen(endpoint, socket.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	return serve(ctx, s, openIn(root))
}

// openIn opens files of a directory: an os.Root refuses "../" and links that lead out.
func openIn(root *os.Root) func(name string) (source, error) {
	return func(name string) (source, error) { return root.Open(name) }
}

// fetchFile fetches a file into another.
func fetchFile(ctx context.Context, endpoint, name, target string, out io.Writer) error {
	f, err := os.Create(target)
	if err != nil {
		return err
	}
	sum := sha256.New()
	got, err := fetch(ctx, endpoint, name, io.MultiWriter(f, sum), Config{})
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(target))
	}
	fmt.Fprintf(out, "fetched %d bytes in %d chunks, of which %d KiB at most were under way\n", got.bytes, got.chunks, got.underWay>>10)
	fmt.Fprintf(out, "its SHA-256 is %x\n", sum.Sum(nil))
	return nil
}

// run is the story, with a file of so many bytes.
func run(ctx context.Context, size int64, out io.Writer) error {
	dir, err := os.MkdirTemp("", "file-transfer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "original"))
	if err != nil {
		return err
	}
	sum := sha256.New()
	random := rand.NewChaCha8([32]byte{})
	if _, err := io.CopyN(io.MultiWriter(f, sum), random, size); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	fmt.Fprintf(out, "the SHA-256 of the original is %x\n", sum.Sum(nil))

	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	s, endpoint, err := listen("tcp://127.0.0.1:*", socket.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { serve(ctx, s, openIn(root)) }) // ends with ctx

	return fetchFile(ctx, endpoint, "original", filepath.Join(dir, "copy"), out)
}
