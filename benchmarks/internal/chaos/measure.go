package chaos

import (
	"os"
	"runtime/metrics"
	"sync"
	"time"
)

// descriptors is how many this process has open, -1 if that cannot be told.
func descriptors() int64 {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return int64(len(list))
}

// peak follows the heap.
type peak struct {
	done    chan struct{}
	running sync.WaitGroup
	most    int64 // owned by its goroutine until stop
}

func (p *peak) start() {
	p.done = make(chan struct{})
	p.running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(sample)
			p.most = max(p.most, int64(sample[0].Value.Uint64()))
			select {
			case <-tick.C:
			case <-p.done:
				return
			}
		}
	})
}

func (p *peak) stop() int64 {
	close(p.done)
	p.running.Wait()
	return p.most
}
