package device

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
)

func keys(c *cache, prefix string, now time.Time) (list []string) {
	for v := range c.matching(prefix, now) {
		list = append(list, v.topic+"="+string(v.m.Frame(1)))
	}
	return list
}

func put(c *cache, topic, body string, now time.Time) {
	m := ringwire.NewMessage([]byte(topic), []byte(body))
	c.put(m, now)
	m.Release()
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCacheOrderAndEviction(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCache(3, -1, 0)
	for i, topic := range []string{"a", "b", "c", "a", "d"} {
		put(c, topic, fmt.Sprint(i), now)
	}
	expect(t, keys(c, "", now), "c=2", "a=3", "d=4") // b was updated longest ago
	expect(t, keys(c, "a", now), "a=3")
	expect(t, keys(c, "ab", now))
	if s := c.stats; s.Keys != 3 || s.Evicted != 1 || s.Updated != 5 {
		t.Errorf("got %+v", s)
	}
}

func TestCacheBytes(t *testing.T) {
	now := time.Unix(1000, 0)
	entry := int64(1 + 10 + 2*perFrame)
	c := newCache(-1, 3*entry, 0)
	ten := "0123456789"
	for _, topic := range []string{"a", "b", "c"} {
		put(c, topic, ten, now)
	}
	put(c, "d", ten, now)
	expect(t, keys(c, "", now), "b="+ten, "c="+ten, "d="+ten)
	// A larger message of an old topic makes room for itself.
	put(c, "b", ten+ten, now)
	expect(t, keys(c, "", now), "d="+ten, "b="+ten+ten)
	// One that can never be kept also takes its predecessor away.
	put(c, "b", string(make([]byte, 3*entry)), now)
	expect(t, keys(c, "", now), "d="+ten)
	if s := c.stats; s.Keys != 1 || s.Bytes != entry || s.TooLarge != 1 || s.Evicted != 2 {
		t.Errorf("got %+v, want one key of %d bytes, one too large, two evicted", s, entry)
	}
}

func TestCacheTTL(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	c := newCache(-1, -1, 10*time.Second)
	put(c, "a", "1", at(0))
	put(c, "b", "2", at(5))
	put(c, "a", "3", at(8))
	expect(t, keys(c, "", at(14)), "b=2", "a=3")
	expect(t, keys(c, "", at(15)), "a=3")
	put(c, "c", "4", at(18)) // also what comes makes old things go
	if s := c.stats; s.Keys != 1 || s.Expired != 2 {
		t.Errorf("got %+v, want one key and two expired", s)
	}
}

func TestCovers(t *testing.T) {
	many := map[string]struct{}{"ab": {}, "x": {}, "y": {}, "z": {}, "abcd": {}}
	for _, c := range []struct {
		prefixes map[string]struct{}
		topic    string
		want     bool
	}{
		{nil, "", false}, {nil, "a", false},
		{map[string]struct{}{"": {}}, "", true}, {map[string]struct{}{"": {}}, "long topic", true},
		{many, "a", false}, {many, "ab", true}, {many, "abc", true}, {many, "abd", true}, {many, "bx", false},
		{map[string]struct{}{"ab": {}}, "a long topic", false}, {map[string]struct{}{"a ": {}}, "a long topic", true},
	} {
		if got := covers(c.prefixes, c.topic); got != c.want {
			t.Errorf("covers(%v, %q): got %v, want %v", c.prefixes, c.topic, got, c.want)
		}
	}
}
