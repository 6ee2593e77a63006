package sockettest

import (
	"sync"
	"time"
)

// alarm wakes those who wait at a condition variable at a given time. Whoever
// wakes sets it again if need be. Guarded by the lock of cond.
type alarm struct {
	cond  *sync.Cond
	timer *time.Timer
	at    time.Time // when it goes off; zero if it is not set
}

// set makes it go off at a time, or before.
func (a *alarm) set(at time.Time) {
	if !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.stop()
	a.at = at
	a.timer = time.AfterFunc(time.Until(at), func() {
		a.cond.L.Lock()
		defer a.cond.L.Unlock()
		a.at = time.Time{}
		a.cond.Broadcast()
	})
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
	a.at = time.Time{}
}
