package pattern

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// Filter tells of most messages that nobody wants them. It needs no lock.
type Filter struct {
	sieve     sieve
	off       atomic.Bool // it can tell nothing: see Disable
	unmatched atomic.Int64
}

// Unwanted reports that nobody subscribed to a message with this topic, if that
// can be told at a glance. The message is then sent, to nobody, and counted.
func (f *Filter) Unwanted(topic []byte) bool {
	if f.off.Load() || !f.sieve.absent(topic) {
		return false
	}
	f.unmatched.Add(1)
	return true
}

// Disable has every message take the long way from now on: who did not subscribe
// wants it, or the socket is closed and says so.
func (f *Filter) Disable() { f.off.Store(true) }

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
	stale int // prefixes removed whose bits are still set
	live  int // prefixes in the set
}

// sieveState is immutable but for the bits, which are only ever set.
type sieveState struct {
	seed    maphash.Seed
	key     [2]uint64
	open    bool  // lets everything pass: the lengths are too many
	lengths []int // of the prefixes, no two the same
	levels  []*sieveLevel
}

// sieveLevel holds the prefixes up to a number. When it is full a larger one
// is added, because filling a larger one anew would hold up the publisher.
type sieveLevel struct {
	words []atomic.Uint64
	size  int // prefixes that it is made for
	room  int // prefixes until it is full; owned by the writer
}

const (
	sieveLengths = 8       // more lengths cost more than the tree
	sieveFirst   = 512     // prefixes in the first level
	sieveGrowth  = 64      // each level has room for so many times more: looking at a level costs more than its bits
	sieveBits    = 16      // bits for each prefix, of which it sets three in one word: in a full level about 1 topic in 100 passes by chance
	sieveLast    = 4 << 20 // prefixes in the largest levels: 8 MiB of bits
	sieveKeep    = 1024    // stale prefixes that never are worth starting again
)

// place returns the word and the bits of a hash.
func (l *sieveLevel) place(h uint64) (word *atomic.Uint64, set uint64) {
	set = 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63)
	return &l.words[h>>18&uint64(len(l.words)-1)], set
}

// hash is the hash of a prefix. Those of 8 to 16 bytes, which two words cover,
// have one of their own: a call would cost half as much as all the rest.
func (st *sieveState) hash(prefix string) uint64 {
	if n := len(prefix); n >= 8 && n <= 16 {
		b := []byte(prefix)
		return st.mix(binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:]))
	}
	return maphash.String(st.seed, prefix)
}

// mix hashes two words. Its keys are secret: a peer cannot choose prefixes that
// fall on the same bits.
func (st *sieveState) mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a^st.key[0], b^st.key[1])
	return high ^ low
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
		var h uint64
		if n >= 8 && n <= 16 {
			h = st.mix(binary.LittleEndian.Uint64(topic), binary.LittleEndian.Uint64(topic[n-8:]))
		} else {
			h = maphash.Bytes(st.seed, topic[:n])
		}
		for _, l := range st.levels {
			if word, set := l.place(h); word.Load()&set == set {
				return false
			}
		}
	}
	return true
}

// add notes a prefix that was not in the set, which all yields.
func (s *sieve) add(prefix string, all func(yield func(string) bool)) {
	s.live++
	st := s.state.Load()
	if st != nil && st.open {
		return
	}
	if st == nil {
		st = &sieveState{seed: maphash.MakeSeed(), key: [2]uint64{rand.Uint64(), rand.Uint64()}}
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
	switch last := len(st.levels) - 1; {
	case last < 0:
		next.levels = []*sieveLevel{newSieveLevel(sieveFirst)}
	case st.levels[last].room > 0:
	case st.levels[last].size == sieveFirst:
		// So few can move, and one level less is looked at.
		next.levels = []*sieveLevel{newSieveLevel(sieveFirst * sieveGrowth)}
		for p := range all {
			next.fill(p)
		}
	default:
		size := min(st.levels[last].size*sieveGrowth, sieveLast)
		next.levels = append(slices.Clone(st.levels), newSieveLevel(size))
	}
	next.fill(prefix)
	if len(next.lengths) != len(st.lengths) || !slices.Equal(next.levels, st.levels) {
		s.state.Store(&next) // after the bits: a reader that sees the length sees them
	}
}

// fill sets the bits of prefix in the last level.
func (st *sieveState) fill(prefix string) {
	l := st.levels[len(st.levels)-1]
	l.room--
	word, set := l.place(st.hash(prefix))
	word.Or(set)
}

// newSieveLevel makes a level for size prefixes, a power of two.
func newSieveLevel(size int) *sieveLevel {
	return &sieveLevel{words: make([]atomic.Uint64, size*sieveBits/64), size: size, room: size}
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
		fresh.add(prefix, all)
	}
	s.live, s.stale = fresh.live, 0
	s.state.Store(fresh.state.Load())
}
