package device

import (
	"container/list"
	"iter"
	"strings"
	"time"

	"github.com/ringwire/ringwire"
)

// cache keeps the last message of each topic, within bounds. Whoever has it calls
// one method at a time.
type cache struct {
	maxKeys  int   // -1: no limit
	maxBytes int64 // -1: no limit
	ttl      time.Duration

	order list.List // of *value, the one that was updated longest ago first
	at    map[string]*list.Element
	stats CacheStats
}

type value struct {
	topic string
	m     *ringwire.Message
	size  int64
	time  time.Time
}

// perFrame is what a frame counts beyond its bytes: more than its header on a
// connection, so that the bound holds for empty frames, too.
const perFrame = 16

// CacheStats is a snapshot of what a LastValue keeps, and of what it did.
type CacheStats struct {
	Keys     int
	Bytes    int64 // of the frames, and 16 for each
	Updated  int64 // messages taken in
	Evicted  int64 // topics that had to make room
	Expired  int64 // topics whose message became too old
	TooLarge int64 // messages over MaxBytes, which were only forwarded

	Snapshots int64 // subscriptions that were given something
	Given     int64 // messages given to late subscribers
}

func newCache(maxKeys int, maxBytes int64, ttl time.Duration) *cache {
	return &cache{maxKeys: maxKeys, maxBytes: maxBytes, ttl: ttl, at: make(map[string]*list.Element)}
}

// put keeps a copy of m, which stays the caller's.
func (c *cache) put(m *ringwire.Message, now time.Time) {
	topic := m.Frame(0)
	s := sizeOf(m)
	size := s.bytes + perFrame*s.frames
	old := c.at[string(topic)]
	if c.maxBytes >= 0 && size > c.maxBytes {
		// What is kept is not the last message of this topic any more.
		if old != nil {
			c.remove(old)
		}
		c.stats.TooLarge++
		return
	}
	c.stats.Updated++
	if old != nil {
		v := old.Value.(*value)
		v.m.Release()
		c.stats.Bytes += size - v.size
		v.m, v.size, v.time = m.Clone(), size, now
		c.order.MoveToBack(old)
	} else {
		v := &value{topic: string(topic), m: m.Clone(), size: size, time: now}
		c.at[v.topic] = c.order.PushBack(v)
		c.stats.Bytes += size
		c.stats.Keys++
	}
	c.expire(now)
	for c.maxKeys >= 0 && c.stats.Keys > c.maxKeys || c.maxBytes >= 0 && c.stats.Bytes > c.maxBytes {
		c.remove(c.order.Front())
		c.stats.Evicted++
	}
}

func (c *cache) remove(at *list.Element) {
	v := c.order.Remove(at).(*value)
	delete(c.at, v.topic)
	c.stats.Bytes -= v.size
	c.stats.Keys--
	v.m.Release()
}

// expire forgets what is too old.
func (c *cache) expire(now time.Time) {
	if c.ttl <= 0 {
		return
	}
	for at := c.order.Front(); at != nil && now.Sub(at.Value.(*value).time) >= c.ttl; at = c.order.Front() {
		c.remove(at)
		c.stats.Expired++
	}
}

// matching are the messages whose topics start with prefix, in the order in which
// they came.
func (c *cache) matching(prefix string, now time.Time) iter.Seq[*value] {
	return func(yield func(*value) bool) {
		c.expire(now)
		for at := c.order.Front(); at != nil; at = at.Next() {
			if v := at.Value.(*value); strings.HasPrefix(v.topic, prefix) && !yield(v) {
				return
			}
		}
	}
}
