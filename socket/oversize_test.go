package socket_test

import (
	"errors"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// A message over the limit ends the connection, and is counted where it was
// refused.
func TestOversizeIsCounted(t *testing.T) {
	confOn(t, "tcp", func(e *confEnv) {
		pull := e.New(pattern.Pull, &socket.Options{MaxMessageSize: 100})
		push := e.New(pattern.Push, nil)
		next := e.Events(pull)
		e.Join(pull, push)
		e.Send(push, string(make([]byte, 101)))
		if ev := next(socket.Disconnected); !errors.Is(ev.Err, ringwire.ErrTooLarge) {
			e.Errorf("disconnected with %v, want ErrTooLarge", ev.Err)
		}
		if st := pull.Stats(); st.RecvDropped.Oversize != 1 || st.Arrived != 1 || st.Returned != 0 {
			e.Errorf("got %+v, want one message arrived and dropped as oversize", st.Counters)
		}
	})
}
