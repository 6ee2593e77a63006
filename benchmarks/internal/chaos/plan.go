package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/sockettest"
)

// Plan is a run in memory: all of it follows from its seed, but for what the
// scheduler does.
type Plan struct {
	Seed      uint64
	Pattern   Pattern
	HubSends  bool // the side with one socket, which is bound, sends messages; else it receives them
	Leaves    int  // sockets of the other side
	Send      socket.Options
	Recv      socket.Options
	Load      Load
	Link      sockettest.Link // of all links, all the time
	Faults    []Planned
	Confirmed bool   // wait for receipts before the end
	Mechanism string // "", PLAIN or CURVE; the bound side is the server
}

// Planned is one fault of a plan.
type Planned struct {
	Fault  Fault
	Leaf   int           // the leaf that it is about, if it is about one
	Length time.Duration // how long it lasts, if it does
	After  time.Duration // before it
	Choice uint64        // between its variants
}

// memoryFaults are the faults that make sense in memory.
var memoryFaults = []Fault{F01, F02, F03, F04, F05, F06, F07, F08, F09, F10, F11, F12, F13, F14, F15, F16, F17, F19, F20, F22, F23, F25}

// heartbeat times of a plan that needs them: short, so that a run is.
const (
	planInterval = 15 * time.Millisecond
	planTimeout  = 30 * time.Millisecond
)

// Draw makes the plan of a seed.
func Draw(seed uint64) *Plan {
	r := rand.New(rand.NewPCG(seed, 0x63686173))
	p := &Plan{Seed: seed, Pattern: Patterns[r.IntN(len(Patterns))], Leaves: 1 + r.IntN(3)}
	p.HubSends = r.IntN(2) == 0
	if p.Pattern == PairPair {
		p.Leaves = 1
	}
	p.drawFaults(r)
	if p.has(F17) {
		p.HubSends = false // the hub is the ROUTER
	}
	if p.has(F19) && p.Pattern != PairPair {
		p.Leaves = 8 + r.IntN(9)
	}
	p.drawOptions(r)
	p.drawLink(r)
	p.Confirmed = r.IntN(2) == 0
	p.drawMechanism(rand.New(rand.NewPCG(seed, 0x63757276)))
	return p
}

func (p *Plan) drawFaults(r *rand.Rand) {
	n := 1 + r.IntN(4)
	if r.IntN(30) == 0 {
		n = 0
	}
	for len(p.Faults) < n {
		f := memoryFaults[r.IntN(len(memoryFaults))]
		planned := Planned{Fault: f, Length: time.Duration(5+r.IntN(40)) * time.Millisecond, After: time.Duration(5+r.IntN(20)) * time.Millisecond, Choice: r.Uint64()}
		switch f {
		case F03:
			planned.Length = time.Duration(1+r.IntN(10)) * time.Millisecond
		case F04, F07:
			planned.Length = 2*planTimeout + planInterval + time.Duration(r.IntN(50))*time.Millisecond
		case F11, F17, F19, F20:
			if p.has(f) || f == F17 && p.Pattern != DealerRouter || f == F19 && p.Pattern == PairPair {
				continue
			}
		}
		if f == F25 {
			// Of what was changed on its way nothing can be counted: alone.
			p.Faults = []Planned{planned}
			break
		}
		p.Faults = append(p.Faults, planned)
	}
	for i := range p.Faults {
		p.Faults[i].Leaf = r.IntN(1 << 16)
	}
}

func (p *Plan) has(list ...Fault) bool {
	return slices.ContainsFunc(p.Faults, func(f Planned) bool { return slices.Contains(list, f.Fault) })
}

// drawMechanism has a quarter of the plans use CURVE, and adds to some a peer that is
// refused, or keys that change. It draws from a source of its own: the rest of a plan is
// the same without it.
func (p *Plan) drawMechanism(r *rand.Rand) {
	if r.IntN(4) == 0 {
		p.Mechanism = underCurve
	}
	f := Planned{Fault: F18, Leaf: r.IntN(1 << 16), Length: time.Duration(10+r.IntN(40)) * time.Millisecond, After: time.Duration(5+r.IntN(20)) * time.Millisecond, Choice: r.Uint64()}
	if r.IntN(8) > 0 || p.has(F25) {
		return
	}
	if p.Mechanism == "" {
		p.Mechanism = []string{underCurve, underPlain}[r.IntN(2)]
	}
	p.Faults = append(p.Faults, f)
}

// limit is the largest message that a receiver takes.
const limit = 768 << 10

func (p *Plan) drawOptions(r *rand.Rand) {
	hwm := func() int { return []int{1, 2, 5, 20, 100, 1000}[r.IntN(6)] }
	o := socket.Options{
		ReconnectMin: time.Duration(1+r.IntN(5)) * time.Millisecond, ReconnectMax: time.Duration(5+r.IntN(16)) * time.Millisecond,
		ConnectTimeout: 50 * time.Millisecond, HandshakeTimeout: 500 * time.Millisecond, MaxMessageSize: limit,
	}
	// A connection that died without a word is found by asking only.
	if p.has(F01, F04, F07, F10) || r.IntN(3) == 0 {
		o.HeartbeatInterval, o.HeartbeatTimeout = planInterval, planTimeout
	}
	p.Send, p.Recv = o, o
	p.Send.SendHWM, p.Send.RecvHWM = hwm(), hwm()
	p.Recv.SendHWM, p.Recv.RecvHWM = hwm(), hwm()
	if r.IntN(5) == 0 {
		p.Send.SendHWMBytes = 64 << 10
	}
	if r.IntN(5) == 0 {
		p.Recv.RecvHWMBytes = 64 << 10
	}
	if p.has(F20) {
		p.Send.SendBudget = int64(16+r.IntN(100)) << 10
		p.Recv.RecvBudget = int64(16+r.IntN(100)) << 10
	}
	switch p.Pattern {
	case PushPull, DealerRouter:
		p.Send.RequeueUnsent = p.HubSends && r.IntN(3) == 0
	case PubSub:
		p.Send.OnFull = []socket.FullPolicy{socket.FullDropNewest, socket.FullDropNewest, socket.FullDropOldest, socket.FullBlock, socket.FullDisconnect}[r.IntN(5)]
	case ReqRep:
		p.Send.ReqCorrelate = r.IntN(2) == 0
	}
	if p.Pattern == DealerRouter {
		p.Recv.DropUnroutable = r.IntN(3) == 0
	}
	if !p.HubSends && p.Pattern != PubSub {
		p.Send.Immediate = r.IntN(3) == 0
	}
	p.Load = Load{
		Burst: 1 + r.IntN(40), Pause: time.Duration(200+r.IntN(1500)) * time.Microsecond, Most: 1500 / p.Leaves,
		Frames: 1, Body: r.IntN(300), Seed: p.Seed,
	}
	if r.IntN(2) == 0 {
		p.Load.Frames = 2 + r.IntN(5)
	}
	if r.IntN(4) == 0 || p.has(F06) {
		p.Load.Big = 4<<10 + r.IntN(80<<10)
	}
	switch {
	case p.Pattern == ReqRep:
		p.Load.Patience = time.Duration(30+r.IntN(70)) * time.Millisecond
	case r.IntN(3) == 0:
		p.Load.Patience = time.Duration(1+r.IntN(20)) * time.Millisecond
	}
}

func (p *Plan) drawLink(r *rand.Rand) {
	if r.IntN(2) == 0 {
		p.Link.Latency = time.Duration(r.IntN(1500)) * time.Microsecond
	}
	if r.IntN(3) == 0 {
		p.Link.Jitter = time.Duration(r.IntN(1500)) * time.Microsecond
	}
	if r.IntN(3) == 0 {
		p.Link.Buffer = 1 << (10 + r.IntN(7))
	}
	if r.IntN(4) == 0 {
		p.Link.MaxRead = 1 + r.IntN(2000)
	}
	if r.IntN(4) == 0 {
		p.Link.MaxWrite = 1 + r.IntN(2000)
	}
	if r.IntN(5) == 0 {
		p.Link.Bandwidth = int64(5+r.IntN(50)) << 20
	}
}

// String is the plan in a line.
func (p *Plan) String() string {
	var faults []string
	for _, f := range p.Faults {
		faults = append(faults, string(f.Fault))
	}
	if len(faults) == 0 {
		faults = []string{string(Calm)}
	}
	hub := "receives"
	if p.HubSends {
		hub = "sends"
	}
	mechanism := p.Mechanism
	if mechanism == "" {
		mechanism = "NULL"
	}
	return fmt.Sprintf("%s, %s, %d leaves, the bound side %s, HWM %d and %d, heartbeat %v, requeue %t, faults %s",
		p.Pattern, mechanism, p.Leaves, hub, p.Send.SendHWM, p.Recv.RecvHWM, p.Send.HeartbeatInterval, p.Send.RequeueUnsent, strings.Join(faults, " "))
}
