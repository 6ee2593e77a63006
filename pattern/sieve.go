package pattern

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// A sieve tells, without a lock and usually without touching the tree, that no
// prefix of a set begins a topic: what most messages of a publisher with few
// subscriptions, or with very many narrow ones, come down to. It is a Bloom
// filter of prefixes that knows which lengths they have.
//
// It never says so of a topic that a prefix begins. It may fail to say so: by
// chance, for a prefix that was removed, or because the prefixes have too many
// lengths. Then the tree decides.
//
// One goroutine at a time may call add and remove (the caller holds the send
// lock); absent may be called by anyone.
type sieve struct {
	// atomic: written by the one writer, read by all; nil: no prefix at all
	state atomic.Pointer[sieveState]

	// Owned by the writer.
	seed  maphash.Seed
	stale int // prefixes removed whose bits are still set
	live  int // prefixes in the set
}

// sieveState is immutable but for the bits, which are only ever set.
type sieveState struct {
	seed    maphash.Seed
	open    bool  // lets everything pass: the lengths are too many
	lengths []int // of the prefixes, no two the same
	levels  []*sieveLevel
}

// sieveLevel holds the prefixes up to a number. When it is full a larger one
// is added, because filling a larger one anew would hold up the publisher.
type sieveLevel struct {
	words []atomic.Uint64
	room  int // prefixes until it is full; owned by the writer
}

const (
	sieveLengths = 8       // more lengths cost more than the tree
	sieveFirst   = 512     // prefixes in the first level
	sieveGrowth  = 64      // each level has room for so many times more: looking at a level costs more than its bits
	sieveBits    = 16      // bits for each prefix, of which it sets three in one word: 1 in 150 passes by chance
	sieveLast    = 4 << 20 // prefixes in the largest levels: 8 MiB of bits
	sieveKeep    = 1024    // stale prefixes that never are worth starting again
)

// place returns the word and the bits of a hash.
func (l *sieveLevel) place(h uint64) (word *atomic.Uint64, bits uint64) {
	bits = 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63)
	return &l.words[h>>18&uint64(len(l.words)-1)], bits
}

// absent reports that no prefix of the set begins topic. False says nothing.
func (s *sieve) absent(topic []byte) bool {
	st := s.state.Load()
	if st == nil {
		return true
	}
	if st.open {
		return false
	}
	for _, n := range st.lengths {
		if n > len(topic) {
			continue
		}
		h := maphash.Bytes(st.seed, topic[:n])
		for _, l := range st.levels {
			if word, bits := l.place(h); word.Load()&bits == bits {
				return false
			}
		}
	}
	return true
}

// add notes a prefix that was not in the set.
func (s *sieve) add(prefix string) {
	s.live++
	st := s.state.Load()
	if st != nil && st.open {
		return
	}
	if st == nil {
		s.seed = maphash.MakeSeed()
		st = &sieveState{seed: s.seed}
	}
	next := *st
	if !slices.Contains(st.lengths, len(prefix)) {
		next.lengths = append(slices.Clone(st.lengths), len(prefix))
		if next.open = len(prefix) == 0 || len(next.lengths) > sieveLengths; next.open {
			next.levels = nil
			s.state.Store(&next)
			return
		}
	}
	last := len(st.levels) - 1
	if last < 0 || st.levels[last].room == 0 {
		next.levels = append(slices.Clone(st.levels), newSieveLevel(last+1))
		last++
	}
	l := next.levels[last]
	l.room--
	word, bits := l.place(maphash.String(s.seed, prefix))
	word.Or(bits)
	if len(next.lengths) != len(st.lengths) || len(next.levels) != len(st.levels) {
		s.state.Store(&next) // after the bits: a reader that sees the length sees them
	}
}

func newSieveLevel(i int) *sieveLevel {
	room := sieveFirst
	for ; i > 0 && room < sieveLast; i-- {
		room *= sieveGrowth
	}
	room = min(room, sieveLast)
	return &sieveLevel{words: make([]atomic.Uint64, room*sieveBits/64), room: room}
}

// remove notes that a prefix of the set left it, and reports whether the sieve
// should be filled again with what is left, because most of its bits mean
// nothing any more.
func (s *sieve) remove() (refill bool) {
	s.live--
	s.stale++
	if s.live == 0 {
		s.state.Store(nil)
		s.stale = 0
		return false
	}
	return s.stale > 2*s.live+sieveKeep
}

// refill starts again with the prefixes that all yields.
func (s *sieve) refill(all func(yield func(string) bool)) {
	var fresh sieve
	for prefix := range all {
		fresh.add(prefix)
	}
	s.seed, s.live, s.stale = fresh.seed, fresh.live, 0
	s.state.Store(fresh.state.Load())
}
