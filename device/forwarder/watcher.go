package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringwire/ringwire/device"
	"github.com/ringwire/ringwire/socket"
)

// How often the watcher looks. With many peers a look takes time, and a
// twentieth of it may be spent on looking.
const (
	lookInterval = 500 * time.Millisecond
	lookShare    = 20
)

// stallTime is how long nothing goes out to a peer, for which something is
// queued, before it counts as stalled: with lookInterval, and half a second for
// the page to ask, it shows within two seconds.
const stallTime = 900 * time.Millisecond

// dropMemory is how long a peer counts as dropping after the last drop.
const dropMemory = 10 * time.Second

// watcher looks at the sockets of a device twice a second. What it has seen is
// shown by the admin, so that asking costs the sockets nothing.
type watcher struct {
	// Immutable after newWatcher.
	device   *device.Device
	roles    [2]string
	draining *atomic.Bool
	started  time.Time

	mu      sync.Mutex
	places  [2][]string       // where the sockets are bound and connected; guarded by mu
	known   map[uint64]*track // by the peer; guarded by mu
	sides   [2]*track         // guarded by mu
	flow    [2]*track         // received by the device, forward and backward; guarded by mu
	history history           // guarded by mu
	events  eventLog          // has its own lock

	latest atomic.Pointer[snapshot] // written by look, read by the admin
	due    atomic.Int64             // written by run, read by alive: when the next look is due, since started
}

// snapshot is what was seen at one time. Nobody changes it.
type snapshot struct {
	Time   time.Time
	Device device.Stats
	Flow   [2]rates // forward, backward: what the device received
	Sides  [2]sideState
}

type sideState struct {
	Stats  socket.Stats
	Type   string
	Role   string
	Places []string
	Rates  rates
	Peers  []peerState
}

type peerState struct {
	socket.PeerInfo
	Rates rates
	State condition
}

// condition is how a peer does, in a word.
type condition string

const (
	fine       condition = "ok"
	connecting condition = "connecting" // there is no connection
	stalled    condition = "stalled"    // something is queued and nothing goes out
	dropping   condition = "dropping"   // it has missed something lately
)

func newWatcher(d *device.Device, sides [2]*side, draining *atomic.Bool) *watcher {
	w := &watcher{device: d, draining: draining, started: time.Now(), known: make(map[uint64]*track)}
	for i := range w.sides {
		w.roles[i] = sides[i].role
		w.sides[i], w.flow[i] = new(track), new(track)
	}
	w.look()
	return w
}

// place notes where the sockets are bound and connected.
func (w *watcher) place(sides [2]*side) {
	w.mu.Lock()
	for i, s := range sides {
		w.places[i] = nil
		for e, bound := range s.bound {
			text := bound
			if e.connects {
				text = connectPrefix + bound
			}
			w.places[i] = append(w.places[i], text)
		}
		slices.Sort(w.places[i])
	}
	w.mu.Unlock()
	w.look()
}

// run looks until ctx ends.
func (w *watcher) run(ctx context.Context) {
	var listeners sync.WaitGroup
	defer listeners.Wait()
	for i, s := range [2]*socket.Socket{w.device.Front(), w.device.Back()} {
		listeners.Go(func() { w.events.listen(s.Events(ctx), sideNames[i]) })
	}
	timer := time.NewTimer(lookInterval)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		began := time.Now()
		w.look()
		next := max(lookInterval, lookShare*time.Since(began))
		w.due.Store(int64(time.Since(w.started) + next))
		timer.Reset(next)
	}
}

// look takes a snapshot.
func (w *watcher) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	sn := &snapshot{Time: time.Now(), Device: w.device.Stats()}
	seen := make(map[uint64]bool)
	for i, s := range [2]*socket.Socket{w.device.Front(), w.device.Back()} {
		peers := s.Peers()
		st := &sn.Sides[i]
		st.Stats, st.Type, st.Role = s.Stats(), s.Type().Name(), w.roles[i]
		st.Places = slices.Clone(w.places[i])
		st.Rates = w.sides[i].update(sn.Time, &st.Stats.Counters)
		st.Peers = make([]peerState, len(peers))
		for j, p := range peers {
			t := w.known[p.Peer.ID()]
			if t == nil {
				t = new(track)
				w.known[p.Peer.ID()] = t
			}
			seen[p.Peer.ID()] = true
			st.Peers[j] = peerState{PeerInfo: p, Rates: t.update(sn.Time, &p.Counters), State: t.condition(sn.Time, p.Ready)}
		}
	}
	maps.DeleteFunc(w.known, func(id uint64, _ *track) bool { return !seen[id] })
	for i, d := range [2]*device.Direction{&sn.Device.Forward, &sn.Device.Backward} {
		sn.Flow[i] = w.flow[i].update(sn.Time, &socket.Counters{Arrived: d.Received.Messages, AcceptedBytes: d.Received.Bytes})
	}
	w.history.add(sn)
	w.latest.Store(sn)
}

// lookPatience is how late a look may be before the sockets count as hanging.
const lookPatience = 5 * time.Second

// alive reports whether the watcher has looked lately: the sockets answer.
func (w *watcher) alive() bool {
	return time.Since(w.started)-time.Duration(w.due.Load()) < lookPatience
}

// now is the last snapshot.
func (w *watcher) now() *snapshot { return w.latest.Load() }
