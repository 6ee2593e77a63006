package pattern

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/msg"
	"github.com/ringwire/ringwire/internal/pipe"
)

// Req sends a request to one of its peers, in turn, and receives that peer's
// reply; strictly one after the other (RFC 28).
var Req = &Spec{
	name: "REQ", peers: []string{"REP", "ROUTER"},
	sends: true, receives: true, identifies: true, noDup: true, make: newReq,
}

// delimiter is the envelope of a request: one empty frame.
var delimiter = [][]byte{{}}

type req struct {
	none
	fairQueue
	balance   loadBalance
	relaxed   bool
	correlate bool
	probe     bool

	// awaiting is the request without a reply. Written by the sender (new
	// request, given up) and by the receiver (reply arrived). The receiver
	// leaves an answered request in spent, for the sender to use again; nobody
	// else holds it then.
	awaiting atomic.Pointer[request]
	spent    atomic.Pointer[request]

	// Owned by the sender.
	id uint32
}

// request is one request in progress. Immutable while it is awaited, but for
// floor.
type request struct {
	end *pipe.End
	id  []byte // with correlation: the frame the reply must start with
	// floor is how many messages had come into the peer's queue before the
	// request could have reached it: they are no replies to it.
	floor atomic.Uint64
}

func newReq(c *Config) Pattern {
	return &req{
		fairQueue: fairQueue{group: c.Group},
		balance:   loadBalance{immediate: c.Immediate, watch: true},
		relaxed:   c.ReqRelaxed,
		correlate: c.ReqCorrelate,
		probe:     c.ProbeRouter,
		id:        rand.Uint32(),
	}
}

func (r *req) Attach(e *pipe.End) { r.balance.attach(e) }
func (r *req) Detach(e *pipe.End) { r.balance.detach(e) }

// Ready starts a new connection: nothing that came over the last one answers
// a request that is sent, or was queued, for this one.
func (r *req) Ready(e *pipe.End) (*pipe.End, error) {
	if q := r.awaiting.Load(); q != nil && q.end == e && e.Lives() {
		q.floor.Store(e.Arrived())
	}
	e.Fresh()
	if r.probe {
		sendProbe(e)
	}
	return nil, nil
}

func (r *req) TrySend(m *msg.Message) (*pipe.End, error) {
	if q := r.awaiting.Load(); q != nil {
		if !r.relaxed {
			return nil, fmt.Errorf("the last request has no reply yet: %w", ringwire.ErrState)
		}
		if e := r.Abandon(); e != nil {
			e.Condemn(fmt.Errorf("request given up for a new one: %w", ringwire.ErrState))
		}
	}
	q := r.spent.Swap(nil)
	if q == nil {
		q = new(request)
	}
	lead := delimiter
	if q.id = nil; r.correlate {
		q.id = binary.NativeEndian.AppendUint32(nil, r.id+1)
		lead = [][]byte{q.id, {}}
	}
	own := prefix(m, lead)
	e, err := r.balance.trySend(m)
	m.SetLead(own)
	if err != nil {
		return nil, err
	}
	r.id++
	q.end = e
	q.floor.Store(r.balance.arrived) // over inproc the reply may have come by now
	r.awaiting.Store(q)
	return nil, nil
}

// prefix puts lead before the frames of m and returns the lead m had.
func prefix(m *msg.Message, lead [][]byte) (own [][]byte) {
	if own = m.Lead(); len(own) > 0 {
		lead = slices.Concat(lead, own)
	}
	m.SetLead(lead)
	return own
}

// Abandon implements Requester.
func (r *req) Abandon() *pipe.End {
	q := r.awaiting.Swap(nil)
	if q == nil {
		return nil
	}
	if q.end.Withdraw() {
		return nil
	}
	q.end.Spoil()
	return q.end
}

// Unanswered implements Requester. There is one request at a time: all but the one
// that waits for its reply, and the one that was given up with its connection, have
// theirs, and a peer takes in what it is sent in order.
func (r *req) Unanswered(e *pipe.End, unconfirmed int64) (n int64) {
	if e.Spoiled() {
		n++
	}
	if q := r.awaiting.Load(); q != nil && q.end == e && !e.Queued() {
		n++
	}
	if r.probe && unconfirmed <= n+1 {
		return unconfirmed // nothing that came behind the probe has an answer
	}
	return n
}

func (r *req) TryRecv(m *msg.Message) error {
	for {
		q := r.awaiting.Load()
		if q == nil {
			return fmt.Errorf("no request was sent: %w", ringwire.ErrState)
		}
		e := r.tryRecv(m)
		if e == nil {
			return ringwire.ErrAgain
		}
		switch {
		case e != q.end || e.Spoiled() || e.Before(q.floor.Load()):
			e.DropReceived(pipe.Stale)
		case !q.strip(m):
			e.DropReceived(pipe.Malformed)
		case r.awaiting.CompareAndSwap(q, nil):
			r.spent.Store(q)
			return nil
		default:
			e.DropReceived(pipe.Stale) // given up while we looked
		}
	}
}

// strip takes the envelope off a reply, or reports that it has none of ours.
func (q *request) strip(m *msg.Message) bool {
	n := 1
	if q.id != nil {
		n = 2
	}
	if m.Len() <= n || len(m.Frame(n-1)) != 0 || n == 2 && string(m.Frame(0)) != string(q.id) {
		return false
	}
	m.TrimFront(n)
	return true
}

// Inputs implements pipe.Inbox.
func (r *req) Inputs() bool { return r.fairQueue.Inputs() }

// Settle implements pipe.Inbox.
func (r *req) Settle() bool { return r.fairQueue.Settle() }
