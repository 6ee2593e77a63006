//go:build unix

package interop_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestOurHeartbeatsEndConnection is the control of
// TestHeartbeatsKeepConnection: a process that stands still is given up.
func TestOurHeartbeatsEndConnection(t *testing.T) {
	for _, w := range sealed(t) {
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			py := w.start(t)
			them := py.open("dealer", "DEALER", w.settings(nil))
			us := newSocket(t, pattern.Dealer, w.options(ourBeat))
			seen := watch(t, us)
			mustConnect(t, us, them.bind(anywhere(t, "tcp")))
			seen.await(socket.Ready)
			if err := py.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			defer py.cmd.Process.Signal(syscall.SIGCONT)
			if e := seen.await(socket.Disconnected); !errors.Is(e.Err, os.ErrDeadlineExceeded) {
				t.Errorf("got event %v, want one that says that nothing was heard", e)
			}
		})
	}
}
