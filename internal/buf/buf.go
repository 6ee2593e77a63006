// Package buf lends byte buffers in power-of-two sizes, so that bodies of
// large messages and the read buffers of connections are recycled instead of
// collected. It never blocks, never zeroes, and holds nothing that the
// garbage collector may not take.
//
// Ownership: Get gives the buffer to the caller, Put takes it back; a buffer
// that is never put back is collected like any other.
package buf

import (
	"math/bits"
	"sync"
	"unsafe"
)

const (
	minShift = 13 // 8 KiB: below, a buffer is cheaper to make than to share
	maxShift = 22 // 4 MiB: above, keeping one costs more than making it
)

// pools[i] holds buffers of exactly 1<<(minShift+i) bytes, each by the
// pointer to its first byte: a pointer in an interface does not allocate.
var pools [maxShift - minShift + 1]sync.Pool

// class is the index of the smallest class that holds n bytes.
func class(n int) int {
	if n <= 1<<minShift {
		return 0
	}
	return bits.Len(uint(n-1)) - minShift
}

// Get returns a buffer of length n whose content is undefined.
func Get(n int) []byte {
	if b := Try(n); b != nil {
		return b
	}
	c := class(n)
	if c >= len(pools) {
		return make([]byte, n)
	}
	return make([]byte, n, 1<<(minShift+c))
}

// Try is Get without allocating: nil when no buffer lies ready.
func Try(n int) []byte {
	c := class(n)
	if c >= len(pools) {
		return nil
	}
	p, _ := pools[c].Get().(*byte)
	if p == nil {
		return nil
	}
	return unsafe.Slice(p, 1<<(minShift+c))[:n]
}

// Put takes b back. The caller must hold no slice of it any more. A buffer
// whose capacity is not one of our classes is left to the collector.
func Put(b []byte) {
	n := cap(b)
	if n < 1<<minShift || n > 1<<maxShift || n&(n-1) != 0 {
		return
	}
	pools[class(n)].Put(unsafe.SliceData(b[:n]))
}
