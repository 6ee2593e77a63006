package attack

import (
	"net"
	"os"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// usage is what a process has.
type usage struct {
	Live        int64 `json:"live_bytes"`          // heap that is reachable, after Settle
	Heap        int64 `json:"heap_peak_bytes"`     // since the last look
	Resident    int64 `json:"resident_peak_bytes"` // likewise; -1: cannot be told here
	Goroutines  int64 `json:"goroutines"`
	Descriptors int64 `json:"descriptors"` // -1: cannot be told here, or now
}

// meter follows the memory of this process.
type meter struct {
	heap, resident atomic.Int64
	status         *os.File // kept open: the victim may have no descriptor left
	stop           chan struct{}
	done           chan struct{}
}

// metering is how often: often enough for what an attack makes the heap do.
const metering = 10 * time.Millisecond

func startMeter() *meter {
	m := &meter{stop: make(chan struct{}), done: make(chan struct{})}
	m.status, _ = os.Open("/proc/self/statm") // elsewhere there is none
	go func() {
		defer close(m.done)
		tick := time.NewTicker(metering)
		defer tick.Stop()
		for {
			m.sample()
			select {
			case <-tick.C:
			case <-m.stop:
				return
			}
		}
	}()
	return m
}

func (m *meter) sample() {
	sample := [1]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample[:])
	raise(&m.heap, int64(sample[0].Value.Uint64()))
	raise(&m.resident, m.readResident())
}

// readResident takes the second number of statm: pages.
func (m *meter) readResident() int64 {
	var b [128]byte
	if m.status == nil {
		return -1
	}
	n, _ := m.status.ReadAt(b[:], 0)
	field, pages := 0, int64(0)
	for _, c := range b[:n] {
		switch {
		case c == ' ':
			field++
		case field == 1:
			pages = 10*pages + int64(c-'0')
		}
	}
	return pages * int64(os.Getpagesize())
}

func raise(most *atomic.Int64, v int64) {
	for {
		old := most.Load()
		if v <= old || most.CompareAndSwap(old, v) {
			return
		}
	}
}

// look is what was used since the last look, and what is used now.
func (m *meter) look(settle bool) *usage {
	u := &usage{Descriptors: -1, Goroutines: int64(runtime.NumGoroutine())}
	m.sample()
	u.Heap, u.Resident = m.heap.Swap(0), m.resident.Swap(0)
	if m.status == nil || racing {
		u.Resident = -1
	}
	if settle {
		for range 3 { // pools let go in two collections
			runtime.GC()
		}
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		u.Live = int64(s.HeapAlloc)
	}
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		u.Descriptors = int64(len(list))
	}
	return u
}

func (m *meter) close() {
	close(m.stop)
	<-m.done
	if m.status != nil {
		m.status.Close()
	}
}

// warmUp has the runtime open what it keeps: the descriptors of its poller.
func warmUp() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
}
