package pattern

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestSieveNeverHides compares the sieve with a plain set while prefixes come
// and go: it may let a topic pass that nothing begins, never the reverse.
func TestSieveNeverHides(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 30 {
		var s sieve
		set := make(map[string]bool)
		all := func(yield func(string) bool) {
			for p := range set {
				if !yield(p) {
					return
				}
			}
		}
		lengths := 1 + random.IntN(12) // more than it looks at, too
		prefix := func() string {
			return strings.Repeat("ab", 8)[:random.IntN(lengths)] + fmt.Sprint(random.IntN(3000))
		}
		for step := range 4000 {
			switch p := prefix(); {
			case set[p]:
				delete(set, p)
				if s.remove() {
					s.refill(all)
				}
			case random.IntN(3) > 0:
				set[p] = true
				s.add(p, all)
			}
			topic := prefix() + "/rest"
			want := false
			for n := range len(topic) + 1 {
				want = want || set[topic[:n]]
			}
			if want && s.absent([]byte(topic)) {
				t.Fatalf("round %d, step %d: nothing begins %q, want one of %d prefixes (seed %d)", round, step, topic, len(set), seed)
			}
		}
	}
}

func only(prefixes ...string) func(func(string) bool) { return slices.Values(prefixes) }

// numbered yields the prefixes of numbers up to last.
func numbered(last int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range last + 1 {
			if !yield(fmt.Sprintf("s%015d", i)) {
				return
			}
		}
	}
}

// TestSieveEmptyPrefix: the prefix of everything, and topics shorter than any
// prefix.
func TestSieveEmptyPrefix(t *testing.T) {
	var s sieve
	if !s.absent(nil) {
		t.Error("an empty set: got that something may begin the empty topic, want nothing")
	}
	s.add("long", only("long"))
	if !s.absent([]byte("lon")) || s.absent([]byte("longer")) {
		t.Error(`a set of "long": want nothing for "lon", something for "longer"`)
	}
	s.add("", only("long", ""))
	if s.absent(nil) || s.absent([]byte("x")) {
		t.Error("with the empty prefix: want something for every topic")
	}
	s.remove()
	s.remove()
	if !s.absent([]byte("longer")) {
		t.Error("a set that is empty again: got that something may begin a topic, want nothing")
	}
}

// TestSieveRarelyErrs: with many prefixes nearly every topic that none begins
// is told at a glance. It is what publishing to nobody costs.
func TestSieveRarelyErrs(t *testing.T) {
	for _, n := range []int{1, 512, 1000, 32_768, 100_000} { // 512 and 32,768 fill a level
		var s sieve
		for i := range n {
			s.add(fmt.Sprintf("s%015d", i), numbered(i))
		}
		const topics = 20_000
		passed := 0
		for i := range topics {
			if !s.absent(fmt.Appendf(nil, "s%014dx and more", i)) {
				passed++
			}
		}
		t.Logf("%d prefixes: %d of %d topics pass", n, passed, topics)
		if passed > topics/50 {
			t.Errorf("%d prefixes: %d of %d topics pass, want at most one in 50", n, passed, topics)
		}
	}
}

// TestSieveAfterChurn: prefixes that were removed do not fill it for good.
func TestSieveAfterChurn(t *testing.T) {
	var s sieve
	s.add("keep", only("keep"))
	for i := range 200_000 {
		s.add(fmt.Sprint(i), only("keep", fmt.Sprint(i)))
		if s.remove() {
			s.refill(func(yield func(string) bool) { yield("keep") })
		}
	}
	st := s.state.Load()
	words := 0
	for _, l := range st.levels {
		words += len(l.words)
	}
	if s.absent([]byte("keeper")) || words > 1<<14 || len(st.lengths) > sieveLengths {
		t.Errorf("after 200000 prefixes came and went: absent %t, %d words, %d lengths, want false, few, few", s.absent([]byte("keeper")), words, len(st.lengths))
	}
}

// TestSieveConcurrent: what was added before a look is seen by it.
func TestSieveConcurrent(t *testing.T) {
	var s sieve
	added := make(chan string, 64)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(added)
		var all []string
		for i := range 20_000 {
			p := fmt.Sprintf("%0*d", 4+i%9, i)
			all = append(all, p)
			s.add(p, only(all...))
			added <- p
		}
	})
	for p := range added {
		if s.absent([]byte(p + "...")) {
			t.Fatalf("%q was added and is absent", p)
		}
	}
	wg.Wait()
}

// BenchmarkSieveAbsent is what a message costs that nobody wants:
//
//	go test -run '^$' -bench SieveAbsent ./pattern
func BenchmarkSieveAbsent(b *testing.B) {
	for _, n := range []int{1, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var s sieve
			for i := range n {
				s.add(fmt.Sprintf("s%015d", i), numbered(i))
			}
			topics := make([][]byte, 1024)
			for i := range topics {
				topics[i] = fmt.Appendf(nil, "s%014dx and more", i*n/10240)
			}
			b.ResetTimer()
			for i := range b.N {
				s.absent(topics[i%len(topics)])
			}
		})
	}
}
