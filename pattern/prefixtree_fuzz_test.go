package pattern

import (
	"fmt"
	"testing"
)

// FuzzPrefixTree reads operations of one byte (kind in two bits, length in
// six) and their bytes, and compares the tree with a map after each.
func FuzzPrefixTree(f *testing.F) {
	const set, remove, match, fill = 0, 1, 2, 3
	op := func(kind int, prefix string) string { return string([]byte{byte(kind | len(prefix)<<2)}) + prefix }
	f.Add([]byte(""))
	f.Add([]byte(op(set, "") + op(match, "a") + op(remove, "") + op(match, "a")))
	f.Add([]byte(op(set, "abc") + op(set, "abd") + op(set, "ab") + op(match, "abde") + op(remove, "abc") + op(remove, "ab")))
	f.Add([]byte(op(set, "\x00\xff") + op(set, "\x00") + op(set, "\xff\xff") + op(match, "\x00\xff\x00") + op(remove, "\x00")))
	f.Add([]byte(op(fill, "a") + op(set, "a") + op(match, "a0") + op(fill, "a") + op(remove, "a")))
	f.Add([]byte(op(fill, "") + op(fill, "0") + op(set, "0123456789") + op(fill, "") + op(match, "0123456789x")))
	f.Fuzz(func(t *testing.T, ops []byte) {
		var tree prefixTree[int]
		model := map[string]int{}
		note := fmt.Sprintf("ops %q", ops)
		put := func(prefix string, v int) {
			model[prefix] = v
			tree.set(prefix, v)
		}
		drop := func(prefix string) {
			_, want := model[prefix]
			if got := tree.delete(prefix); got != want {
				t.Fatalf("delete(%q): got %v, want %v (%s)", prefix, got, want, note)
			}
			delete(model, prefix)
		}
		for step := 1; len(ops) > 0 && step < 64; step++ {
			kind, length := int(ops[0]&3), min(int(ops[0]>>2), len(ops)-1)
			prefix := string(ops[1 : 1+length])
			ops = ops[1+length:]
			switch kind {
			case set:
				put(prefix, step)
			case remove:
				drop(prefix)
			case match:
				checkPrefixMatch(t, &tree, model, []byte(prefix), note)
			case fill: // or empty: one child below, at and above the limit of keys
				_, filled := model[prefix+"\x00"]
				for b := range 256 / 5 {
					if child := prefix + string([]byte{byte(b * 5)}); filled {
						drop(child)
					} else {
						put(child, step)
					}
				}
			}
			if v, ok := tree.get(prefix); v != model[prefix] || ok != hasKey(model, prefix) {
				t.Fatalf("get(%q): got %d, %v, want %d (%s)", prefix, v, ok, model[prefix], note)
			}
			checkPrefixMatch(t, &tree, model, []byte(prefix+"\x05\x00"), note)
		}
		checkPrefixTree(t, &tree, model, note)
		for prefix := range model {
			drop(prefix)
		}
		checkPrefixTree(t, &tree, model, note)
	})
}

func hasKey(model map[string]int, prefix string) bool {
	_, found := model[prefix]
	return found
}
