//go:build !race

package pattern

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

func TestPrefixTreeMatchDoesNotAllocate(t *testing.T) {
	var tree prefixTree[int]
	for i, prefix := range benchmarkPrefixes(1000) {
		tree.set(prefix, i)
		tree.set(prefix[:5], i)
	}
	for _, topic := range []string{"", "eq/", "eq/00000000/price", "fx/"} {
		topic := []byte(topic)
		sum := 0
		allocs := testing.AllocsPerRun(1000, func() {
			if tree.matches(topic) {
				sum++
			}
			m := tree.walk(topic)
			for v, ok := m.next(); ok; v, ok = m.next() {
				sum += v
			}
		})
		if allocs != 0 {
			t.Errorf("%q: got %v allocations, want 0", topic, allocs)
		}
	}
}

// benchmarkPrefixes are topics of 12 to 20 bytes in random order, such as
// "eq/4f1a09/price"; half of the bytes differ between neighbours.
func benchmarkPrefixes(count int) []string {
	random := rand.New(rand.NewPCG(7, 7))
	prefixes := make([]string, count)
	for i := range prefixes {
		id := uint32(i) * 2654435761 // odd: a permutation
		prefixes[i] = fmt.Sprintf("eq/%08x/%s", id, []string{"bid", "ask", "price"}[random.IntN(3)])
	}
	return prefixes
}

func benchmarkTree(prefixes []string) *prefixTree[*int] {
	tree := new(prefixTree[*int])
	for _, prefix := range prefixes {
		tree.set(prefix, new(int))
	}
	return tree
}

var prefixTreeSink bool

// BenchmarkPrefixTreeMatch walks 65,536 topics in turn, so that in a large
// tree the caches do not hold the answer. "miss" differs from a stored prefix
// in its last byte, "stray" in its first; "hot" and "hot miss" are 64 topics
// over and over.
func BenchmarkPrefixTreeMatch(b *testing.B) {
	for _, count := range []int{1, 16, 10_000, 1_000_000} {
		prefixes := benchmarkPrefixes(count)
		tree := benchmarkTree(prefixes)
		random := rand.New(rand.NewPCG(3, 3))
		for _, kind := range []string{"hit", "miss", "hot", "hot miss", "stray"} {
			topics := make([][]byte, 1<<16)
			if strings.HasPrefix(kind, "hot") {
				topics = topics[:64]
			}
			for i := range topics {
				topic := []byte(prefixes[random.IntN(count)] + "/XNYS")
				switch kind {
				case "miss", "hot miss":
					topic[len(topic)-6] ^= 0x80
				case "stray":
					topic[0] ^= 0x80
				}
				topics[i] = topic
			}
			b.Run(fmt.Sprintf("%s/%d", kind, count), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					prefixTreeSink = tree.matches(topics[i&(len(topics)-1)])
				}
			})
		}
	}
}

// BenchmarkPrefixTreeSet sets new prefixes one by one until there are count,
// and then reports what one of them keeps in memory, its own bytes included.
func BenchmarkPrefixTreeSet(b *testing.B) {
	for _, count := range []int{16, 10_000, 1_000_000} {
		prefixes := benchmarkPrefixes(count)
		values := make([]int, count)
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			b.ReportAllocs()
			var kept int64
			for b.Loop() {
				before := int64(0)
				if count > 100 {
					b.StopTimer()
					before = heapInUse()
					b.StartTimer()
				}
				tree := new(prefixTree[*int])
				for i, prefix := range prefixes {
					tree.set(prefix, &values[i])
				}
				if count > 100 {
					b.StopTimer()
					kept = heapInUse() - before
					b.StartTimer()
				}
				runtime.KeepAlive(tree)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/set")
			if count > 100 {
				b.ReportMetric(float64(kept)/float64(count), "B/prefix")
			}
		})
	}
}

// BenchmarkPrefixTreeChurn removes one of count prefixes and sets it again.
func BenchmarkPrefixTreeChurn(b *testing.B) {
	for _, count := range []int{16, 10_000, 1_000_000} {
		prefixes := benchmarkPrefixes(count)
		tree := benchmarkTree(prefixes)
		value := new(int)
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				prefix := prefixes[i%count]
				tree.delete(prefix)
				tree.set(prefix, value)
			}
		})
	}
}
