package sockettest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
)

// TestLatency: a dial takes exactly a round trip, bytes and the end of the
// stream exactly one way, each direction its own.
func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		n.SetOneWay("a", "b", sockettest.Link{Latency: 30 * time.Millisecond})
		n.SetOneWay("b", "a", sockettest.Link{Latency: 500 * time.Millisecond})
		start := time.Now()
		took := func(what string, want time.Duration) {
			t.Helper()
			if got := time.Since(start); got != want {
				t.Errorf("%s took %v, want %v", what, got, want)
			}
			start = time.Now()
		}
		a, b := connect(t, n)
		took("dial", 530*time.Millisecond)
		write(t, a, "there")
		took("write", 0)
		want(t, b, "there")
		took("there", 30*time.Millisecond)
		write(t, b, "back")
		want(t, a, "back")
		took("back", 500*time.Millisecond)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Hour})
		write(t, a, "first")
		time.Sleep(time.Minute)
		n.SetLink("a", "b", sockettest.Link{}) // does not overtake
		write(t, a, " second")
		want(t, b, "first second")
		took("an hour", time.Hour)
		n.SetLink("a", "b", sockettest.Link{Latency: time.Second})
		a.Close()
		if got, err := readError(t, b); got != "" || err != io.EOF {
			t.Errorf("read %q, %v, want EOF", got, err)
		}
		took("close", time.Second)
	})
}

// TestBandwidth: packets arrive one by one, connections share the link.
func TestBandwidth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := sockettest.NewNetwork(1)
		a1, b1 := connect(t, n)
		a2, b2 := connect(t, n)
		n.SetOneWay("a", "b", sockettest.Link{Bandwidth: 1460, Latency: time.Second / 2})
		start := time.Now()
		write(t, a1, strings.Repeat("1", 3*1460+730))
		write(t, a2, strings.Repeat("2", 1460))
		for i := range 3 {
			want(t, b1, strings.Repeat("1", 1460))
			if got, want := time.Since(start), time.Duration(i+1)*time.Second+time.Second/2; got != want {
				t.Errorf("packet %d came after %v, want %v", i, got, want)
			}
		}
		want(t, b1, strings.Repeat("1", 730))
		want(t, b2, strings.Repeat("2", 1460))
		if got, want := time.Since(start), 5*time.Second; got != want {
			t.Errorf("the last packet came after %v, want %v", got, want)
		}
		// An idle link does not save up.
		time.Sleep(time.Hour)
		start = time.Now()
		write(t, a1, strings.Repeat("3", 1460))
		want(t, b1, strings.Repeat("3", 1460))
		if got, want := time.Since(start), 1500*time.Millisecond; got != want {
			t.Errorf("after a pause: %v, want %v", got, want)
		}
	})
}

// TestJitter: it is within bounds, varies, repeats with the seed, and never
// reorders.
func TestJitter(t *testing.T) {
	arrivals := func(t *testing.T, seed uint64) (list []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			n := sockettest.NewNetwork(seed)
			a, b := connect(t, n)
			n.SetLink("a", "b", sockettest.Link{Latency: 10 * time.Millisecond, Jitter: 90 * time.Millisecond})
			start := time.Now()
			sent := later(func() error {
				for i := range 200 {
					if _, err := a.Write([]byte{byte(i)}); err != nil {
						return err
					}
					time.Sleep(7 * time.Millisecond)
				}
				return nil
			})
			buf := make([]byte, 1)
			for i := range 200 {
				if _, err := b.Read(buf); err != nil || buf[0] != byte(i) {
					t.Fatalf("byte %d is %d, %v", i, buf[0], err)
				}
				delay := time.Since(start) - time.Duration(i)*7*time.Millisecond
				if delay < 10*time.Millisecond || delay > 100*time.Millisecond {
					t.Errorf("seed %d: byte %d took %v, want 10ms to 100ms", seed, i, delay)
				}
				list = append(list, delay)
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
		return list
	}
	first, again, other := fmt.Sprint(arrivals(t, 1)), fmt.Sprint(arrivals(t, 1)), fmt.Sprint(arrivals(t, 2))
	if first != again {
		t.Errorf("seed 1 gave two results:\n%v\n%v", first, again)
	}
	if first == other {
		t.Errorf("seeds 1 and 2 gave the same: %v", first)
	}
}

// TestBuffer: Write waits when the buffer is full, for a Read or its deadline,
// and says how much it has written.
func TestBuffer(t *testing.T) {
	for _, size := range []int{0, 1, 1000} {
		synctest.Test(t, func(t *testing.T) {
			n := sockettest.NewNetwork(1)
			n.SetLink("a", "b", sockettest.Link{Buffer: size, Latency: time.Minute})
			a, b := connect(t, n)
			room := size
			if room == 0 {
				room = 64 << 10
			}
			a.SetWriteDeadline(time.Now().Add(time.Second))
			k, err := a.Write(make([]byte, room+1))
			if k != room || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Buffer %d: Write = %d, %v, want %d and a deadline", size, k, err, room)
			}
			a.SetWriteDeadline(time.Time{})
			start := time.Now()
			result := later(func() error { _, err := a.Write([]byte("x")); return err })
			synctest.Wait()
			pending(t, "Write", result)
			if k, err := b.Read(make([]byte, 1)); k != 1 || err != nil {
				t.Fatalf("Read = %d, %v", k, err)
			}
			if err := <-result; err != nil {
				t.Error(err)
			}
			if got, want := time.Since(start), time.Minute-time.Second; got != want {
				t.Errorf("the room came after %v, want %v", got, want)
			}
		})
	}
}

// TestPieces: reads and writes are partial, of all sizes, and nothing is lost
// or reordered; the sizes repeat with the seed.
func TestPieces(t *testing.T) {
	for _, link := range []sockettest.Link{{MaxRead: 7}, {MaxWrite: 7}, {MaxRead: 5, MaxWrite: 7}} {
		sizes := func(t *testing.T, seed uint64) (list []int) {
			synctest.Test(t, func(t *testing.T) {
				n := sockettest.NewNetwork(seed)
				n.SetLink("a", "b", link)
				a, b := connect(t, n)
				data := make([]byte, 5000)
				rand.NewChaCha8([32]byte{1}).Read(data)
				write(t, a, string(data))
				a.Close()
				most := max(link.MaxRead, link.MaxWrite)
				if link.MaxRead > 0 {
					most = link.MaxRead
				}
				var got []byte
				seen := make(map[int]bool)
				buf := make([]byte, 4096)
				for {
					k, err := b.Read(buf)
					if err == io.EOF {
						break
					}
					if err != nil || k < 1 || k > most {
						t.Fatalf("%+v: Read = %d, %v, want 1 to %d", link, k, err, most)
					}
					got = append(got, buf[:k]...)
					list, seen[k] = append(list, k), true
				}
				if !bytes.Equal(got, data) || len(seen) != most {
					t.Errorf("%+v: got %d bytes in reads of %v, want the %d that were sent in reads of 1 to %d", link, len(got), seen, len(data), most)
				}
			})
			return list
		}
		first, again, other := fmt.Sprint(sizes(t, 1)), fmt.Sprint(sizes(t, 1)), fmt.Sprint(sizes(t, 2))
		if first != again || first == other {
			t.Errorf("%+v: seed 1 twice: same %v, seeds 1 and 2: same %v, want true, false", link, first == again, first == other)
		}
	}
}

// TestCorrupt: about the given share of bytes is changed, none is lost or
// added; 1 changes all of them.
func TestCorrupt(t *testing.T) {
	for _, chance := range []float64{0, 0.01, 1} {
		corrupted := func(t *testing.T, seed uint64) (at []int) {
			synctest.Test(t, func(t *testing.T) {
				const size = 50_000
				n := sockettest.NewNetwork(seed)
				n.SetOneWay("a", "b", sockettest.Link{Corrupt: chance})
				a, b := connect(t, n)
				write(t, b, "the other direction is clean")
				want(t, a, "the other direction is clean")
				write(t, a, strings.Repeat("x", size))
				a.Close()
				got, err := readError(t, b)
				if err != io.EOF || len(got) != size {
					t.Fatalf("chance %v: %d bytes, %v, want %d, EOF", chance, len(got), err, size)
				}
				for i := range len(got) {
					if got[i] != 'x' {
						at = append(at, i)
					}
				}
				if want := size * chance; float64(len(at)) < 0.8*want || float64(len(at)) > 1.2*want {
					t.Errorf("chance %v, seed %d: %d bytes changed, want about %v", chance, seed, len(at), want)
				}
			})
			return at
		}
		if first, again := corrupted(t, 1), corrupted(t, 1); fmt.Sprint(first) != fmt.Sprint(again) {
			t.Errorf("chance %v: seed 1 gave two results", chance)
		}
	}
}

// TestResetAfter: a connection that is cut at an offset delivers exactly the
// bytes before it, then both ends are reset.
func TestResetAfter(t *testing.T) {
	for _, piece := range []int{1, 3, 10, 100} {
		for cut := int64(1); cut <= 40; cut++ {
			synctest.Test(t, func(t *testing.T) {
				n := sockettest.NewNetwork(1)
				a, b := connect(t, n)
				n.SetOneWay("a", "b", sockettest.Link{ResetAfter: cut, Latency: time.Second})
				sent := 0
				for {
					k, err := a.Write(make([]byte, piece))
					sent += k
					if err != nil {
						if !errors.Is(err, syscall.ECONNRESET) {
							t.Errorf("pieces of %d, cut at %d: writer got %v", piece, cut, err)
						}
						break
					}
				}
				if got, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("pieces of %d, cut at %d: writer read %v, %v", piece, cut, got, err)
				}
				got, err := readError(t, b)
				if int64(sent) != cut || int64(len(got)) != cut || !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("pieces of %d, cut at %d: %d bytes were written and %d read, then %v", piece, cut, sent, len(got), err)
				}
				if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("pieces of %d, cut at %d: write at the far end: %v", piece, cut, err)
				}
			})
		}
	}
}

// TestLinkWithoutMeaning: a mistake in a test is not taken for a perfect link.
func TestLinkWithoutMeaning(t *testing.T) {
	n := sockettest.NewNetwork(1)
	for name, f := range map[string]func(){
		"latency": func() { n.SetLink("a", "b", sockettest.Link{Latency: -1}) },
		"buffer":  func() { n.SetOneWay("a", "b", sockettest.Link{Buffer: -1}) },
		"corrupt": func() { n.SetLink("a", "b", sockettest.Link{Corrupt: 1.1}) },
		"name":    func() { n.SetLink("a", "b:1", sockettest.Link{}) },
		"host":    func() { n.Host("") },
		"stall":   func() { n.Stall("a", "mem://b") },
		"cut":     func() { n.Cut("", "b") },
		"vanish":  func() { n.Vanish("*") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
