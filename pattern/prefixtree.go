package pattern

import (
	"bytes"
	"slices"
	"strings"
	"sync/atomic"
)

// A prefixTree maps byte-string prefixes to values and finds the values whose
// prefix begins a topic. The zero value is an empty tree.
//
// It is a compressed radix tree whose nodes never change once published: set
// and delete copy the nodes on the path from the root to the change, share the
// rest, and publish the new root with one store. A reader loads the root once
// and so sees one state of the whole tree, however long it takes; the garbage
// collector frees what no reader holds any more.
//
// One goroutine at a time may call set and delete (the caller holds a lock);
// everything else may be called by anyone, at any time, and takes no lock.
// No method recurses, so neither the length of a prefix nor the number of
// prefixes that nest can exhaust a stack.
type prefixTree[V any] struct {
	// atomic: written by the one writer, read by all
	root  atomic.Pointer[prefixNode[V]] // nil: empty
	count atomic.Int64
}

// A prefixNode stands for the prefix spelled by the path from the root to it.
// A node without a branch is a leaf and always holds a value; a node with one
// holds a value, or has two children, or both. What a leaf does not need is in
// the branch: with a value of one word, a leaf is 32 bytes.
//
// Immutable once reachable from a published root.
type prefixNode[V any] struct {
	label  string // after the byte that chose this node in its parent; owned, never a part of a longer string
	value  V      // zero if nothing is held
	branch *prefixBranch[V]
}

// A prefixBranch is the set of children of a node, by the byte that leads to
// them. Up to branchKeys children it is sorted keys beside a slice of the same
// order; above, a table of 256 (2 KiB: the most that one level of a path copy
// costs).
//
// Immutable once reachable from a published root.
type prefixBranch[V any] struct {
	children []*prefixNode[V] // len is count, or 256 for a table
	count    uint16           // children that are not nil
	held     bool             // the node itself holds a value
	keys     [branchKeys]byte // keys[:count], sorted; unused by a table
}

const (
	branchKeys  = 36 // the branch fills 64 bytes, a node with all keys 384
	branchTable = 256
	// A table shrinks well below the size at which it grew, so that a prefix
	// that comes and goes at the limit does not convert 2 KiB each time.
	branchShrink = 24
)

// newInner returns a node with an empty branch for size children. Node, branch
// and child pointers are one object: a match in a tree that the caches do not
// hold pays for the memory it touches first, and so for one place a level
// instead of three: 920 ns for 1,290 with three objects, 1,000,000 prefixes and
// cold topics (go test -bench PrefixTreeMatch/hit/1000000 ./pattern).
func newInner[V any](size int) *prefixNode[V] {
	type inner struct {
		prefixNode[V]
		own prefixBranch[V]
	}
	var n *inner
	var children []*prefixNode[V]
	switch { // sizes that the allocator has, when V is one word
	case size <= 2:
		x := new(struct {
			inner
			slots [2]*prefixNode[V]
		})
		n, children = &x.inner, x.slots[:size:size]
	case size <= 4:
		x := new(struct {
			inner
			slots [4]*prefixNode[V]
		})
		n, children = &x.inner, x.slots[:size:size]
	case size <= 8:
		x := new(struct {
			inner
			slots [8]*prefixNode[V]
		})
		n, children = &x.inner, x.slots[:size:size]
	case size <= 16:
		x := new(struct {
			inner
			slots [16]*prefixNode[V]
		})
		n, children = &x.inner, x.slots[:size:size]
	case size <= branchKeys:
		x := new(struct {
			inner
			slots [branchKeys]*prefixNode[V]
		})
		n, children = &x.inner, x.slots[:size:size]
	default:
		n, children = new(inner), make([]*prefixNode[V], branchTable)
	}
	n.own.children = children
	n.branch = &n.own
	return &n.prefixNode
}

// get returns the value stored for exactly prefix.
func (t *prefixTree[V]) get(prefix string) (V, bool) {
	var zero V
	for n := t.root.Load(); n != nil; {
		if !strings.HasPrefix(prefix, n.label) {
			return zero, false
		}
		prefix = prefix[len(n.label):]
		if prefix == "" {
			return n.value, n.holds()
		}
		if n.branch == nil {
			return zero, false
		}
		n = n.branch.child(prefix[0])
		prefix = prefix[1:]
	}
	return zero, false
}

// set stores v for prefix, replacing what was there. It keeps no reference to
// the memory of prefix. The cost is that of prefix, of the label it splits and
// of the children along its path.
func (t *prefixTree[V]) set(prefix string, v V) {
	var root *prefixNode[V]
	added := true
	slot := &root // where the copy of n belongs
	n, rest := t.root.Load(), prefix
	for {
		if n == nil {
			*slot = newLeaf(rest, v)
			break
		}
		if !strings.HasPrefix(rest, n.label) {
			*slot = n.split(rest, v)
			break
		}
		rest = rest[len(n.label):]
		if rest == "" {
			added = !n.holds()
			*slot = n.withValue(v)
			break
		}
		if n.branch == nil || n.branch.child(rest[0]) == nil {
			*slot = n.withChild(rest[0], newLeaf(rest[1:], v))
			break
		}
		*slot = n.copy()
		slot = (*slot).branch.slot(rest[0])
		n, rest = *slot, rest[1:]
	}
	t.root.Store(root)
	if added {
		t.count.Add(1)
	}
}

// delete removes prefix and reports whether it was there. A node that the
// removal leaves with one child and no value is merged with that child, so a
// tree has the same nodes whatever was stored in it before. The cost is that
// of set, plus the label of the child.
func (t *prefixTree[V]) delete(prefix string) bool {
	if _, found := t.get(prefix); !found {
		return false
	}
	var (
		root       *prefixNode[V]
		slot       = &root        // where the copy of n belongs
		parent     *prefixNode[V] // as it was
		parentSlot **prefixNode[V]
		key        byte // leads from parent to n
	)
	n := t.root.Load()
	for rest := prefix[len(n.label):]; rest != ""; rest = rest[1+len(n.label):] {
		parent, parentSlot, key = n, slot, rest[0]
		*slot = n.copy()
		slot = (*slot).branch.slot(key)
		n = *slot
	}
	switch {
	case n.branch != nil:
		*slot = n.withoutValue()
	case parent != nil:
		*parentSlot = parent.withoutChild(key)
	}
	t.root.Store(root)
	t.count.Add(-1)
	return true
}

// len returns the number of prefixes. Beside a writer it may be one change
// behind what a match sees.
func (t *prefixTree[V]) len() int { return int(t.count.Load()) }

// matches reports whether a stored prefix begins topic. The shortest is found
// first and ends the search. It does not allocate.
func (t *prefixTree[V]) matches(topic []byte) bool {
	m := t.walk(topic)
	return m.step() != nil
}

// walk returns a matcher over the values whose prefix begins topic. All of
// them are of the tree as it is now. The matcher reads topic until it is done
// or dropped. Nothing is allocated.
func (t *prefixTree[V]) walk(topic []byte) matcher[V] {
	return matcher[V]{node: t.root.Load(), topic: topic}
}

// A matcher is one walk down a prefixTree along a topic; see walk. It is owned
// by one goroutine.
type matcher[V any] struct {
	node  *prefixNode[V] // to be compared next; nil: done
	topic []byte         // what the labels have not consumed
}

// next returns the value of the next longer prefix, or false when there is none.
func (m *matcher[V]) next() (V, bool) {
	if n := m.step(); n != nil {
		return n.value, true
	}
	var zero V
	return zero, false
}

// step returns the next node that holds a value and is on the topic's path.
func (m *matcher[V]) step() *prefixNode[V] {
	n, topic := m.node, m.topic
	for n != nil {
		if len(topic) < len(n.label) || string(topic[:len(n.label)]) != n.label {
			break
		}
		topic = topic[len(n.label):]
		found, branch := n, n.branch
		if branch == nil {
			m.node = nil
			return found
		}
		if len(topic) == 0 {
			n = nil
		} else {
			n = branch.child(topic[0])
			topic = topic[1:]
		}
		if branch.held {
			m.node, m.topic = n, topic
			return found
		}
	}
	m.node = nil
	return nil
}

// all yields every prefix and its value in byte order. It is an iter.Seq2 over
// the tree as it was at the call: yield may change the tree.
func (t *prefixTree[V]) all(yield func(prefix string, v V) bool) {
	type level struct {
		branch *prefixBranch[V]
		next   int // key to go on from
		length int // of the node's prefix
	}
	var (
		levels []level
		prefix []byte
	)
	for n := t.root.Load(); n != nil; {
		prefix = append(prefix, n.label...)
		if n.holds() && !yield(string(prefix), n.value) {
			return
		}
		if n.branch != nil {
			levels = append(levels, level{branch: n.branch, length: len(prefix)})
		}
		for n = nil; n == nil && len(levels) > 0; {
			top := &levels[len(levels)-1]
			key, child := top.branch.from(top.next)
			if child == nil {
				levels = levels[:len(levels)-1]
				continue
			}
			top.next = int(key) + 1
			prefix = append(prefix[:top.length], key)
			n = child
		}
	}
}

func newLeaf[V any](label string, v V) *prefixNode[V] {
	return &prefixNode[V]{label: strings.Clone(label), value: v}
}

func (n *prefixNode[V]) holds() bool { return n.branch == nil || n.branch.held }

// copy returns a copy of n with a branch of its own.
func (n *prefixNode[V]) copy() *prefixNode[V] {
	b := n.branch
	if b == nil {
		return &prefixNode[V]{label: n.label, value: n.value}
	}
	c := newInner[V](len(b.children))
	c.label, c.value = n.label, n.value
	copy(c.branch.children, b.children)
	c.branch.count, c.branch.held, c.branch.keys = b.count, b.held, b.keys
	return c
}

func (n *prefixNode[V]) withValue(v V) *prefixNode[V] {
	c := n.copy()
	c.value = v
	if c.branch != nil {
		c.branch.held = true
	}
	return c
}

// withoutValue returns a copy of n, which has children, that holds nothing.
func (n *prefixNode[V]) withoutValue() *prefixNode[V] {
	if n.branch.count == 1 {
		key, child := n.branch.from(0)
		return n.joined(key, child)
	}
	var zero V
	c := n.copy()
	c.value, c.branch.held = zero, false
	return c
}

// withChild returns a copy of n in which key, new to n, leads to child.
func (n *prefixNode[V]) withChild(key byte, child *prefixNode[V]) *prefixNode[V] {
	b := n.branch
	if b == nil {
		b = &prefixBranch[V]{held: true}
	}
	size := int(b.count)
	c := newInner[V](max(size+1, len(b.children)))
	c.label, c.value = n.label, n.value
	c.branch.count, c.branch.held = b.count+1, b.held
	switch {
	case len(b.children) == branchTable:
		copy(c.branch.children, b.children)
		c.branch.children[key] = child
	case size == branchKeys:
		for i, k := range b.keys {
			c.branch.children[k] = b.children[i]
		}
		c.branch.children[key] = child
	default:
		at, _ := slices.BinarySearch(b.keys[:size], key)
		copy(c.branch.keys[:], b.keys[:at])
		copy(c.branch.children, b.children[:at])
		c.branch.keys[at], c.branch.children[at] = key, child
		copy(c.branch.keys[at+1:], b.keys[at:size])
		copy(c.branch.children[at+1:], b.children[at:])
	}
	return c
}

// withoutChild returns what stands for n when the child that key leads to,
// which must be there, is gone: a smaller copy, a leaf if it was the only one,
// or n and the last one joined.
func (n *prefixNode[V]) withoutChild(key byte) *prefixNode[V] {
	b := n.branch
	left := int(b.count) - 1
	if left == 0 { // n holds a value, or it would not be there
		return &prefixNode[V]{label: n.label, value: n.value}
	}
	if len(b.children) == branchTable && left > branchShrink {
		c := n.copy()
		c.branch.children[key] = nil
		c.branch.count--
		return c
	}
	c := newInner[V](left)
	c.label, c.value = n.label, n.value
	c.branch.count, c.branch.held = uint16(left), b.held
	i := 0
	for k, child := b.from(0); child != nil; k, child = b.from(int(k) + 1) {
		if k != key {
			c.branch.keys[i], c.branch.children[i] = k, child
			i++
		}
	}
	if left == 1 && !b.held {
		return n.joined(c.branch.keys[0], c.branch.children[0])
	}
	return c
}

// joined returns the node for n and its only child, which key leads to.
func (n *prefixNode[V]) joined(key byte, child *prefixNode[V]) *prefixNode[V] {
	c := child.copy()
	c.label = n.label + string([]byte{key}) + child.label
	return c
}

// split returns what replaces n when rest, to be stored with v, leaves n's
// label before its end. Both parts of the label are copied: a short one must
// not keep a long one alive.
func (n *prefixNode[V]) split(rest string, v V) *prefixNode[V] {
	k := 0
	for k < len(rest) && rest[k] == n.label[k] {
		k++
	}
	lower := n.copy()
	lower.label = strings.Clone(n.label[k+1:])
	if k == len(rest) {
		return newLeaf(rest, v).withChild(n.label[k], lower)
	}
	upper := newInner[V](0)
	upper.label = strings.Clone(n.label[:k])
	return upper.withChild(n.label[k], lower).withChild(rest[k], newLeaf(rest[k+1:], v))
}

// child returns the child that key leads to, or nil.
func (b *prefixBranch[V]) child(key byte) *prefixNode[V] {
	if len(b.children) == branchTable {
		return b.children[key]
	}
	i := bytes.IndexByte(b.keys[:len(b.children)], key)
	if i < 0 {
		return nil
	}
	return b.children[i]
}

// slot returns where the child that key leads to is kept; there must be one.
func (b *prefixBranch[V]) slot(key byte) **prefixNode[V] {
	if len(b.children) == branchTable {
		return &b.children[key]
	}
	return &b.children[bytes.IndexByte(b.keys[:b.count], key)]
}

// from returns the first child whose key is at least key, or nil.
func (b *prefixBranch[V]) from(key int) (byte, *prefixNode[V]) {
	if len(b.children) == branchTable {
		for ; key < branchTable; key++ {
			if b.children[key] != nil {
				return byte(key), b.children[key]
			}
		}
		return 0, nil
	}
	for i, k := range b.keys[:b.count] {
		if int(k) >= key {
			return k, b.children[i]
		}
	}
	return 0, nil
}
