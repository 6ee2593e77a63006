package interop_test

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// The heartbeats of these tests: an interval, the silence after a PING that
// ends a connection, the silence that the other side is told to end it after,
// and how long nobody does anything: twice what would end it.
const (
	beat    = 100 * time.Millisecond
	silence = time.Second
	ttl     = 500 * time.Millisecond
	idle    = 2 * (beat + silence)
)

var theirBeat = settings{
	"HEARTBEAT_IVL": int(beat.Milliseconds()), "HEARTBEAT_TIMEOUT": int(silence.Milliseconds()), "HEARTBEAT_TTL": int(ttl.Milliseconds()),
	"RECONNECT_IVL": 10, "monitor": true,
}

var ourBeat = socket.Options{HeartbeatInterval: beat, HeartbeatTimeout: silence, HeartbeatTTL: ttl}

// TestHeartbeatsKeepConnection: whoever asks for signs of life gets them, also
// while neither application calls its socket.
func TestHeartbeatsKeepConnection(t *testing.T) {
	type row struct {
		name string
		ours socket.Options
		set  settings
		w    *way
	}
	rows := []row{
		{"theirs", socket.Options{}, theirBeat, nil},
		{"ours", ourBeat, settings{"monitor": true}, nil},
	}
	for _, w := range secured(t) {
		rows = append(rows, row{"both/" + w.String(), ourBeat, theirBeat, w})
	}
	for _, row := range rows {
		for _, side := range sides {
			t.Run(row.name+"/"+side, func(t *testing.T) {
				t.Parallel()
				them := row.w.start(t).open("dealer", "DEALER", row.w.settings(row.set))
				us := newSocket(t, pattern.Dealer, row.w.options(row.ours))
				if side == "bind" {
					them.connect(mustBind(t, us, anywhere(t, "tcp")))
				} else {
					mustConnect(t, us, them.bind(anywhere(t, "tcp")))
				}
				waitPeers(t, us, 1)
				send(t, us, "first")
				want(t, them.recv(), "first")
				if got := them.events(idle, ""); slices.Contains(got, "DISCONNECTED") {
					t.Errorf("libzmq's events: got %v, want no DISCONNECTED", got)
				}
				if st := us.Stats(); st.Disconnects != 0 || st.Peers != 1 {
					t.Errorf("got %d disconnects, %d peers, want 0, 1", st.Disconnects, st.Peers)
				}
				them.send("last")
				want(t, recv(t, us), "last")
			})
		}
	}
}

// TestTheirHeartbeatsEndConnection is the control: libzmq gives a peer up that
// does not answer.
func TestTheirHeartbeatsEndConnection(t *testing.T) {
	them := startPython(t).open("pull", "PULL", theirBeat)
	r := dialRaw(t, them.bind(anywhere(t, "tcp")))
	r.handshake("PUSH") // and not a word more
	if got := them.events(limit(), "DISCONNECTED"); !slices.Contains(got, "DISCONNECTED") {
		t.Errorf("libzmq's events: got %v, want DISCONNECTED", got)
	}
	if flags, body := r.next(); flags != flagCommand || body != "\x04PING\x00\x05" {
		t.Errorf("got flags %d, body %q, want a PING with the TTL of 0.5 s", flags, body)
	}
}

// TestNoHeartbeatsUnasked: nothing but messages is sent to a peer when
// heartbeats are off, which is the default.
func TestNoHeartbeatsUnasked(t *testing.T) {
	us := newSocket(t, pattern.Push, nil)
	r := dialRaw(t, mustBind(t, us, "tcp://127.0.0.1:0"))
	r.handshake("PULL")
	r.SetReadDeadline(time.Now().Add(2 * beat))
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d bytes, %v, want silence", n, err)
	}
	r.SetReadDeadline(time.Now().Add(limit()))
	send(t, us, "x")
	if flags, body := r.next(); flags != 0 || body != "x" {
		t.Errorf("got flags %d, body %q, want the message", flags, body)
	}
}
