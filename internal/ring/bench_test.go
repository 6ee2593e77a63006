package ring

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// message stands for what the ring carries: about 200 bytes with a buffer in it,
// moved by a method, of which a small message touches the first cache line.
type message struct {
	seq    uint64
	header [56]byte
	buf    []byte
	_      [104]byte
}

// moveTo moves the content of m to dst; the buffers change places.
func (m *message) moveTo(dst *message) {
	dst.seq = m.seq
	dst.header = m.header
	dst.buf, m.buf = m.buf, dst.buf
}

// BenchmarkStream sends from one goroutine to another, with a bound of 1000, and
// publishes after every batch. Run it with
//
//	go test -run '^$' -bench . -count 10 ./internal/ring
func BenchmarkStream(b *testing.B) {
	for _, batch := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			benchmarkStream(b, batch)
		})
	}
}

func benchmarkStream(b *testing.B, batch int) {
	var r Ring[message]
	r.Init(1000)
	b.ReportAllocs()
	b.ResetTimer()
	finished := make(chan uint64)
	go func() {
		var wrong uint64
		for i := range uint64(b.N) {
			slot := r.Peek()
			for slot == nil {
				runtime.Gosched()
				slot = r.Peek()
			}
			if slot.seq != i || slot.header[0] != byte(i) {
				wrong++
			}
			r.Advance()
		}
		finished <- wrong
	}()
	staged := 0
	for i := range uint64(b.N) {
		slot := r.Slot()
		for slot == nil {
			r.Publish()
			staged = 0
			runtime.Gosched()
			slot = r.Slot()
		}
		slot.seq = i
		slot.header[0] = byte(i)
		r.Commit()
		staged++
		if staged == batch {
			r.Publish()
			staged = 0
		}
	}
	r.Publish()
	if wrong := <-finished; wrong != 0 {
		b.Fatalf("got %d wrong messages of %d, want 0", wrong, b.N)
	}
}

// BenchmarkStreamLocked is BenchmarkStream with a mutex of its own on each side,
// taken and given back for every message: what a socket that any goroutine may
// use cannot do without.
func BenchmarkStreamLocked(b *testing.B) {
	var r Ring[message]
	r.Init(1000)
	var locks struct {
		in  sync.Mutex
		_   [120]byte
		out sync.Mutex
		_   [120]byte
	}
	const batch = 32
	finished := make(chan uint64)
	go func() {
		var wrong, turn uint64
		for i := uint64(0); i < uint64(b.N); {
			locks.out.Lock()
			slot := r.Peek()
			if slot == nil {
				locks.out.Unlock()
				if turn++; turn%64 == 0 {
					runtime.Gosched()
				}
				continue
			}
			if slot.seq != i || slot.header[0] != byte(i) {
				wrong++
			}
			r.Advance()
			locks.out.Unlock()
			i++
		}
		finished <- wrong
	}()
	b.ReportAllocs()
	b.ResetTimer()
	turn := 0
	for i := uint64(0); i < uint64(b.N); {
		locks.in.Lock()
		slot := r.Slot()
		if slot == nil {
			r.Publish()
			locks.in.Unlock()
			if turn++; turn%64 == 0 {
				runtime.Gosched()
			}
			continue
		}
		slot.seq = i
		slot.header[0] = byte(i)
		r.Commit()
		if i++; i%batch == 0 {
			r.Publish()
		}
		locks.in.Unlock()
	}
	r.Publish()
	if wrong := <-finished; wrong != 0 {
		b.Fatalf("got %d wrong messages of %d, want 0", wrong, b.N)
	}
}

// BenchmarkStreamChan does what BenchmarkStream does, with a channel of the same
// capacity that carries the message by value.
func BenchmarkStreamChan(b *testing.B) {
	c := make(chan message, 1000)
	b.ReportAllocs()
	b.ResetTimer()
	finished := make(chan uint64)
	go func() {
		var wrong, i uint64
		for m := range c {
			if m.seq != i || m.header[0] != byte(i) {
				wrong++
			}
			i++
		}
		finished <- wrong
	}()
	var m message
	for i := range uint64(b.N) {
		m.seq = i
		m.header[0] = byte(i)
		c <- m
	}
	close(c)
	if wrong := <-finished; wrong != 0 {
		b.Fatalf("got %d wrong messages of %d, want 0", wrong, b.N)
	}
}

// BenchmarkPingPong is the round trip through two rings; both sides spin.
func BenchmarkPingPong(b *testing.B) {
	var there, back Ring[message]
	there.Init(1000)
	back.Init(1000)
	b.ReportAllocs()
	b.ResetTimer()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for range b.N {
			relay(&there, &back)
		}
	}()
	for i := range uint64(b.N) {
		slot := there.Slot()
		slot.seq = i
		there.Commit()
		there.Publish()
		if got := await(&back).seq; got != i {
			b.Fatalf("got message %d, want %d", got, i)
		}
		back.Advance()
	}
	<-finished
}

// relay moves one message from one ring to another.
func relay(from, to *Ring[message]) {
	slot := await(from)
	slot.moveTo(to.Slot())
	to.Commit()
	to.Publish()
	from.Advance()
}

// await spins until a message is there, and yields now and then: yielding at
// every turn would add the price of a Gosched to what is measured.
func await(r *Ring[message]) *message {
	for turn := 1; ; turn++ {
		if slot := r.Peek(); slot != nil {
			return slot
		}
		if turn%64 == 0 {
			runtime.Gosched()
		}
	}
}

// BenchmarkPingPongChan is the round trip through two channels.
func BenchmarkPingPongChan(b *testing.B) {
	there, back := make(chan message, 1000), make(chan message, 1000)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for m := range there {
			back <- m
		}
		close(back)
	}()
	var m message
	for i := range uint64(b.N) {
		m.seq = i
		there <- m
		if got := (<-back).seq; got != i {
			b.Fatalf("got message %d, want %d", got, i)
		}
	}
	close(there)
	<-back
}

// BenchmarkSameGoroutine is the cost of the instructions alone, without any
// traffic between cores: one message in and out again.
func BenchmarkSameGoroutine(b *testing.B) {
	var r Ring[message]
	r.Init(1000)
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		slot := r.Slot()
		slot.seq = i
		r.Commit()
		r.Publish()
		if got := r.Peek().seq; got != i {
			b.Fatalf("got message %d, want %d", got, i)
		}
		r.Advance()
	}
}
