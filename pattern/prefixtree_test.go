package pattern

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	prefixTreeLarge = flag.Bool("prefixtree.large", false, "prefixTree tests with 1,000,000 prefixes")
	prefixTreeSeed  = flag.Uint64("prefixtree.seed", 0, "seed of the random prefixTree test; 0 takes the clock")
)

// checkPrefixTree compares the tree with model and checks the form that makes
// it canonical: every node holds a value or divides, every branch is sorted.
func checkPrefixTree(t testing.TB, tree *prefixTree[int], model map[string]int, note string) {
	t.Helper()
	if got, want := tree.len(), len(model); got != want {
		t.Fatalf("len: got %d, want %d (%s)", got, want, note)
	}
	var got []string
	for prefix, v := range tree.all {
		if want, found := model[prefix]; !found || v != want {
			t.Fatalf("all: got %.80q = %d, want %d, %v (%s)", prefix, v, want, found, note)
		}
		got = append(got, prefix)
	}
	if want := slices.Sorted(maps.Keys(model)); !slices.Equal(got, want) {
		t.Fatalf("all: got %.200q, want %.200q (%s)", got, want, note)
	}
	nodes := countPrefixNodes(t, tree, note)
	if most := max(0, 2*len(model)-1); nodes > most {
		t.Fatalf("nodes: got %d for %d prefixes, want at most %d (%s)", nodes, len(model), most, note)
	}
}

func countPrefixNodes(t testing.TB, tree *prefixTree[int], note string) int {
	t.Helper()
	count := 0
	var todo []*prefixNode[int]
	if root := tree.root.Load(); root != nil {
		todo = append(todo, root)
	}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		count++
		if !n.holds() && n.value != 0 {
			t.Fatalf("node %.80q: got value %d, want none (%s)", n.label, n.value, note)
		}
		b := n.branch
		if b == nil {
			continue
		}
		if b.count == 0 || b.count == 1 && !b.held {
			t.Fatalf("node %.80q: got %d children, held %v: want it removed (%s)", n.label, b.count, b.held, note)
		}
		table := len(b.children) == branchTable
		if !table && !slices.IsSorted(b.keys[:b.count]) {
			t.Fatalf("node %.80q: got keys %q, want them sorted (%s)", n.label, b.keys[:b.count], note)
		}
		if table && b.count <= branchShrink {
			t.Fatalf("node %.80q: got a table of %d, want keys (%s)", n.label, b.count, note)
		}
		live := 0
		for _, child := range b.children {
			if child != nil {
				live++
				todo = append(todo, child)
			}
		}
		if live != int(b.count) || !table && len(b.children) != live {
			t.Fatalf("node %.80q: got %d of %d children, want %d (%s)", n.label, live, len(b.children), b.count, note)
		}
	}
	return count
}

// checkPrefixMatch compares what topic matches with a scan of model.
func checkPrefixMatch(t testing.TB, tree *prefixTree[int], model map[string]int, topic []byte, note string) {
	t.Helper()
	var want []string
	for prefix := range model {
		if bytes.HasPrefix(topic, []byte(prefix)) {
			want = append(want, prefix)
		}
	}
	slices.SortFunc(want, func(a, b string) int { return len(a) - len(b) })
	if got := tree.matches(topic); got != (len(want) > 0) {
		t.Fatalf("matches(%.80q): got %v, want %.200q (%s)", topic, got, want, note)
	}
	m := tree.walk(topic)
	for i, prefix := range want {
		if v, ok := m.next(); !ok || v != model[prefix] {
			t.Fatalf("walk(%.80q), value %d: got %d, %v, want %d (%s)", topic, i, v, ok, model[prefix], note)
		}
	}
	for range 2 {
		if v, ok := m.next(); ok {
			t.Fatalf("walk(%.80q): got %d after %d values, want the end (%s)", topic, v, len(want), note)
		}
	}
}

func TestPrefixTreeEmpty(t *testing.T) {
	var tree prefixTree[int]
	for _, topic := range []string{"", "a", "\x00"} {
		checkPrefixMatch(t, &tree, nil, []byte(topic), "empty")
		if v, ok := tree.get(topic); ok {
			t.Errorf("get(%q): got %d, want nothing", topic, v)
		}
		if tree.delete(topic) {
			t.Errorf("delete(%q): got true, want false", topic)
		}
	}
	checkPrefixTree(t, &tree, nil, "empty")
}

func TestPrefixTree(t *testing.T) {
	everyByte := make([]string, 256)
	for i := range everyByte {
		everyByte[i] = "k" + string([]byte{byte(i)})
	}
	long, huge := strings.Repeat("x", 255), strings.Repeat("y", 1<<20)
	rows := []struct {
		name     string
		prefixes []string
		topics   []string
	}{
		{"only the empty prefix", []string{""}, []string{"", "a", "\x00"}},
		{"the empty prefix and others", []string{"", "a", "ab"}, []string{"", "a", "ab", "abc", "b"}},
		{"one", []string{"abc"}, []string{"", "a", "ab", "abc", "abcd", "abd", "xbc"}},
		{"nested", []string{"a", "ab", "abc", "abcd"}, []string{"", "a", "ab", "abcde", "abx"}},
		{"nested, longest first", []string{"abcd", "abc", "ab", "a"}, []string{"", "a", "ab", "abcde", "abx"}},
		{"divided", []string{"abc", "abd", "axe", "b"}, []string{"ab", "abc", "abd", "abe", "ax", "axe", "b", "c"}},
		{"zeros", []string{"\x00", "\x00\x00", "\x00\xff"}, []string{"", "\x00", "\x00\x00\x00", "\x00\x01", "\xff"}},
		{"0xff", []string{"\xff", "\xff\xff", "\xff\x00", "\xfe"}, []string{"\xff\xff\xff", "\xff\x00", "\xfe", "\xfd"}},
		{"every byte", everyByte, []string{"k", "k\x00", "k\xff", "k%", "l"}},
		{"every byte, and what they share", append([]string{"k", ""}, everyByte...), []string{"k", "k\x00z", "k\xff", "l"}},
		{"255 bytes", []string{long, long[:254], long[:100] + "y"}, []string{long, long + "x", long[:253], long[:100] + "yx"}},
		{"1 MiB", []string{huge, huge[1:] + "z", huge[:1<<19]}, []string{huge, huge + "y", huge[2:], huge[1:] + "z", huge[:1<<18]}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var tree prefixTree[int]
			model := map[string]int{}
			for pass := range 2 { // the second replaces every value
				for i, prefix := range row.prefixes {
					model[prefix] = 1000*pass + i + 1
					tree.set(prefix, model[prefix])
					if v, ok := tree.get(prefix); !ok || v != model[prefix] {
						t.Fatalf("get(%.80q): got %d, %v, want %d", prefix, v, ok, model[prefix])
					}
				}
				checkPrefixTree(t, &tree, model, "set")
				for _, topic := range row.topics {
					checkPrefixMatch(t, &tree, model, []byte(topic), "set")
				}
			}
			for _, prefix := range row.prefixes {
				delete(model, prefix)
				if !tree.delete(prefix) {
					t.Fatalf("delete(%.80q): got false, want true", prefix)
				}
				if tree.delete(prefix) {
					t.Fatalf("delete(%.80q) again: got true, want false", prefix)
				}
				checkPrefixTree(t, &tree, model, "deleted")
			}
			for _, topic := range row.topics {
				checkPrefixMatch(t, &tree, model, []byte(topic), "deleted")
			}
			if root := tree.root.Load(); root != nil {
				t.Errorf("root: got %v, want nil", root)
			}
		})
	}
}

// A label that is cut must not keep the long prefix that it came from alive,
// and no label may share the memory that the caller passed.
func TestPrefixTreeOwnsLabels(t *testing.T) {
	const size = 8 << 20
	caller := bytes.Repeat([]byte("z"), size)
	var tree prefixTree[int]
	before := heapInUse()
	for i := range 8 {
		long := string([]byte{byte(i)}) + string(caller)
		tree.set(long, 1)
		tree.set(long[:2], 2)
		tree.set(long[:1], 3)
		tree.delete(long)
	}
	if got, want := heapInUse()-before, int64(1<<20); got > want {
		t.Errorf("heap for 16 short prefixes: got %d bytes, want at most %d", got, want)
	}
	runtime.KeepAlive(&tree)
	runtime.KeepAlive(caller)
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestPrefixTreeAllStops(t *testing.T) {
	var tree prefixTree[int]
	for i, prefix := range []string{"a", "b", "c", "d"} {
		tree.set(prefix, i)
	}
	var got []string
	for prefix := range tree.all {
		tree.delete(prefix) // all goes on over the tree as it was
		if got = append(got, prefix); len(got) == 3 {
			break
		}
	}
	if want := []string{"a", "b", "c"}; !slices.Equal(got, want) || tree.len() != 1 {
		t.Errorf("got %q and %d left, want %q and 1", got, tree.len(), want)
	}
}

func TestPrefixTreeRandom(t *testing.T) {
	seed := *prefixTreeSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	steps := 4000
	if testing.Short() {
		steps = 400
	}
	for _, alphabet := range []int{1, 2, 5, 45, 256} {
		t.Run(fmt.Sprintf("alphabet %d", alphabet), func(t *testing.T) {
			note := fmt.Sprintf("-prefixtree.seed=%d", seed)
			random := rand.New(rand.NewPCG(seed, uint64(alphabet)))
			word := func(most int) string {
				w := make([]byte, random.IntN(most+1))
				for i := range w {
					w[i] = byte(random.IntN(alphabet) * 255 / max(1, alphabet-1))
				}
				return string(w)
			}
			length := 3
			if alphabet < 10 {
				length = 12
			}
			var tree prefixTree[int]
			model := map[string]int{}
			for step := range steps {
				prefix := word(length)
				// The tree grows and shrinks in turn.
				if random.IntN(4) == 0 == (step/500%2 == 0) {
					_, want := model[prefix]
					if got := tree.delete(prefix); got != want {
						t.Fatalf("step %d, delete(%q): got %v, want %v (%s)", step, prefix, got, want, note)
					}
					delete(model, prefix)
				} else {
					model[prefix] = step + 1
					tree.set(prefix, step+1)
				}
				checkPrefixMatch(t, &tree, model, []byte(word(length+4)), note)
				if step%100 == 0 {
					checkPrefixTree(t, &tree, model, note)
				}
			}
			checkPrefixTree(t, &tree, model, note)
			for prefix := range model {
				tree.delete(prefix)
			}
			checkPrefixTree(t, &tree, nil, note)
		})
	}
}

// Prefixes that differ only after 1 KiB, and prefixes that nest to a depth
// that no recursion would survive.
func TestPrefixTreeDeep(t *testing.T) {
	count := 30_000
	switch {
	case *prefixTreeLarge:
		count = 1_000_000
	case testing.Short():
		count = 3_000
	}
	shared := strings.Repeat("s", 1024)
	t.Run("shared 1 KiB", func(t *testing.T) {
		var tree prefixTree[int]
		key := func(i int) string { return fmt.Sprintf("%s%d", shared, i) }
		for i := range count {
			tree.set(key(i), i)
		}
		if got := tree.len(); got != count {
			t.Fatalf("len: got %d, want %d", got, count)
		}
		for i := 0; i < count; i += 97 {
			if v, ok := tree.get(key(i)); !ok || v != i {
				t.Fatalf("get(%d): got %d, %v", i, v, ok)
			}
		}
		if tree.matches([]byte(shared)) || !tree.matches([]byte(shared+"1z")) {
			t.Error("matches: got the opposite of what is stored")
		}
		for i := range count {
			if !tree.delete(key(i)) {
				t.Fatalf("delete(%d): got false, want true", i)
			}
		}
		if tree.root.Load() != nil || tree.len() != 0 {
			t.Errorf("after deletes: got root %v, len %d, want nil, 0", tree.root.Load(), tree.len())
		}
	})
	t.Run("nested", func(t *testing.T) {
		// Built from the shortest down would cost count²/2 copies, so the
		// chain is linked by hand; one change at its end then copies it all.
		depth := min(10*count, 1_000_000)
		n := newLeaf("", depth)
		for i := depth - 1; i >= 0; i-- {
			n = newLeaf("", i).withChild('n', n)
		}
		var tree prefixTree[int]
		tree.root.Store(n)
		tree.count.Store(int64(depth) + 1)
		longest := strings.Repeat("n", depth)
		if !tree.delete(longest) || tree.delete(longest) {
			t.Fatal("delete of the longest: got false, or true twice")
		}
		tree.set(longest, depth)
		m, want := tree.walk([]byte(longest+"n")), 0
		for v, ok := m.next(); ok; v, ok = m.next() {
			if v != want {
				t.Fatalf("walk: got %d, want %d", v, want)
			}
			want++
		}
		if want != depth+1 {
			t.Errorf("walk: got %d values, want %d", want, depth+1)
		}
		got, most := 0, min(depth+1, 20_000) // all builds every prefix: depth²/2 bytes
		for prefix, v := range tree.all {
			if v != got || len(prefix) != got {
				t.Fatalf("all: got %d with %d bytes, want %d", v, len(prefix), got)
			}
			if got++; got == most {
				break
			}
		}
		if got != most {
			t.Errorf("all: got %d prefixes, want %d", got, most)
		}
	})
}

// One writer raises the value of the long prefix, then that of the short one,
// and now and then removes short, then long, with unrelated churn between. In
// round i long is 2i+1 and short 2i, so in every state that exists long is at
// most one round ahead and short is never there alone. A reader that met two
// states in one walk, which comes to short first, would see long run ahead.
func TestPrefixTreeConcurrent(t *testing.T) {
	const short, long = "pair/", "pair/of/prefixes"
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	var tree prefixTree[int]
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			topic, last := []byte(long+"!"), 0
			for count := 0; ; count++ {
				select {
				case <-done:
					return
				default:
				}
				m := tree.walk(topic)
				values := [3]int{}
				found := 0
				for v, ok := m.next(); ok && found < len(values); v, ok = m.next() {
					values[found] = v
					found++
				}
				whole := true
				switch a, b := values[0], values[1]; found {
				case 0:
				case 1: // long alone, before short is set
					whole = a%2 == 1 && a >= last
					last = max(last, a)
				case 2:
					whole = a%2 == 0 && (b == a+1 || b == a+3) && b >= last
					last = max(last, b)
				default:
					whole = false
				}
				if !whole {
					t.Errorf("walk: got values %d after long %d: never a state of the tree", values[:found], last)
					return
				}
				if count%64 == 0 {
					if keys := slices.Collect(keysOf(&tree)); !slices.IsSorted(keys) {
						t.Errorf("all: got %q, want it sorted", keys)
						return
					}
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	churn := map[string]int{}
	for i := 1; i <= rounds; i++ {
		tree.set(long, 2*i+1)
		key := fmt.Sprintf("pair/of%c", random.IntN(100)+'!')
		if random.IntN(2) == 0 && key != long[:len(key)] {
			tree.set(key, i)
			churn[key] = i
		} else {
			tree.delete(key)
			delete(churn, key)
		}
		tree.set(short, 2*i)
		if i%16 == 0 {
			tree.delete(short)
			tree.delete(long)
		}
	}
	close(done)
	readers.Wait()
	tree.delete(short)
	tree.delete(long)
	checkPrefixTree(t, &tree, churn, "after the churn")
}

func keysOf(tree *prefixTree[int]) func(func(string) bool) {
	return func(yield func(string) bool) {
		tree.all(func(prefix string, _ int) bool { return yield(prefix) })
	}
}
