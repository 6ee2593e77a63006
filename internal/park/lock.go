package park

import "sync/atomic"

// Lock is a mutual exclusion whose waiters can give up. It is not fair, and
// its holder may keep it while it sleeps.
type Lock struct {
	held    atomic.Bool
	waiting atomic.Int32  // goroutines inside Lock's slow path
	free    chan struct{} // capacity 1; a hint that the lock may be free
}

// Init makes l usable.
func (l *Lock) Init() { l.free = make(chan struct{}, 1) }

// TryLock takes the lock if it is free.
func (l *Lock) TryLock() bool {
	return !l.held.Load() && l.held.CompareAndSwap(false, true)
}

// Lock takes the lock, or returns false when cancel was ready first.
func (l *Lock) Lock(cancel <-chan struct{}) bool {
	if l.TryLock() {
		return true
	}
	l.waiting.Add(1)
	defer l.waiting.Add(-1)
	for !l.TryLock() {
		select {
		case <-l.free:
		case <-cancel:
			l.hint() // a hint that was ours may have been meant for another
			return false
		}
	}
	return true
}

// Unlock gives the lock back.
func (l *Lock) Unlock() {
	l.held.Store(false)
	if l.waiting.Load() > 0 {
		l.hint()
	}
}

func (l *Lock) hint() {
	select {
	case l.free <- struct{}{}:
	default:
	}
}
