package pipe

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/ringwire/ringwire/internal/msg"
)

// budget bounds the memory of all incoming queues of a socket together. Who
// reads a connection stops when it is used up, and goes on when half of it is
// free again.
type budget struct {
	limit int64        // bytes; immutable
	used  atomic.Int64 // added to by producers, taken from by consumers

	waiting atomic.Int32 // length of list
	mu      sync.Mutex
	list    []*Queue // whose producers found no room; guarded by mu
}

// SetBudgets bounds the bytes that are queued in all ends together, in each
// direction; zero or less is no bound. It must be called before g is shared.
func (g *Group) SetBudgets(send, recv int64) {
	g.sendBudget = max(send, 0)
	if recv > 0 {
		g.recvBudget = &budget{limit: recv}
	}
}

// spend notes what is queued in e towards its peer. Needs the send lock.
func (e *End) spend() {
	if g := e.group; g.sendBudget > 0 {
		n := e.out.bytes + e.flight.bytes
		g.sendUsed += n - e.spent
		e.spent = n
	}
}

// broke reports whether nothing more may be queued in any end. Needs the send
// lock.
func (g *Group) broke() bool { return g.sendBudget > 0 && g.sendUsed >= g.sendBudget }

const slotSize = int64(unsafe.Sizeof(msg.Message{}))

// over reports whether q must wait, and remembers it if so.
func (b *budget) over(q *Queue) bool {
	if b.used.Load() < b.limit || q.parting.Load() && q.held() == 0 {
		return false
	}
	b.mu.Lock()
	if !q.listed {
		q.listed = true
		b.list = append(b.list, q)
	}
	b.waiting.Store(int32(len(b.list)))
	b.mu.Unlock()
	return b.used.Load() >= b.limit // else it was freed before we were listed
}

// free gives bytes back, and wakes those who wait once half is free.
func (b *budget) free(n int64) {
	if b.used.Add(-n) > b.limit/2 || b.waiting.Load() == 0 {
		return
	}
	b.mu.Lock()
	list := b.list
	b.list = nil
	for _, q := range list {
		q.listed = false
	}
	b.waiting.Store(0)
	b.mu.Unlock()
	for _, q := range list {
		q.wakeProducer()
	}
}

// charge makes q part of a budget, with what is in it. Nobody else uses q.
func (q *Queue) charge(b *budget) {
	q.budget = b
	if b != nil {
		q.paid = q.ring.Popped()
		b.used.Add(q.memory())
	}
}
