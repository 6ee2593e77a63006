package interop_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// role is what one side of a cell does with the messages of its plan.
type role string

const (
	roleOut  role = "out"  // sends all
	roleInto role = "into" // receives all, in order
	roleBoth role = "both" // sends all and receives all, at the same time
	roleAsk  role = "ask"  // sends one, receives it back, and so on
	roleEcho role = "echo" // receives all, in order, and sends each back as it came
)

// shapes are the frame sizes of the messages that follow the numbered ones:
// around every limit of the framing and of usual buffers.
var shapes = [][]int{
	{0}, {1}, {254}, {255}, {256}, {8191}, {8192}, {8193}, {65535}, {65536}, {1 << 20},
	{5, 300}, {300, 5}, {65536, 1}, {1, 65536, 255},
	{1, 255, 256}, {0, 7}, {7, 0}, {0, 7, 0}, {7, 0, 7}, {0, 0, 7}, {7, 0, 0}, {0, 0}, {0, 0, 0},
	hundred(func(int) int { return 0 }),
	hundred(func(k int) int { return k * 5 }),
	hundred(func(k int) int { return (k % 2) * 256 }),
	{1 << 20, 0, 1 << 20}, {1},
}

func hundred(size func(k int) int) []int {
	s := make([]int, 100)
	for k := range s {
		s[k] = size(k)
	}
	return s
}

// period is a prime, so that a piece of a frame in the wrong place shows at
// all the usual buffer sizes. No content begins with a byte 0 or 1, which on
// XSUB would be a subscription.
const period = 251

var content = func() []byte {
	b := make([]byte, 1<<20+2*period)
	for j := range b {
		b[j] = byte(2 + j%period)
	}
	return b
}()

var syncBody = []byte("sync")

// anyFrame in a receive prefix stands for a frame of any content.
var anyFrame = []byte("*")

// plan is one side's part in the traffic of a cell. Both sides compute the
// messages; testdata/peer.py has the same.
type plan struct {
	role       role
	numbered   int
	shapes     [][]int
	notice     bool     // first comes the subscription to everything, as an XPUB receives it
	awaitSync  bool     // then a sync, before anything is sent
	sendPrefix [][]byte // envelope
	recvPrefix [][]byte
}

func (p *plan) total() int { return p.numbered + len(p.shapes) }

func body(i, k, size int) []byte {
	start := (i*31 + k*7) % period
	return content[start : start+size : start+size]
}

// message appends the frames of message i to frames.
func (p *plan) message(frames [][]byte, i int) [][]byte {
	if i < p.numbered {
		b := fmt.Appendf(nil, "m%d|", i)
		return append(frames, append(b, body(i, 0, i%64)...))
	}
	for k, size := range p.shapes[i-p.numbered] {
		frames = append(frames, body(i, k, size))
	}
	return frames
}

func (p *plan) strip(frames [][]byte) ([][]byte, error) {
	n := len(p.recvPrefix)
	if len(frames) < n {
		return nil, fmt.Errorf("got %s, want an envelope of %d frames before it", show(frames), n)
	}
	for k, want := range p.recvPrefix {
		if !bytes.Equal(want, anyFrame) && !bytes.Equal(want, frames[k]) {
			return nil, fmt.Errorf("envelope frame %d: got %x, want %x", k, frames[k], want)
		}
	}
	return frames[n:], nil
}

// check reports whether frames are message i. A sync that comes before the
// first is not.
func (p *plan) check(i int, frames [][]byte) (bool, error) {
	got, err := p.strip(frames)
	if err != nil {
		return false, err
	}
	want := p.message(nil, i)
	if i == 0 && equal(got, [][]byte{syncBody}) {
		return false, nil
	}
	if !equal(got, want) {
		return false, fmt.Errorf("message %d of %d: got %s, want %s", i, p.total(), show(got), show(want))
	}
	return true, nil
}

func equal(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for k := range a {
		if !bytes.Equal(a[k], b[k]) {
			return false
		}
	}
	return true
}

// show is a short form of a message for a failure.
func show(frames [][]byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d frames [", len(frames))
	for k, f := range frames {
		if k == 6 {
			b.WriteString(" ...")
			break
		}
		fmt.Fprintf(&b, " %d:%x", len(f), f[:min(len(f), 24)])
	}
	b.WriteString(" ]")
	return b.String()
}

// party is a socket in this process. What recv returns is valid until the
// next recv. owned says that send may keep the frames.
type party interface {
	send(ctx context.Context, frames [][]byte, owned bool) error
	recv(ctx context.Context) ([][]byte, error)
}

// ringwireParty is ours. It uses both ways to send in turn.
type ringwireParty struct {
	s      *socket.Socket
	m      ringwire.Message
	frames [][]byte
	sends  int
}

func (p *ringwireParty) send(ctx context.Context, frames [][]byte, owned bool) error {
	p.sends++
	if owned && p.sends%2 == 0 {
		return p.s.SendMessage(ctx, ringwire.NewMessage(frames...))
	}
	return p.s.Send(ctx, frames...)
}

func (p *ringwireParty) recv(ctx context.Context) ([][]byte, error) {
	if err := p.s.RecvInto(ctx, &p.m); err != nil {
		return nil, err
	}
	p.frames = p.frames[:0]
	for k := range p.m.Len() {
		p.frames = append(p.frames, p.m.Frame(k))
	}
	return p.frames, nil
}

// run moves the plan over a socket in this process.
func (p *plan) run(ctx context.Context, s party) error {
	if p.notice {
		if got, err := s.recv(ctx); err != nil || !equal(got, [][]byte{{1}}) {
			return fmt.Errorf("subscription to everything: got %s, %v", show(got), err)
		}
	}
	if p.awaitSync {
		if err := p.takeSync(ctx, s); err != nil {
			return err
		}
	}
	switch p.role {
	case roleOut:
		return p.sendAll(ctx, s)
	case roleInto:
		return p.recvAll(ctx, s, nil)
	case roleEcho:
		return p.recvAll(ctx, s, func(got [][]byte) error { return s.send(ctx, got, false) })
	case roleAsk:
		return p.askAll(ctx, s)
	}
	// The first side that fails ends the other, which then has no news.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sent := make(chan error, 1)
	go func() {
		err := p.sendAll(ctx, s)
		if err != nil {
			cancel(err)
		}
		sent <- err
	}()
	err := p.recvAll(ctx, s, nil)
	if err != nil {
		cancel(err)
	}
	return errors.Join(err, <-sent)
}

func (p *plan) takeSync(ctx context.Context, s party) error {
	frames, err := s.recv(ctx)
	if err != nil {
		return fmt.Errorf("await a sync: %w", err)
	}
	got, err := p.strip(frames)
	if err == nil && !equal(got, [][]byte{syncBody}) {
		err = fmt.Errorf("got %s, want a sync", show(got))
	}
	return err
}

func (p *plan) sendAll(ctx context.Context, s party) error {
	for i := range p.total() {
		frames := p.message(append([][]byte(nil), p.sendPrefix...), i)
		if err := s.send(ctx, frames, true); err != nil {
			return fmt.Errorf("send message %d of %d: %w", i, p.total(), err)
		}
	}
	return nil
}

func (p *plan) recvAll(ctx context.Context, s party, then func([][]byte) error) error {
	for i := 0; i < p.total(); {
		got, err := s.recv(ctx)
		if err != nil {
			return fmt.Errorf("receive message %d of %d: %w", i, p.total(), err)
		}
		ok, err := p.check(i, got)
		if err == nil && ok {
			i++
			if then != nil {
				err = then(got)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) askAll(ctx context.Context, s party) error {
	for i := range p.total() {
		frames := p.message(append([][]byte(nil), p.sendPrefix...), i)
		if err := s.send(ctx, frames, true); err != nil {
			return fmt.Errorf("send request %d of %d: %w", i, p.total(), err)
		}
		got, err := s.recv(ctx)
		if err != nil {
			return fmt.Errorf("receive reply %d of %d: %w", i, p.total(), err)
		}
		if ok, err := p.check(i, got); err != nil || !ok {
			return fmt.Errorf("reply %d: %w", i, errors.Join(err, fmt.Errorf("got %s", show(got))))
		}
	}
	return nil
}
