package park_test

import (
	"flag"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/park"
)

var rounds = flag.Int("park.rounds", 50_000, "waits of each park test; the long run has millions")

// hang is far above what anything here takes.
const hang = 60 * time.Second

// guarded runs f, and fails the test when f does not end.
func guarded(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(hang):
		stacks := make([]byte, 1<<16)
		t.Fatalf("hangs after %v\n%s", hang, stacks[:runtime.Stack(stacks, true)])
	}
}

// procs runs f once for each number of processors.
func procs(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2, 4} {
		t.Run("procs="+string(rune('0'+n)), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			f(t)
		})
	}
}

// TestWaiterLosesNoWake: two goroutines take turns by one number. Each arms,
// looks again, and sleeps; a wake that is lost is a hang.
func TestWaiterLosesNoWake(t *testing.T) {
	procs(t, func(t *testing.T) {
		var turn atomic.Int64
		var waiters [2]park.Waiter
		play := func(me int64) {
			w := &waiters[me]
			for n := me; n < int64(*rounds); n += 2 {
				for turn.Load() != n {
					w.Arm()
					if turn.Load() == n {
						w.Disarm()
						break
					}
					w.Wait(nil)
				}
				turn.Store(n + 1)
				waiters[1-me].Wake()
			}
		}
		guarded(t, func() {
			done := make(chan struct{})
			go func() { play(1); close(done) }()
			play(0)
			<-done
		})
		if got := turn.Load(); got != int64(*rounds) {
			t.Errorf("got %d turns, want %d", got, *rounds)
		}
	})
}

// TestWaiterCancel: a wake races with a cancel. Every wake that Wake reports
// as given is reported by Wait or Disarm as taken, and none remains.
func TestWaiterCancel(t *testing.T) {
	procs(t, func(t *testing.T) {
		var w park.Waiter
		var given, taken int
		guarded(t, func() {
			cancels, wakes := make(chan chan struct{}), make(chan bool)
			defer close(cancels)
			go func() {
				for c := range cancels {
					close(c)
				}
			}()
			start := make(chan struct{})
			defer close(start)
			go func() {
				for range start {
					wakes <- w.Wake()
				}
			}()
			for i := range *rounds / 5 {
				cancel := make(chan struct{})
				w.Arm()
				if i%2 == 0 {
					start <- struct{}{}
					cancels <- cancel
				} else {
					cancels <- cancel
					start <- struct{}{}
				}
				if w.Wait(cancel) {
					taken++
				}
				if w.Armed() {
					t.Errorf("round %d: still armed after Wait", i)
				}
				if <-wakes {
					given++
				}
				select {
				case <-w.C():
					t.Errorf("round %d: a wake was left behind", i)
				default:
				}
			}
		})
		if given != taken {
			t.Errorf("Wake reported %d wakes, Wait %d: want the same", given, taken)
		}
		if given == 0 || given == *rounds/5 {
			t.Logf("%d of %d rounds were woken: no race in this run", given, *rounds/5)
		}
	})
}

func TestWaiterDisarm(t *testing.T) {
	var w park.Waiter
	if w.Wake() {
		t.Error("Wake with nobody there: got true, want false")
	}
	w.Arm()
	if w.Disarm() {
		t.Error("Disarm without a Wake: got true, want false")
	}
	w.Arm()
	if !w.Wake() || w.Wake() {
		t.Error("two Wakes of one armed period: want the first true, the second false")
	}
	if !w.Disarm() {
		t.Error("Disarm after a Wake: got false, want true")
	}
	select {
	case <-w.C():
		t.Error("Disarm left its wake behind")
	default:
	}
}

// TestDurablyBlocked: synctest sees a parked Waiter and a queued Lock, and its
// clock goes on.
func TestDurablyBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w park.Waiter
		var l park.Lock
		l.Init()
		l.Lock(nil)
		var woken, locked atomic.Bool
		go func() {
			w.Arm()
			woken.Store(w.Wait(t.Context().Done()))
		}()
		go func() { locked.Store(l.Lock(t.Context().Done())) }()
		began := time.Now()
		time.Sleep(time.Hour)
		if got := time.Since(began); got != time.Hour {
			t.Errorf("slept %v, want 1h", got)
		}
		synctest.Wait()
		if woken.Load() || locked.Load() {
			t.Fatal("went on without a wake or an Unlock")
		}
		w.Wake()
		l.Unlock()
		synctest.Wait()
		if !woken.Load() || !locked.Load() {
			t.Errorf("after Wake and Unlock: woken %v, locked %v, want both", woken.Load(), locked.Load())
		}
	})
}

// TestSpinBounded: a spin ends although the clock stands still, and learns.
func TestSpinBounded(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	synctest.Test(t, func(t *testing.T) {
		var s park.Spin
		if got := s.Budget(); got != 0 {
			t.Errorf("the zero Spin: got %d turns, want 0", got)
		}
		s.Init(-1)
		if got := s.Budget(); got != 0 {
			t.Errorf("Init(-1): got %d turns, want 0", got)
		}
		s.Init(7)
		if got := s.Budget(); got != 7 {
			t.Errorf("Init(7): got %d turns, want 7", got)
		}
		s.Init(0)
		n := s.Budget()
		if n <= 0 || n > 10_000 {
			t.Errorf("Init(0): got %d turns, want a bounded number of them", n)
		}
		for range n {
			park.Turn()
		}
		spun := 0
		for range 1000 {
			if s.Budget() > 0 {
				spun++
				s.Miss()
			}
		}
		if spun == 0 || spun > 100 {
			t.Errorf("spinning that never pays: spun in %d of 1000 waits, want a few", spun)
		}
		for i := 0; s.Budget() == 0 || i < 100; i++ {
			s.Hit()
		}
		for i := range 100 {
			if s.Budget() == 0 {
				t.Fatalf("spinning that always pays: no turns in wait %d", i)
			}
			s.Hit()
		}
		runtime.GOMAXPROCS(1)
		if got := s.Budget(); got != 0 {
			t.Errorf("with one processor: got %d turns, want 0", got)
		}
	})
}
