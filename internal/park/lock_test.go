package park_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringwire/ringwire/internal/park"
)

// TestLockExcludes: the holder alone touches a plain counter, and every Lock
// that was granted counts.
func TestLockExcludes(t *testing.T) {
	procs(t, func(t *testing.T) {
		var l park.Lock
		l.Init()
		const workers = 4
		counter, each := 0, *rounds/10
		var inside atomic.Int32
		guarded(t, func() {
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for range each {
						l.Lock(nil)
						if n := inside.Add(1); n != 1 {
							t.Errorf("%d holders at once", n)
						}
						counter++
						inside.Add(-1)
						l.Unlock()
					}
				})
			}
			wg.Wait()
		})
		if want := workers * each; counter != want {
			t.Errorf("got %d, want %d", counter, want)
		}
	})
}

// TestLockCancelKeepsHint: waiters that give up all the time must not swallow
// the hint that another one needs.
func TestLockCancelKeepsHint(t *testing.T) {
	procs(t, func(t *testing.T) {
		var l park.Lock
		l.Init()
		var refused, granted atomic.Int64
		each := *rounds / 25
		guarded(t, func() {
			var steady, fickle sync.WaitGroup
			stop := make(chan struct{})
			for i := range 3 {
				fickle.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						cancel := make(chan struct{})
						if (n+i)%2 == 0 {
							close(cancel)
						} else {
							time.AfterFunc(time.Duration(n%50)*time.Microsecond, func() { close(cancel) })
						}
						if !l.Lock(cancel) {
							refused.Add(1)
							continue
						}
						l.Unlock()
					}
				})
			}
			for range 2 {
				steady.Go(func() {
					for range each {
						if !l.Lock(nil) {
							t.Error("Lock that cannot be cancelled: got false")
						}
						granted.Add(1)
						l.Unlock()
					}
				})
			}
			steady.Wait()
			close(stop)
			fickle.Wait()
		})
		if got, want := granted.Load(), int64(2*each); got != want {
			t.Errorf("got %d locks, want %d", got, want)
		}
		if !l.TryLock() {
			t.Error("the lock is held although everybody has left")
		}
	})
}

func TestLockCancelled(t *testing.T) {
	var l park.Lock
	l.Init()
	if !l.TryLock() || l.TryLock() {
		t.Fatal("TryLock twice: want the first true, the second false")
	}
	cancel := make(chan struct{})
	close(cancel)
	if l.Lock(cancel) {
		t.Error("Lock of a held lock with a cancel that is ready: got true")
	}
	l.Unlock()
	if !l.Lock(cancel) {
		t.Error("Lock of a free lock: got false, although it never had to wait")
	}
}
