package session

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ringwire/ringwire/internal/pipe"
	"github.com/ringwire/ringwire/internal/security"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// relConduit says of the kernel what the test wants.
type relConduit struct {
	netConduit
	waiting *atomic.Bool // bytes wait in the kernel
	dead    *atomic.Bool // the peer's kernel does not answer
}

func (c relConduit) unread() bool                 { return c.waiting.Load() }
func (c relConduit) answers() (alive, known bool) { return !c.dead.Load(), true }

type relOwner struct{}

func (relOwner) Drop(error) {}

// relSession is a connection whose peer is what the test makes of it. Writes to it
// wait until somebody reads at the other side.
type relSession struct {
	*Session
	peer          net.Conn
	waiting, dead atomic.Bool
	ended         chan error
}

func relRun(t *testing.T, beat Heartbeat) *relSession {
	ours, theirs := net.Pipe()
	config := func(beat Heartbeat) *Config {
		return &Config{
			Mechanism: security.Null{}, Metadata: zmtp.Metadata{{Name: "Socket-Type", Value: []byte("PAIR")}},
			Limits: zmtp.Limits{MaxMessage: 1 << 20, MaxFrames: 10}, SpinTurns: -1, Heartbeat: beat,
		}
	}
	shaken := make(chan error)
	go func() {
		// Both greet at once, and a Pipe holds no bytes: this side reads first.
		in := make([]byte, zmtp.GreetingSize)
		_, err := io.ReadFull(theirs, in)
		if err == nil {
			_, err = theirs.Write(zmtp.AppendGreeting(nil, zmtp.Greeting{Major: 3, Minor: 1, Mechanism: "NULL"}))
		}
		meta, _ := zmtp.AppendMetadata(nil, config(beat).Metadata)
		ready := zmtp.AppendCommand(nil, "READY", meta)
		if err == nil {
			_, err = io.ReadFull(theirs, make([]byte, len(ready)))
		}
		if err == nil {
			_, err = theirs.Write(ready)
		}
		shaken <- err
	}()
	s, err := Handshake(ours, config(beat), time.Time{})
	if err := errors.Join(err, <-shaken); err != nil {
		t.Fatal(err)
	}
	r := &relSession{Session: s, peer: theirs, ended: make(chan error, 1)}
	s.io = relConduit{newNetConduit(ours), &r.waiting, &r.dead}
	group := pipe.NewGroup(true, -1)
	end := pipe.NewEnd(group, pipe.Config{SendHWM: 10, RecvHWM: 10}, nil, relOwner{})
	s.Bind(end)
	group.Lock()
	end.Attach()
	end.SetWire(s)
	end.SetReady()
	group.UnlockAndFlush()
	go func() { r.ended <- s.Run() }()
	t.Cleanup(func() {
		s.Close(errors.New("the test is over"))
		theirs.Close()
		select {
		case <-r.ended:
		default:
		}
		synctest.Wait()
	})
	return r
}

// lives checks that the connection has not ended after d.
func (r *relSession) lives(t *testing.T, why string, d time.Duration) {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	select {
	case err := <-r.ended:
		r.ended <- err
		t.Fatalf("%s: given up: %v", why, err)
	default:
	}
}

// dies checks that it ends, for the peer's silence, within d.
func (r *relSession) dies(t *testing.T, why string, d time.Duration) {
	t.Helper()
	select {
	case err := <-r.ended:
		if r.ended <- err; !errors.Is(err, ErrSilent) {
			t.Fatalf("%s: ended with %v, want ErrSilent", why, err)
		}
	case <-time.After(d):
		t.Fatalf("%s: not given up after %v", why, d)
	}
}

const (
	relInterval = time.Second
	relTimeout  = 3 * time.Second
	relSoon     = relInterval + 2*relTimeout + time.Millisecond // what guarantees.md promises
	relAges     = time.Hour
)

// TestREL06Excuses: each excuse keeps the connection for as long as it holds, and no
// longer; without one the peer is given up in time, not before.
func TestREL06Excuses(t *testing.T) {
	beat := Heartbeat{Interval: relInterval, Timeout: relTimeout}
	drain := func(r *relSession) { go io.Copy(io.Discard, r.peer) }
	for _, c := range []struct {
		name   string
		excuse func(r *relSession, on bool)
	}{
		{"the queue is full", func(r *relSession, on bool) { r.heart.full.Store(on) }},
		{"bytes were not read", func(r *relSession, on bool) { r.waiting.Store(on) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := relRun(t, beat)
				drain(r)
				c.excuse(r, true)
				r.lives(t, "excused", relAges)
				c.excuse(r, false)
				r.dies(t, "no excuse any more", relSoon)
			})
		})
	}
	t.Run("silence", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := relRun(t, beat)
			drain(r)
			r.lives(t, "before the timeout", relInterval+relTimeout-time.Millisecond)
			r.dies(t, "after it", relSoon)
		})
	})
	t.Run("the PING could not be written", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := relRun(t, beat) // nobody reads
			r.lives(t, "its kernel answers", relAges)
			r.dead.Store(true)
			r.dies(t, "its kernel does not answer", relSoon)
		})
	})
	t.Run("read again, silent still", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := relRun(t, beat)
			r.lives(t, "it does not read", relAges)
			drain(r)
			r.dies(t, "it reads and does not answer", relSoon)
		})
	})
	t.Run("the dead kernel of a peer that was asked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := relRun(t, beat)
			drain(r)
			r.dead.Store(true)
			r.dies(t, "nothing waits to be written", relSoon)
		})
	})
	t.Run("any byte is life", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := relRun(t, beat)
			drain(r)
			message := zmtp.AppendMessageHeader(nil, 1000, false)
			message = append(message, make([]byte, 1000)...)
			for _, b := range message[:500] { // half a message, byte by byte
				if _, err := r.peer.Write([]byte{b}); err != nil {
					t.Fatal(err)
				}
				r.lives(t, "a byte came", relTimeout-time.Millisecond)
			}
			r.dies(t, "no byte came", relSoon)
		})
	})
}

// TestREL06TTL: the silence that a peer's own PING allows ends the connection, with
// the same excuses but for what we could not write: it asks us nothing.
func TestREL06TTL(t *testing.T) {
	for _, c := range []struct {
		name   string
		excuse func(r *relSession, on bool)
		lives  bool
	}{
		{"none", func(*relSession, bool) {}, false},
		{"the queue is full", func(r *relSession, on bool) { r.heart.full.Store(on) }, true},
		{"bytes were not read", func(r *relSession, on bool) { r.waiting.Store(on) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := relRun(t, Heartbeat{}) // we never ask
				go io.Copy(io.Discard, r.peer)
				if _, err := r.peer.Write(zmtp.AppendPing(nil, 20, []byte("x"))); err != nil {
					t.Fatal(err)
				}
				r.lives(t, "within the time that was allowed", 2*time.Second-time.Millisecond)
				c.excuse(r, true)
				if c.lives {
					r.lives(t, "excused", relAges)
					c.excuse(r, false)
				}
				r.dies(t, "no excuse", 4*time.Second+time.Millisecond)
			})
		})
	}
}
