package chaos

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/ringwire/ringwire/socket/sockettest"
)

// inject makes one fault happen, and returns when it is over: whose messages
// must go again then.
func (a *arena) inject(f Planned) (about []*seat) {
	leaf := a.leaves[f.Leaf%len(a.leaves)]
	one := []*seat{leaf}
	receiver := leaf
	if !a.plan.HubSends {
		receiver = a.hub
	}
	n := a.network
	switch f.Fault {
	case F01:
		a.restart(receiver, 0, f.Choice%2 == 0, f.Length)
		return a.touched(receiver)
	case F02:
		thaw := a.freeze(receiver.host)
		a.pause(f.Length)
		thaw()
		return a.touched(receiver)
	case F03, F04:
		n.Partition(a.hub.host, leaf.host)
		a.pause(f.Length)
		n.Heal(a.hub.host, leaf.host)
	case F05:
		for range 1 + f.Choice%5 {
			n.Cut(a.hub.host, leaf.host)
			a.pause(f.Length / 5)
		}
	case F06:
		a.resetInside(f, leaf)
	case F07:
		from, to := a.hub.host, leaf.host
		if f.Choice%2 == 0 {
			from, to = to, from
		}
		n.Stall(from, to)
		a.pause(f.Length)
		n.Resume(from, to)
	case F08, F20:
		for _, s := range a.touchedReceivers(receiver) {
			s.now.station.Pause()
			defer s.now.station.Resume()
		}
		a.pause(2 * f.Length)
		return a.touched(receiver)
	case F09:
		a.restart(receiver, 20*time.Millisecond, false, f.Length)
		return a.touched(receiver)
	case F10:
		a.move(f)
		return a.leaves
	case F12:
		a.invalid(f)
	case F13:
		sender := a.hub
		if !a.plan.HubSends {
			sender = leaf
		}
		sender.now.station.Oversize(limit + 1)
		a.pause(f.Length)
		return a.leaves
	case F14:
		n.FailAccept(a.hub.host, syscall.EMFILE)
		n.Cut(a.hub.host, leaf.host)
		a.pause(f.Length)
		n.FailAccept(a.hub.host, nil)
	case F15:
		a.silent(f)
	case F16:
		sender := a.hub
		if !a.plan.HubSends {
			sender = leaf
		}
		a.restart(sender, time.Duration(f.Choice%20)*time.Millisecond, false, f.Length)
		return a.touched(sender)
	case F17:
		a.impostor(f, leaf)
	case F18:
		if f.Choice%3 == 2 && a.plan.Mechanism == underCurve {
			a.rotated(f, leaf)
			return a.leaves
		}
		a.unwelcome(f, leaf)
	case F19:
		for _, l := range a.leaves {
			n.Cut(a.hub.host, l.host)
		}
		return a.leaves
	case F22:
		hosts := []string{a.hub.host}
		for _, l := range a.leaves {
			hosts = append(hosts, l.host)
		}
		thaw := a.freeze(hosts...)
		a.pause(f.Length)
		thaw()
		return a.leaves
	case F23:
		// A duty of a tenth, as a group of processes with a quota has it.
		for range 4 {
			thaw := a.freeze(receiver.host)
			a.pause(f.Length / 4)
			thaw()
			a.pause(f.Length / 40)
		}
		return a.touched(receiver)
	case F25:
		link := a.plan.Link
		link.Corrupt = []float64{1e-5, 1e-4, 1e-3}[f.Choice%3]
		n.SetLink(a.hub.host, leaf.host, link)
		a.pause(f.Length)
		n.SetLink(a.hub.host, leaf.host, a.plan.Link)
		// A changed length would have the connection wait for bytes that do not
		// come: what was desynchronized must not last.
		n.Cut(a.hub.host, leaf.host)
	}
	return one
}

// touched are the leaves that a fault of this seat is about.
func (a *arena) touched(s *seat) []*seat {
	if s.hub {
		return a.leaves
	}
	return []*seat{s}
}

func (a *arena) touchedReceivers(s *seat) []*seat {
	if s.hub {
		return []*seat{s}
	}
	return a.leaves
}

// restart closes the socket of a seat and, after a while, opens another. With
// vanish its host goes without a word.
func (a *arena) restart(s *seat, linger time.Duration, vanish bool, away time.Duration) {
	if vanish {
		a.network.Vanish(s.host)
	}
	n := a.leave(s, linger)
	a.pause(away)
	a.await(n)
	if vanish {
		a.network.Return(s.host)
	}
	if err := a.open(s); err != nil {
		a.fail("open %s again: %v", s.name, err)
	}
}

// resetInside has the connections to a leaf break after so many bytes, which is
// in the middle of something.
func (a *arena) resetInside(f Planned, leaf *seat) {
	link := a.plan.Link
	link.ResetAfter = int64(500 + f.Choice%50000)
	if f.Choice%2 == 0 {
		a.network.SetOneWay(a.hub.host, leaf.host, link)
	} else {
		a.network.SetOneWay(leaf.host, a.hub.host, link)
	}
	a.pause(f.Length)
	a.network.SetLink(a.hub.host, leaf.host, a.plan.Link)
	// One that has not come so far yet keeps its limit no longer.
}

// move gives the service's name to another host.
func (a *arena) move(f Planned) {
	vanish := f.Choice%2 == 0
	if vanish {
		a.network.Vanish(a.hub.host)
	}
	old := a.leave(a.hub, 0)
	a.pause(f.Length)
	a.hosts++
	a.hub.host = fmt.Sprintf("hub%d", a.hosts)
	a.setLinks(a.plan.Link)
	a.mu.Lock()
	a.address = a.hub.host
	a.mu.Unlock()
	if err := a.open(a.hub); err != nil {
		a.fail("open the service at its new host: %v", err)
	}
	a.await(old)
}

// invalid has strangers send what is no frame.
func (a *arena) invalid(f Planned) {
	greeting := append([]byte{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'}, make([]byte, 48)...)
	ready := "\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x04"
	for i, text := range []string{"GET / HTTP/1.1\r\n\r\n", string(greeting) + "\x07\xff\xff", string(greeting) + ready, string(greeting) + "\x02\xff\xff\xff\xff\xff\xff\xff\xff"} {
		conn := a.stranger(i)
		if conn == nil {
			continue
		}
		_ = conn.SetDeadline(time.Now().Add(f.Length))
		_, _ = conn.Write([]byte(text)) // the other side may have closed already
		buf := make([]byte, 256)
		for {
			if _, err := conn.Read(buf); err != nil {
				break
			}
		}
		conn.Close()
	}
}

// silent opens connections and says nothing while a leaf has to come back.
func (a *arena) silent(f Planned) {
	for i := range 40 {
		if conn := a.stranger(i); conn != nil {
			defer conn.Close()
		}
	}
	a.network.Cut(a.hub.host, a.leaves[f.Leaf%len(a.leaves)].host)
	a.pause(f.Length)
}

func (a *arena) stranger(i int) net.Conn {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	conn, err := a.network.Host(fmt.Sprintf("stranger%d", i)).Dial(ctx, a.hub.host+":"+port, nil)
	if err != nil {
		return nil
	}
	return conn
}

// impostor has another socket come with the identity of a leaf.
func (a *arena) impostor(f Planned, leaf *seat) {
	s := &seat{name: fmt.Sprintf("impostor%d", len(a.extra)), sends: true, identity: leaf.identity}
	s.host = s.name
	a.network.SetLink(a.hub.host, s.host, sockettest.Link{})
	a.extra = append(a.extra, s)
	if err := a.open(s); err != nil {
		a.fail("open %s: %v", s.name, err)
		return
	}
	a.pause(f.Length)
	s.now.station.StopSending(a.patience())
	a.await(a.leave(s, 10*time.Millisecond))
}
