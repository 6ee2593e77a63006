package ring

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var histories = flag.Int("ring.histories", 2000, "histories checked for linearizability")

// call is one operation of a history.
type call struct {
	kind  callKind
	value byte // what is pushed
	limit int
}

type callKind string

const (
	callPush    callKind = "push" // Slot, fill, Commit; fails only when full
	callPublish callKind = "publish"
	callPop     callKind = "pop" // Peek, take, Advance; fails only when empty
	callEmpty   callKind = "empty"
)

// answer is what it returned.
type answer struct {
	ok    bool
	value byte
}

// fifo is the sequential ring: bytes of the two strings are the values.
type fifo struct {
	staged, published string
}

// fifoModel is a bounded queue with two steps on the way in. A batch is several
// pushes and one publish.
var fifoModel = porcupine.Model{
	Init: func() any { return fifo{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(fifo), input.(call), output.(answer)
		switch in.kind {
		case callPush:
			full := len(s.staged)+len(s.published) >= in.limit
			if !out.ok {
				return full, s
			}
			return !full, fifo{s.staged + string(rune(in.value)), s.published}
		case callPublish:
			return true, fifo{"", s.published + s.staged}
		case callPop:
			if !out.ok {
				return s.published == "", s
			}
			if s.published == "" || s.published[0] != out.value {
				return false, s
			}
			return true, fifo{s.staged, s.published[1:]}
		default:
			return out.ok == (s.published == ""), s
		}
	},
	DescribeOperation: func(input, output any) string {
		in, out := input.(call), output.(answer)
		return fmt.Sprintf("%s(%d) %t %d", in.kind, in.value, out.ok, out.value)
	},
}

// TestHistoriesAreLinearizable runs many short histories of one producer, one
// consumer and one onlooker, and looks for an order of the calls that explains
// every answer.
func TestHistoriesAreLinearizable(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	count := *histories
	if testing.Short() {
		count /= 4
	}
	seed := seedFor(t)
	overlapping := 0
	for i := range count {
		history := recordHistory(rand.New(rand.NewPCG(seed, uint64(i))))
		if overlaps(history) {
			overlapping++
		}
		if porcupine.CheckOperations(fifoModel, history) {
			continue
		}
		for _, op := range history {
			t.Logf("client %d, %d to %d: %s", op.ClientId, op.Call, op.Return, fifoModel.DescribeOperation(op.Input, op.Output))
		}
		t.Fatalf("seed %d, history %d: got answers that no order of the calls explains", seed, i)
	}
	if overlapping < count/4 {
		t.Errorf("seed %d: got %d of %d histories with calls that overlap, want a quarter or more: the test shows little",
			seed, overlapping, count)
	}
}

// recordHistory runs one history on a ring that begins near the end of a chunk.
func recordHistory(random *rand.Rand) []porcupine.Operation {
	limit := []int{1, 2, 3, 5, 33}[random.IntN(5)]
	var r Ring[entry]
	r.initAt(limit, uint64(chunkSlots-random.IntN(4)))
	const calls = 24
	epoch := time.Now()
	begin := make(chan struct{})
	perClient := make([][]porcupine.Operation, 3)
	var wg sync.WaitGroup
	run := func(client int, seed uint64, pick func(*rand.Rand, *recorder)) {
		wg.Go(func() {
			own := rand.New(rand.NewPCG(seed, uint64(client)))
			rec := &recorder{ring: &r, random: own, client: client, epoch: epoch}
			<-begin
			for range calls {
				pick(own, rec)
				rec.maybeYield()
			}
			perClient[client] = rec.history
		})
	}
	seed := random.Uint64()
	run(0, seed, func(own *rand.Rand, rec *recorder) {
		if own.IntN(3) == 0 {
			rec.do(call{kind: callPublish})
			return
		}
		rec.pushes++
		rec.do(call{kind: callPush, value: rec.pushes, limit: limit})
	})
	run(1, seed, func(_ *rand.Rand, rec *recorder) { rec.do(call{kind: callPop}) })
	run(2, seed, func(_ *rand.Rand, rec *recorder) { rec.do(call{kind: callEmpty}) })
	close(begin)
	wg.Wait()
	return append(append(perClient[0], perClient[1]...), perClient[2]...)
}

// recorder does the calls of one client and notes when each began and ended, by
// the monotonic clock: a shared counter would order the goroutines by itself.
type recorder struct {
	ring    *Ring[entry]
	random  *rand.Rand
	client  int
	epoch   time.Time
	pushes  byte
	history []porcupine.Operation
}

func (c *recorder) do(in call) {
	var out answer
	began := time.Since(c.epoch).Nanoseconds()
	switch in.kind {
	case callPush:
		if slot := c.ring.Slot(); slot != nil {
			c.maybeYield()
			slot.set(uint64(in.value))
			c.ring.Commit()
			out.ok = true
		}
	case callPublish:
		c.ring.Publish()
		out.ok = true
	case callPop:
		if slot := c.ring.Peek(); slot != nil {
			out = answer{ok: true, value: byte(slot.seq)}
			c.maybeYield()
			c.ring.Advance()
		}
	case callEmpty:
		out.ok = c.ring.Len() == 0 // anyone may ask; exact, because small rings release every slot
	}
	ended := time.Since(c.epoch).Nanoseconds()
	c.history = append(c.history, porcupine.Operation{ClientId: c.client, Input: in, Call: began, Output: out, Return: ended})
}

// maybeYield lets another client in, also in the middle of a call, so that calls
// overlap on a machine with one processor too.
func (c *recorder) maybeYield() {
	if c.random.IntN(4) == 0 {
		runtime.Gosched()
	}
}

// overlaps reports whether a call of the producer and one of the consumer were
// under way at the same time.
func overlaps(history []porcupine.Operation) bool {
	for _, a := range history {
		for _, b := range history {
			if a.ClientId == 0 && b.ClientId == 1 && a.Call < b.Return && b.Call < a.Return {
				return true
			}
		}
	}
	return false
}
