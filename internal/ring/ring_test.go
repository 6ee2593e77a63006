package ring

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"
)

// entry is what most tests carry: a number, and a second word derived from it,
// so that a slot read while it is written shows.
type entry struct {
	seq   uint64
	check uint64
}

func (e *entry) set(seq uint64) { e.seq, e.check = seq, ^seq }

func (e *entry) torn() bool { return e.check != ^e.seq }

// push commits seq without publishing it, and reports whether there was room.
func push(r *Ring[entry], seq uint64) bool {
	slot := r.Slot()
	if slot == nil {
		return false
	}
	slot.set(seq)
	r.Commit()
	return true
}

// pop takes the oldest entry out.
func pop(r *Ring[entry]) (seq uint64, ok bool) {
	slot := r.Peek()
	if slot == nil {
		return 0, false
	}
	seq = slot.seq
	r.Advance()
	return seq, true
}

// mustPush commits and publishes the entries from first to last.
func mustPush(t testing.TB, r *Ring[entry], first, last uint64) {
	t.Helper()
	for seq := first; seq <= last; seq++ {
		if !push(r, seq) {
			t.Fatalf("push of entry %d: got no slot with %d of limit %d used", seq, r.Len(), r.limit)
		}
	}
	r.Publish()
}

// mustPop takes out the entries from first to last.
func mustPop(t testing.TB, r *Ring[entry], first, last uint64) {
	t.Helper()
	for seq := first; seq <= last; seq++ {
		if got, ok := pop(r); !ok || got != seq {
			t.Fatalf("pop: got entry %d, %t, want entry %d, true", got, ok, seq)
		}
	}
}

func TestLimitIsExact(t *testing.T) {
	for _, limit := range []int{1, 2, 31, 32, 33, 64, 1000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			var r Ring[entry]
			r.Init(limit)
			var first uint64
			for round := range 5 {
				mustPush(t, &r, first, first+uint64(limit)-1)
				if got := r.Slot(); got != nil {
					t.Fatalf("round %d: got a slot at the limit %d, want nil", round, limit)
				}
				if got := r.Len(); got != limit {
					t.Fatalf("round %d: got length %d, want %d", round, got, limit)
				}
				mustPop(t, &r, first, first+uint64(limit)-1)
				if got := r.Peek(); got != nil {
					t.Fatalf("round %d: got entry %d from an empty ring, want nil", round, got.seq)
				}
				first += uint64(limit)
			}
		})
	}
}

func TestStagedSlotsCountAndStayPrivate(t *testing.T) {
	var r Ring[entry]
	r.Init(3)
	for seq := range uint64(3) {
		push(&r, seq)
	}
	if r.Slot() != nil {
		t.Error("got a slot with 3 of 3 committed, want nil")
	}
	if r.Peek() != nil || r.Len() != 0 || !r.Empty() || r.Pushed() != 0 {
		t.Errorf("before Publish: got length %d, empty %t, pushed %d, want 0, true, 0", r.Len(), r.Empty(), r.Pushed())
	}
	r.Publish()
	if r.Len() != 3 || r.Empty() || r.Pushed() != 3 || r.Popped() != 0 {
		t.Errorf("after Publish: got length %d, empty %t, pushed %d, popped %d, want 3, false, 3, 0",
			r.Len(), r.Empty(), r.Pushed(), r.Popped())
	}
	mustPop(t, &r, 0, 2)
	if !r.Empty() || r.Popped() != 3 {
		t.Errorf("after three pops: got empty %t, popped %d, want true, 3", r.Empty(), r.Popped())
	}
}

func TestSlotAndPeekRepeat(t *testing.T) {
	var r Ring[entry]
	r.Init(0)
	for seq := range uint64(3 * chunkSlots) {
		slot := r.Slot()
		if again := r.Slot(); again != slot {
			t.Fatalf("entry %d: got slot %p, then %p without a Commit", seq, slot, again)
		}
		slot.set(seq)
		r.Commit()
		r.Publish()
		oldest := r.Peek()
		if oldest != slot {
			t.Fatalf("entry %d: got %p from Peek, want the slot filled, %p", seq, oldest, slot)
		}
		if again := r.Peek(); again != oldest {
			t.Fatalf("entry %d: got %p from Peek, then %p without an Advance", seq, oldest, again)
		}
		r.Advance()
	}
}

func TestSlotsKeepTheirContent(t *testing.T) {
	var r Ring[entry]
	r.Init(1)
	for seq := range uint64(2 * chunkSlots) {
		mustPush(t, &r, seq, seq)
		mustPop(t, &r, seq, seq)
	}
	if got := r.Slot().seq; got != 0 {
		t.Errorf("got entry %d in the slot after two chunks, want entry 0 of the first lap", got)
	}
}

func TestSetLimit(t *testing.T) {
	var r Ring[entry]
	r.Init(4)
	mustPush(t, &r, 0, 3)
	r.SetLimit(2)
	mustPop(t, &r, 0, 1)
	if r.Slot() != nil {
		t.Error("got a slot with 2 entries at limit 2, want nil")
	}
	mustPop(t, &r, 2, 2)
	mustPush(t, &r, 4, 4)
	if r.Slot() != nil {
		t.Error("got a slot with 2 entries at limit 2 again, want nil")
	}
	r.SetLimit(-1)
	mustPush(t, &r, 5, 5000)
	mustPop(t, &r, 3, 5000)
}

func TestZeroRingTakesNothing(t *testing.T) {
	var r Ring[entry]
	if r.Slot() != nil || r.Peek() != nil || r.Len() != 0 || !r.Empty() {
		t.Errorf("got slot %p, peek %p, length %d, empty %t, want nil, nil, 0, true", r.Slot(), r.Peek(), r.Len(), r.Empty())
	}
}

func TestInitAgain(t *testing.T) {
	var r Ring[entry]
	r.Init(0)
	mustPush(t, &r, 0, 99)
	mustPop(t, &r, 0, 49)
	r.Init(2)
	if r.Len() != 0 || r.Pushed() != 0 || r.Popped() != 0 || r.Peek() != nil {
		t.Fatalf("after a second Init: got length %d, pushed %d, popped %d, want 0, 0, 0", r.Len(), r.Pushed(), r.Popped())
	}
	mustPush(t, &r, 7, 8)
	if r.Slot() != nil {
		t.Error("got a slot at the limit of the second Init, want nil")
	}
	mustPop(t, &r, 7, 8)
}

func TestMisusePanics(t *testing.T) {
	filled := func(n uint64) *Ring[entry] {
		r := new(Ring[entry])
		r.Init(0)
		mustPush(t, r, 0, n-1)
		return r
	}
	empty := new(Ring[entry])
	empty.Init(0)
	drained := filled(3)
	mustPop(t, drained, 0, 2)
	rows := []struct {
		name string
		call func()
		want string
	}{
		{"Commit first", empty.Commit, "Commit without a slot"},
		{"Commit past a chunk", filled(chunkSlots).Commit, "Commit without a slot"},
		{"Advance first", func() { empty.Advance() }, "Advance without a slot"},
		{"Advance before Peek", func() { filled(3).Advance() }, "Advance without a slot"},
		{"Advance past the end", func() { drained.Advance() }, "Advance without a slot"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, row.want) {
					t.Errorf("got panic %q, want one with %q", got, row.want)
				}
			}()
			row.call()
		})
	}
}

// TestCountersWrap runs a ring across the points where a 32-bit and a 64-bit
// counter wrap, from every place within a chunk.
func TestCountersWrap(t *testing.T) {
	const count = 5 * chunkSlots
	for _, wrap := range []uint64{1 << 32, 1 << 63, 0} {
		for before := range uint64(3 * chunkSlots) {
			start := wrap - before
			for _, limit := range []int{1, 33, 0} {
				var r Ring[entry]
				r.initAt(limit, start)
				depth := uint64(limit)
				if limit == 0 {
					depth = chunkSlots + 7
				}
				for seq := uint64(0); seq < count; seq += depth {
					mustPush(t, &r, seq, seq+depth-1)
					if limit > 0 && r.Slot() != nil {
						t.Fatalf("start %d, limit %d: got a slot at the limit, want nil", start, limit)
					}
					if got := r.Len(); got != int(depth) {
						t.Fatalf("start %d, limit %d: got length %d, want %d", start, limit, got, depth)
					}
					mustPop(t, &r, seq, seq+depth-1)
				}
				if !r.Empty() || r.Pushed() != r.Popped() || r.Pushed()-start < count {
					t.Fatalf("start %d, limit %d: got empty %t, pushed %d, popped %d, want true and %d or more each",
						start, limit, r.Empty(), r.Pushed()-start, r.Popped()-start, count)
				}
			}
		}
	}
}

// TestNoFalseSharing checks that what the two sides write lies on different
// cache lines, wherever the ring itself begins.
func TestNoFalseSharing(t *testing.T) {
	const line = 64
	var r Ring[message]
	groups := []struct {
		name       string
		begin, end uintptr
	}{
		{"tail", unsafe.Offsetof(r.tail), unsafe.Offsetof(r.tail) + unsafe.Sizeof(r.tail)},
		{"head", unsafe.Offsetof(r.head), unsafe.Offsetof(r.head) + unsafe.Sizeof(r.head)},
		{"producer", unsafe.Offsetof(r.limit), unsafe.Offsetof(r.storage) + unsafe.Sizeof(r.storage)},
		{"consumer", unsafe.Offsetof(r.read), unsafe.Offsetof(r.drain) + unsafe.Sizeof(r.drain)},
		{"what follows the ring", unsafe.Sizeof(r), math.MaxInt32},
	}
	for i, group := range groups[1:] {
		if gap := int(group.begin - groups[i].end); gap < line {
			t.Errorf("got %d bytes between %s and %s, want %d or more", gap, groups[i].name, group.name, line)
		}
	}
	if size := unsafe.Sizeof(r); size > 512 {
		t.Errorf("got a ring of %d bytes, want 512 or fewer: an idle ring holds next to nothing", size)
	}
}

// TestReleaseLags: the consumer gives slots back when a 32nd of the limit waits,
// at once in a small ring, when it has read all, and when it says so.
func TestReleaseLags(t *testing.T) {
	for _, row := range []struct{ limit, most int }{{1, 1}, {63, 1}, {64, 2}, {1000, 31}, {100_000, 32}, {0, 32}} {
		var r Ring[entry]
		r.Init(row.limit)
		n := uint64(100)
		if row.limit > 0 {
			n = min(n, uint64(row.limit))
		}
		mustPush(t, &r, 0, n-1)
		for i := range n {
			before := r.Popped()
			r.Peek()
			released := r.Advance()
			behind := int(r.Consumed() - r.Popped())
			if released != (r.Popped() > before) || behind >= row.most {
				t.Fatalf("limit %d, slot %d: got released %t, %d behind, want fewer than %d", row.limit, i, released, behind, row.most)
			}
			if i == n-2 && behind > 0 && (!r.Release() || r.Popped() != r.Consumed() || r.Release()) {
				t.Fatalf("limit %d: Release left %d of %d, or said twice that it did something", row.limit, r.Consumed()-r.Popped(), r.Consumed())
			}
		}
		if r.Popped() != n {
			t.Errorf("limit %d: got %d released after the last of %d, want all", row.limit, r.Popped(), n)
		}
	}
}
