package socket_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// TestFlushSaysWhatItWaitsFor: with nobody connected, it names how many messages wait
// for whom; Confirm does, too.
func TestFlushSaysWhatItWaitsFor(t *testing.T) {
	confEach(t, func(e *confEnv) {
		push := e.New(pattern.Push, nil)
		calls := map[string]func(context.Context) error{"Flush": push.Flush, "Confirm": push.Confirm}
		for name, call := range calls {
			if err := call(confDone); err != nil {
				e.Errorf("%s with nothing sent = %v, want nil", name, err)
			}
		}
		wants := []string{"3 messages wait to be written", "there is no connection to"}
		var list []string
		for range 3 {
			at := e.Reserve()
			e.Connect(push, at)
			list = append(list, at)
			e.Send(push, "x")
		}
		wants = append(wants, "and 2 others")
		for name, call := range calls {
			err := call(confDone)
			if !errors.Is(err, context.Canceled) {
				e.Errorf("%s = %v, want the context's error", name, err)
				continue
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					e.Errorf("%s = %v, want %q in it", name, err, want)
				}
			}
			named := false
			for _, at := range list {
				named = named || strings.Contains(err.Error(), at)
			}
			if !named {
				e.Errorf("%s = %v, want one of %q in it", name, err, list)
			}
		}
	})
}

// TestFlushOfAPeerWithoutRoom: of what waits for a peer that is there, no peer is
// missing.
func TestFlushOfAPeerWithoutRoom(t *testing.T) {
	e := confNew(t, "tcp")
	push, pull := e.New(pattern.Push, &socket.Options{SendHWM: 10}), e.New(pattern.Pull, &socket.Options{RecvHWM: 1})
	e.Join(pull, push)
	e.Fill(push, confBig)
	err := push.Flush(confDone)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "messages wait to be written") || strings.Contains(err.Error(), "no connection") {
		t.Errorf("Flush = %v, want that messages wait, and no word of a missing peer", err)
	}
}
