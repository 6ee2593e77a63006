package pipe_test

import (
	"github.com/ringwire/ringwire/internal/pipe"
)

func newEnd(g *pipe.Group, config pipe.Config) *pipe.End { return pipe.NewEnd(g, config, nil, nil) }

// connect puts w behind e. Needs the send lock.
func connect(e *pipe.End, w pipe.Wire) {
	if w != nil {
		e.SetWire(w)
	}
	e.SetReady()
}
