package chaos

import (
	"net"
	"strings"
	"time"
)

func killed(sender bool) func(*stage) error {
	return func(st *stage) error {
		p := st.receiver
		if sender {
			p = st.sender
		}
		st.kill(p)
		time.Sleep(calm)
		return st.start(sender)
	}
}

// cut kills the forwarder, which is started again.
func cut(st *stage) error {
	st.between.kill()
	st.cuts++
	time.Sleep(calm)
	return st.startBetween()
}

// corrupted has bytes changed on their way.
func corrupted(st *stage) error {
	st.proxy.Corrupt(1. / 20000)
	time.Sleep(300 * time.Millisecond)
	st.proxy.Corrupt(0)
	st.proxy.Reset() // a changed length would have it wait for bytes that do not come
	return nil
}

// frozen stops processes for a while.
func (st *stage) frozen(d time.Duration, list ...*process) error {
	for _, p := range list {
		if err := st.freeze(p); err != nil {
			return err
		}
	}
	time.Sleep(d)
	for _, p := range list {
		st.thaw(p)
	}
	return nil
}

func starved(st *stage) error {
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		if err := st.frozen(99*time.Millisecond, st.receiver); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func pulled(d time.Duration) func(*stage) error {
	return func(st *stage) error {
		if err := st.world.cable(false); err != nil {
			return &skipError{err.Error()}
		}
		time.Sleep(d)
		return st.world.cable(true)
	}
}

// pulledFull pulls the cable while all buffers are full, until the sender has
// noticed: that its peer does not read is no excuse for a peer that is gone.
func pulledFull(st *stage) error {
	if _, err := st.receiver.do("pause", 0); err != nil {
		return err
	}
	time.Sleep(2 * away)
	before, err := st.sender.do("look", 0)
	if err != nil {
		return err
	}
	if err := st.world.cable(false); err != nil {
		return &skipError{err.Error()}
	}
	// Ten times what two unanswered probes of the kernel and a heartbeat take.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		after, err := st.sender.do("look", 0)
		if err != nil {
			return err
		}
		if after.Stats == nil { // of a library that does not tell
			time.Sleep(4 * time.Second)
			break
		}
		if after.Stats.Disconnects > before.Stats.Disconnects {
			break
		}
		if time.Now().After(end) {
			st.fail("the sender has not noticed within 20 s that its peer, whose buffers were full, is gone")
			break
		}
	}
	if err := st.world.cable(true); err != nil {
		return &skipError{err.Error()}
	}
	_, err = st.receiver.do("resume", 0)
	return err
}

// idle has the receiving application read nothing. A connection must not be
// given up because of that.
func idle(d time.Duration) func(*stage) error {
	return func(st *stage) error {
		before, err := st.sender.do("look", 0)
		if err == nil {
			_, err = st.receiver.do("pause", 0)
		}
		if err != nil {
			return err
		}
		time.Sleep(d)
		after, err := st.sender.do("look", 0)
		if err != nil {
			return err
		}
		// A Do without a reply drops its connection by itself.
		if after.Stats != nil && st.scenario.Pattern != ReqRep && after.Stats.Disconnects > before.Stats.Disconnects {
			st.fail("the connection to a live peer that reads nothing was given up")
		}
		_, err = st.receiver.do("resume", 0)
		return err
	}
}

// moved has the bound side come back at another address.
func moved(st *stage) error {
	bound := st.receiver
	if st.senderBinds() {
		bound = st.sender
	}
	st.finish(bound, 0)
	st.bound = strings.Replace(st.bound, "127.0.0.2", "127.0.0.3", 1)
	st.names.move("127.0.0.3")
	return st.start(bound.job.Sends)
}

// dial connects to the bound side as a stranger.
func (st *stage) dial() (net.Conn, error) {
	network, address, _ := strings.Cut(st.bound, "://")
	if network == "ipc" {
		network = "unix"
	}
	return net.DialTimeout(network, address, 5*time.Second)
}

func strangers(st *stage) error {
	greeting := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'}, make([]byte, 48)...)
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", string(greeting[:20]), string(greeting) + "\x07\xff\xff", string(greeting) + "\x02\xff\xff\xff\xff\xff\xff\xff\xff"} {
		c, err := st.dial()
		if err != nil {
			return err
		}
		_, _ = c.Write([]byte(text)) // it may be closed already
		time.Sleep(20 * time.Millisecond)
		c.Close()
	}
	return nil
}

func silent(st *stage) error {
	for range 1000 {
		c, err := st.dial()
		if err != nil {
			return &skipError{"1000 connections cannot be made: " + err.Error()}
		}
		defer c.Close()
	}
	st.proxy.Reset()
	// While they are there.
	return st.recovered(clock(), true)
}

func exhausted(st *stage) error {
	bound := st.receiver
	if st.senderBinds() {
		bound = st.sender
	}
	restore, err := limitFiles(bound.Pid())
	if err != nil {
		return &skipError{err.Error()}
	}
	// Others take what the peer leaves behind.
	for range 20 {
		c, err := st.dial()
		if err != nil {
			break
		}
		defer c.Close()
	}
	st.proxy.Reset()
	time.Sleep(away)
	return restore()
}

// collided starts a second sender with the first one's identity.
func collided(st *stage) error {
	first := st.sender
	if err := st.start(true); err != nil {
		return err
	}
	impostor := st.sender
	time.Sleep(away)
	if _, err := impostor.do("stop", 500); err != nil {
		return err
	}
	st.finish(impostor, 50*time.Millisecond)
	st.sender = first
	return nil
}
