package session

import (
	"sync"
	"time"
)

// alarm is a timer of a connection. It is made when it is first set, because
// most connections never need it.
type alarm struct {
	after time.Duration
	of    ticker

	mu    sync.Mutex
	timer *time.Timer // guarded by mu
}

// ticker is told when the time of an alarm is over, on a goroutine of its own.
type ticker interface{ tick() }

// set starts the time anew.
func (a *alarm) set() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		a.timer = time.AfterFunc(a.after, a.of.tick)
		return
	}
	a.timer.Reset(a.after)
}

func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
}
