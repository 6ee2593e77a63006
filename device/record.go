package device

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// Record writes what a socket receives until ctx ends, the socket is closed
// (ringwire.ErrClosed) or a write fails: the error says how many messages had been
// received and are not in the recording, and Stats counts them as lost.
func (r *Recorder) Record(ctx context.Context, from *socket.Socket) error {
	names := endpoints{s: from}
	batch := make([]*ringwire.Message, DefaultBatch)
	for {
		n, err := from.RecvBatch(ctx, batch)
		if err != nil {
			return err
		}
		now := time.Now()
		done := 0
		for done < n && err == nil {
			// As many as have the same label.
			label, run := r.opts.Label, n-done
			if label == "" {
				label, run = names.run(batch[done:n])
			}
			var k int
			k, err = r.Write(now, label, batch[done:done+run]...)
			done += k
		}
		for _, m := range batch[:n] {
			m.Release()
		}
		clear(batch[:n])
		if err != nil {
			r.mu.Lock()
			r.stats.Lost += int64(n - done)
			r.mu.Unlock()
			return fmt.Errorf("%w (%d messages that were received are not recorded)", err, n-done)
		}
	}
}

// endpoints knows by which endpoint a peer came.
type endpoints struct {
	s     *socket.Socket
	names map[ringwire.Peer]string
}

// maxNames bounds the peers that are remembered.
const maxNames = 4096

func (e *endpoints) of(p ringwire.Peer) string {
	name, ok := e.names[p]
	if !ok {
		if e.names == nil || len(e.names) >= maxNames {
			e.names = make(map[ringwire.Peer]string)
		}
		for _, info := range e.s.Peers() {
			if info.Peer == p {
				name = info.Endpoint
			}
		}
		e.names[p] = name // empty for one that has gone already
	}
	return name
}

// run is the label of the first message, and how many have it.
func (e *endpoints) run(batch []*ringwire.Message) (label string, n int) {
	label = e.of(batch[0].Peer())
	for n = 1; n < len(batch) && e.of(batch[n].Peer()) == label; n++ {
	}
	return label, n
}

// Record is NewRecorder, Recorder.Record and Recorder.Close.
func Record(ctx context.Context, from *socket.Socket, dir string, opts *RecordOptions) error {
	r, err := NewRecorder(dir, opts)
	if err != nil {
		return err
	}
	err = r.Record(ctx, from)
	if closing := r.Close(); closing != nil {
		err = errors.Join(err, closing)
	}
	return err
}
