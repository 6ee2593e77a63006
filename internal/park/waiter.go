// Package park has the ways in which a goroutine waits for another: Waiter,
// where one goroutine sleeps until it is woken, Lock, a mutual exclusion
// whose waiters can be cancelled, and Spin, which decides how long looking
// again is better than sleeping. Everything ends in a channel receive, so
// that testing/synctest sees it. Nothing here knows what is waited for.
//
// The protocol of every wait is the same. The one who waits announces it
// (Arm), then looks again; whoever makes the condition true does so first and
// looks for the announcement afterwards (Wake). Both are sequentially
// consistent atomics, so at least one of the two sees the other, and no wake
// is lost.
package park

import "sync/atomic"

// Waiter is a place where one goroutine sleeps. Any goroutine may call Wake;
// Arm, Disarm and Wait belong to the one that sleeps there. The zero Waiter is
// ready; it makes its channel when it is first armed, so that one which nobody
// ever sleeps at costs little.
type Waiter struct {
	armed atomic.Bool   // set by the sleeper, cleared by whoever wakes it
	wake  chan struct{} // capacity 1; holds at most the one wake of an armed period; made before armed is set
}

// Arm announces that the caller is going to sleep. The caller must look at
// its condition again after Arm, then call Wait or Disarm.
func (w *Waiter) Arm() {
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
	}
	w.armed.Store(true)
}

// Disarm takes the announcement back. It reports whether a wake had come in
// between: one that was meant for whoever waits, so that a caller who gives
// up must pass it on.
func (w *Waiter) Disarm() (woken bool) {
	if w.armed.CompareAndSwap(true, false) {
		return false
	}
	<-w.wake // the waker cleared armed, so its send has happened or is about to
	return true
}

// Wait sleeps until Wake, or until cancel is ready, and reports whether it
// was woken. A nil cancel never is. After false the caller is not armed any
// more and has swallowed no wake.
func (w *Waiter) Wait(cancel <-chan struct{}) (woken bool) {
	if cancel == nil {
		<-w.wake
		return true
	}
	select {
	case <-w.wake:
		return true
	case <-cancel:
		return w.Disarm()
	}
}

// Armed reports whether somebody sleeps or is about to.
func (w *Waiter) Armed() bool { return w.armed.Load() }

// Wake wakes the sleeper if there is one, and reports whether there was.
func (w *Waiter) Wake() bool {
	if !w.armed.Load() || !w.armed.CompareAndSwap(true, false) {
		return false
	}
	w.wake <- struct{}{} // never blocks: one wake per armed period
	return true
}

// C is the channel on which the wake of an armed period arrives, for a sleeper
// that waits for more than one thing. It must call Disarm if it leaves for
// another reason.
func (w *Waiter) C() <-chan struct{} { return w.wake }
