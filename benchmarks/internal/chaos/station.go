package chaos

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Link is a socket of any library. Send and Ask return nil only if the library
// did; frames that Recv and Ask return are valid until the next call.
type Link interface {
	Send(ctx context.Context, frames [][]byte) error
	Recv(ctx context.Context) ([][]byte, error)
	Ask(ctx context.Context, frames [][]byte) ([][]byte, error)
}

// Pattern is which pair of socket types a run uses.
type Pattern string

// The patterns. In each one side sends messages, and the other receives them;
// that of ReqRep and DealerRouter answers each.
const (
	PushPull     Pattern = "push-pull"
	PubSub       Pattern = "pub-sub"
	ReqRep       Pattern = "req-rep"
	DealerRouter Pattern = "dealer-router"
	PairPair     Pattern = "pair"
)

// Patterns are all of them.
var Patterns = []Pattern{PushPull, PubSub, ReqRep, DealerRouter, PairPair}

func (p Pattern) answers() bool { return p == ReqRep || p == DealerRouter }

// Load is what a sender does.
type Load struct {
	Burst    int           // messages without a pause
	Pause    time.Duration // after each burst
	Patience time.Duration // of each call, 0 without end
	Most     int           // messages; beyond it one after each pause of Slow
	Frames   int           // at most
	Body     int           // at most, of each frame
	Big      int           // one message in 50 has bodies of up to this size, if it is more than Body
	Seed     uint64        // of sizes
}

// largest is the size of the largest message, with the headers of frames.
func (l *Load) largest() int64 {
	const frameHeader = 9
	return int64(max(1, l.Frames)) * int64(max(l.Body, l.Big)+Smallest+frameHeader)
}

// Slow is the pause of a sender that has sent enough to show something.
const Slow = 5 * time.Millisecond

// Station plays one side of a pattern on a link until it is stopped.
type Station struct {
	// Immutable after StartStation.
	pattern Pattern
	sends   bool
	lane    uint32
	load    Load
	routes  int // frames in front of what a ROUTER receives
	link    Link
	log     *Log
	now     func() int64

	stop    chan struct{} // closed by stopped
	ctx     context.Context
	cancel  context.CancelFunc
	stopped sync.Once
	sending sync.WaitGroup
	running sync.WaitGroup
	gate    gate

	oversize atomic.Int64 // a body to send once; written by Oversize, taken by the sending goroutine
	orphans  uint64       // answers to what was torn; owned by the receiving goroutine
}

// StartStation has a side of a pattern played, until StopSending and, for what
// receives, the end of the link. Wait waits for that. hops is how many devices there
// are on the way, each of which adds a frame to the envelope that a ROUTER receives.
func StartStation(p Pattern, sends bool, lane uint32, load Load, hops int, link Link, log *Log, now func() int64) *Station {
	s := &Station{pattern: p, sends: sends, lane: lane, load: load, routes: 1 + hops, link: link, log: log, now: now, stop: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if sends {
		s.sending.Go(s.send)
	}
	if !sends || p == DealerRouter {
		s.running.Go(s.receive)
	}
	return s
}

// Pause has the application stop receiving until Resume.
func (s *Station) Pause() { s.gate.shut() }

// Resume undoes Pause.
func (s *Station) Resume() { s.gate.open() }

// Oversize has one message with a body of this size sent.
func (s *Station) Oversize(body int) { s.oversize.Store(int64(body)) }

// StopSending ends sending, and waits for the call in progress unless that
// waits for ever: then it is cancelled after patience.
func (s *Station) StopSending(patience time.Duration) {
	s.stopped.Do(func() { close(s.stop) })
	timer := time.AfterFunc(patience, s.cancel)
	defer timer.Stop()
	s.sending.Wait()
}

// Wait waits for the end, which comes when the link was closed.
func (s *Station) Wait() {
	s.stopped.Do(func() { close(s.stop) })
	s.gate.open()
	s.sending.Wait()
	s.running.Wait()
	s.cancel()
}

func (s *Station) send() {
	random := rand.New(rand.NewPCG(s.load.Seed, uint64(s.lane)))
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	failures := 0
	for seq := uint64(1); ; seq++ {
		pause := time.Duration(0)
		switch {
		case s.load.Most > 0 && seq > uint64(s.load.Most):
			pause = Slow
		case seq%uint64(max(1, s.load.Burst)) == 0:
			pause = s.load.Pause
		}
		if failures > 0 { // such as a closed socket, or no route
			pause = max(pause, time.Millisecond)
		}
		if pause > 0 {
			timer.Reset(pause)
			select {
			case <-s.stop:
				return
			case <-timer.C:
			}
		}
		select {
		case <-s.stop:
			return
		default:
		}
		id := ID{Lane: s.lane, Seq: seq, Sent: s.now()}
		if s.sendOne(id, s.bodies(random)) {
			failures = 0
		} else {
			failures++
		}
	}
}

// bodies draws the sizes of a message.
func (s *Station) bodies(random *rand.Rand) []int {
	frames, most := 1, s.load.Body
	if s.load.Frames > 1 && random.IntN(2) == 0 {
		frames = 1 + random.IntN(s.load.Frames)
	}
	if s.load.Big > most && random.IntN(50) == 0 {
		most = s.load.Big
	}
	bodies := make([]int, frames)
	for i := range bodies {
		bodies[i] = random.IntN(most + 1)
	}
	if n := s.oversize.Swap(0); n > 0 {
		bodies[len(bodies)-1] = int(n)
	}
	return bodies
}

// sendOne sends one message and reports success.
func (s *Station) sendOne(id ID, bodies []int) bool {
	ctx, cancel := s.ctx, context.CancelFunc(func() {})
	if s.load.Patience > 0 {
		ctx, cancel = context.WithTimeout(ctx, s.load.Patience)
	}
	defer cancel()
	s.log.Add(Trying, id)
	if s.pattern == ReqRep {
		return s.ask(ctx, id, bodies)
	}
	if err := s.link.Send(ctx, Make(id, bodies)); err != nil {
		s.log.Add(Refused, id)
		return false
	}
	s.log.Add(Accepted, id)
	return true
}

// ask sends a request and takes its reply.
func (s *Station) ask(ctx context.Context, id ID, bodies []int) bool {
	frames, err := s.link.Ask(ctx, Make(id, bodies))
	if err != nil {
		s.log.Add(Unknown, id)
		return false
	}
	s.log.Add(Accepted, id)
	got, err := Read(frames)
	switch {
	case err != nil || got.Lane == nobody:
		s.log.Add(Torn, ID{})
	case got.Lane != id.Lane || got.Seq != id.Seq || got.By == 0:
		s.log.Add(Foreign, got)
	default:
		s.log.Add(Received, got)
	}
	return true
}

// nobody is the lane of answers to what cannot be read.
const nobody = ^uint32(0)

func (s *Station) receive() {
	for {
		s.gate.pass()
		frames, err := s.link.Recv(context.Background())
		if err != nil {
			return
		}
		var route [][]byte
		if s.pattern == DealerRouter && !s.sends {
			n := min(s.routes, len(frames)) // of a message that is shorter, nothing can be read
			route, frames = frames[:n], frames[n:]
		}
		id, err := Read(frames)
		switch {
		case err != nil, s.sends && id.Lane == nobody:
			s.log.Add(Torn, ID{})
			s.orphans++
			id = ID{Lane: nobody, Seq: s.orphans, Sent: s.now()}
		default:
			s.log.Add(Received, id)
		}
		if s.pattern.answers() && !s.sends {
			s.answer(route, id)
		}
	}
}

// answer sends a message back.
func (s *Station) answer(route [][]byte, id ID) {
	id.By = s.lane
	frames := slices.Concat(route, Make(id, []int{int(id.Seq % 64)}))
	s.log.Add(Trying, id)
	ctx, cancel := context.WithTimeout(s.ctx, answerPatience)
	defer cancel()
	if err := s.link.Send(ctx, frames); err != nil {
		s.log.Add(Refused, id)
		return
	}
	s.log.Add(Accepted, id)
}

// answerPatience is how long a ROUTER waits for room: a peer that reads nothing
// must not keep it from the others.
const answerPatience = 2 * time.Millisecond

// gate is open unless it was shut.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // nil: open; guarded by mu
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == nil {
		g.closed = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		close(g.closed)
		g.closed = nil
	}
}

// pass waits until it is open.
func (g *gate) pass() {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		<-closed
	}
}
