package buf_test

import (
	"sync"
	"testing"

	"github.com/ringwire/ringwire/internal/buf"
)

func TestGetLength(t *testing.T) {
	for _, n := range []int{0, 1, 8191, 8192, 8193, 65536, 65537, 4 << 20, 4<<20 + 1} {
		b := buf.Get(n)
		if len(b) != n {
			t.Errorf("Get(%d) has %d bytes", n, len(b))
		}
		if n <= 4<<20 && (cap(b) < 8<<10 || cap(b)&(cap(b)-1) != 0) {
			t.Errorf("Get(%d) has room for %d bytes, want a power of two from 8192 on", n, cap(b))
		}
		buf.Put(b)
		if got := buf.Try(n); got != nil && len(got) != n {
			t.Errorf("Try(%d) has %d bytes", n, len(got))
		}
	}
}

// TestPutForeign: buffers that are not of one of our classes are never lent.
func TestPutForeign(t *testing.T) {
	for _, n := range []int{0, 1, 100, 8191, 12288, 5 << 20, 8 << 20} {
		b := make([]byte, n)
		buf.Put(b)
		for range 16 {
			if got := buf.Try(n); n > 0 && got != nil && &got[0] == &b[0] {
				t.Errorf("a buffer of %d bytes that is not ours was lent", n)
			}
		}
	}
	buf.Put(nil)
}

// TestOneOwner: a buffer is lent to one goroutine at a time.
func TestOneOwner(t *testing.T) {
	var wg sync.WaitGroup
	for id := range 4 {
		wg.Go(func() {
			for range 2000 {
				b := buf.Get(9000)
				for i := range b {
					b[i] = byte(id)
				}
				for i := range b {
					if b[i] != byte(id) {
						t.Errorf("byte %d of the buffer of %d was written by %d", i, id, b[i])
						return
					}
				}
				buf.Put(b)
			}
		})
	}
	wg.Wait()
}
