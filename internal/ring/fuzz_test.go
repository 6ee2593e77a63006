package ring

import (
	"math"
	"testing"
)

// model is the ring as two slices, without storage or counters that wrap.
type model struct {
	limit     int
	staged    []uint64
	published []uint64
	pushed    uint64
	popped    uint64
}

// full reports whether there is no room while lag slots that were advanced have
// not gone back.
func (m *model) full(lag int) bool { return len(m.staged)+len(m.published)+lag >= m.limit }

func lag(r *Ring[entry]) int { return int(r.Consumed() - r.Popped()) }

func (m *model) setLimit(limit int) {
	m.limit = limit
	if limit <= 0 {
		m.limit = math.MaxInt
	}
}

var fuzzLimits = []int{0, 1, 2, 3, 31, 32, 33, 64, 100, 1000, -1}

// fuzzStarts are where the counters begin; the last three wrap within the test.
var fuzzStarts = []uint64{0, 1, 31, 32, 1<<32 - 40, 1<<63 - 33, math.MaxUint64 - 70}

// FuzzRing runs a sequence of operations against the model. The first two bytes
// choose limit and start, every further byte is an operation: its kind in the
// low three bits, a repeat count in the high five. Without a bound on minimising,
// a short run spends its time on that instead of on new inputs:
//
//	go test ./internal/ring -fuzz FuzzRing -fuzztime 20s -fuzzminimizetime 10x
func FuzzRing(f *testing.F) {
	const pushes, publish, pops, limit, pushPublish = 0, 1, 2, 3, 4
	many, few := byte(31<<3), byte(1<<3)
	f.Add([]byte{0, 0, many | pushes, publish, many | pops})
	f.Add([]byte{6, 4, many | pushes, few | pushes, publish, many | pops, many | pushes, publish, many | pops})
	f.Add([]byte{0, 6, many | pushPublish, many | pushPublish, many | pops, many | pushPublish, many | pushPublish, many | pops})
	f.Add([]byte{1, 5, pushPublish, pops, pushPublish, pops, 5<<3 | limit, many | pushPublish, 1<<3 | limit, many | pops})
	f.Add([]byte{0, 3, many | 5, many | 6, many | 7, few | 5, few | 6, few | 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 {
			return
		}
		var r Ring[entry]
		var m model
		limit := fuzzLimits[int(data[0])%len(fuzzLimits)]
		start := fuzzStarts[int(data[1])%len(fuzzStarts)]
		r.initAt(limit, start)
		m.setLimit(limit)
		deepest := 0
		for at, op := range data[2:] {
			for range int(op>>3) + 1 {
				applyOp(t, &r, &m, op)
			}
			deepest = max(deepest, len(m.staged)+len(m.published)+lag(&r))
			compare(t, &r, &m, start, at, data)
			if got, want := circle(t, &r), chunksFor(deepest); got > want {
				t.Fatalf("operation %d of %v: got %d chunks for a depth of %d, want %d or fewer", at, data, got, deepest, want)
			}
		}
	})
}

// applyOp does one operation to both.
func applyOp(t *testing.T, r *Ring[entry], m *model, op byte) {
	switch op & 7 {
	case 0:
		pushBoth(t, r, m)
	case 1:
		publishBoth(r, m)
	case 2:
		popBoth(t, r, m)
	case 3:
		limit := fuzzLimits[int(op>>3)%len(fuzzLimits)]
		r.SetLimit(limit)
		m.setLimit(limit)
	case 4:
		pushBoth(t, r, m)
		publishBoth(r, m)
	case 5: // a slot taken and not committed: nothing happened
		if slot := r.Slot(); (slot == nil) != m.full(lag(r)) || slot != r.Slot() {
			t.Fatalf("got slot %p, then %p, want the same twice, and nil only if full (%t)", slot, r.Slot(), m.full(lag(r)))
		}
	case 6: // a slot looked at and not advanced: nothing happened
		if slot := r.Peek(); (slot == nil) != (len(m.published) == 0) || slot != r.Peek() {
			t.Fatalf("got %p from Peek, then %p, want the same twice, and nil only if empty (%d published)",
				slot, r.Peek(), len(m.published))
		}
	case 7: // through and out: the depth stays
		pushBoth(t, r, m)
		publishBoth(r, m)
		popBoth(t, r, m)
	}
}

func pushBoth(t *testing.T, r *Ring[entry], m *model) {
	seq := m.pushed + uint64(len(m.staged))
	behind := lag(r)
	if got, want := push(r, seq), !m.full(behind); got != want {
		t.Fatalf("push of entry %d: got room %t, want %t", seq, got, want)
	} else if got {
		m.staged = append(m.staged, seq)
	}
}

func publishBoth(r *Ring[entry], m *model) {
	r.Publish()
	m.pushed += uint64(len(m.staged))
	m.published = append(m.published, m.staged...)
	m.staged = m.staged[:0]
}

func popBoth(t *testing.T, r *Ring[entry], m *model) {
	slot := r.Peek()
	if len(m.published) == 0 {
		if slot != nil {
			t.Fatalf("pop: got entry %d, want none", slot.seq)
		}
		return
	}
	want := m.published[0]
	if slot == nil || slot.seq != want || slot.torn() {
		t.Fatalf("pop: got %+v, want entry %d", slot, want)
	}
	slot.seq = math.MaxUint64 // the slot is ours until Advance
	r.Advance()
	m.published = m.published[1:]
	m.popped++
}

// compare checks what anyone may ask.
func compare(t *testing.T, r *Ring[entry], m *model, start uint64, at int, data []byte) {
	t.Helper()
	behind := lag(r)
	if got, want := r.Len(), len(m.published)+behind; got != want {
		t.Fatalf("operation %d of %v: got length %d, want %d", at, data, got, want)
	}
	if behind < 0 || behind >= chunkSlots || len(m.published) == 0 && behind > 0 {
		t.Fatalf("operation %d of %v: got %d slots not released with %d published and the limit %d", at, data, behind, len(m.published), m.limit)
	}
	if got, want := r.Empty(), len(m.published) == 0; got != want {
		t.Fatalf("operation %d of %v: got empty %t, want %t", at, data, got, want)
	}
	if got, want := r.Pushed()-start, m.pushed; got != want {
		t.Fatalf("operation %d of %v: got %d pushed, want %d", at, data, got, want)
	}
	if got, want := r.Consumed()-start, m.popped; got != want {
		t.Fatalf("operation %d of %v: got %d consumed, want %d", at, data, got, want)
	}
}
