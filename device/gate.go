package device

import (
	"context"
	"sync"
)

// mode is what a device is doing.
type mode int

const (
	running mode = iota
	paused
	draining
	over
)

// gate is where pumps ask whether they may read, and where they wait when they
// may not.
type gate struct {
	life context.Context // ends with the device: what is in hand is given up then
	kill context.CancelFunc

	// Guarded by mu.
	mu       sync.Mutex
	mode     mode
	drained  bool // it was draining when it ended
	err      error
	endpoint string
	reading  int             // pumps between enter and leave
	out      chan struct{}   // closed when the last of them leaves; nil: nobody waits for that
	changed  chan struct{}   // closed, and replaced, when the mode changes
	read     context.Context // of those who read
	expel    context.CancelFunc
}

func newGate() *gate {
	g := &gate{changed: make(chan struct{})}
	g.life, g.kill = context.WithCancel(context.Background())
	g.read, g.expel = context.WithCancel(g.life)
	return g
}

// enter waits while the device is paused, and lets a pump read until the context
// ends. It must leave, unless the device is over.
func (g *gate) enter() (context.Context, mode) {
	g.mu.Lock()
	for g.mode == paused {
		changed := g.changed
		g.mu.Unlock()
		<-changed
		g.mu.Lock()
	}
	defer g.mu.Unlock()
	if g.mode != over {
		g.reading++
	}
	return g.read, g.mode
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reading--; g.reading == 0 && g.out != nil {
		close(g.out)
		g.out = nil
	}
}

// change goes from one mode to another, and has whoever reads ask again. It needs mu.
func (g *gate) change(to mode) {
	g.mode = to
	close(g.changed)
	g.changed = make(chan struct{})
	g.stir()
}

// stir ends the reads in progress. It needs mu.
func (g *gate) stir() {
	g.expel()
	g.read, g.expel = context.WithCancel(g.life)
}

// pause returns when nobody reads any more.
func (g *gate) pause() {
	g.mu.Lock()
	if g.mode == running {
		g.change(paused)
	}
	if g.mode != paused || g.reading == 0 {
		g.mu.Unlock()
		return
	}
	if g.out == nil {
		g.out = make(chan struct{})
	}
	out := g.out
	g.mu.Unlock()
	<-out
}

func (g *gate) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mode == paused {
		g.change(running)
	}
}

func (g *gate) drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mode != over {
		g.change(draining)
	}
}

// rouse has a pump that waits for replies look whether it still has to.
func (g *gate) rouse() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mode == draining {
		g.stir()
	}
}

// end ends the device. The first reason counts.
func (g *gate) end(err error) { g.endAt("", err) }

func (g *gate) endAt(endpoint string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mode == over {
		return
	}
	g.drained = g.mode == draining
	g.err, g.endpoint = err, endpoint
	g.kill()
	g.change(over)
}

func (g *gate) is(m mode) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mode == m
}

func (g *gate) reason() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// where is the endpoint that the reason is about.
func (g *gate) where() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.endpoint
}
