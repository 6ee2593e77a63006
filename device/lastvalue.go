package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Defaults of LastValueOptions, where zero stands for them.
const (
	DefaultMaxKeys  = 10_000
	DefaultMaxBytes = 64 << 20
)

// LastValueOptions configure what a LastValue keeps. The zero value of every field
// is the documented default.
type LastValueOptions struct {
	// Topics are the prefixes that it subscribes to, keeps and offers. Empty: all.
	Topics []string
	// MaxKeys bounds the topics. 0: 10,000, -1: no limit.
	MaxKeys int
	// MaxBytes bounds the messages: their frames, and 16 bytes for each. A larger
	// one is forwarded and not kept. 0: 64 MiB, -1: no limit.
	MaxBytes int64
	// TTL is how long a message is kept after it came. 0, -1: until a newer one
	// comes, or until it has to make room.
	TTL time.Duration
}

// LastValue is a forwarder that keeps the last message of each topic, which is a
// message's whole first frame. Whoever subscribes is first sent what is kept under
// that prefix, in the order in which it came, each message once and before any
// newer one; what the subscriber had under another prefix already is not sent
// again. (A cancellation that is followed at once by the same subscription may pass
// unnoticed, and then changes nothing.) Beyond its bounds the topic that was updated longest ago is forgotten.
//
// Unlike a forwarder it subscribes upstream to its Topics from the start, whether
// anybody listens or not.
type LastValue struct {
	*Device

	// Guarded by mu, which is held while messages are sent, so that a new
	// subscriber comes either before or after each.
	mu    sync.Mutex
	cache *cache
	subs  map[ringwire.Peer]map[string]struct{} // what peers have subscribed to
}

// NewLastValue makes a LastValue with an XSUB as its front and an XPUB as its back,
// which Close closes. nil options are the defaults. The back's SendHWM and
// SendHWMBytes are by default larger than those of other sockets by MaxKeys and
// MaxBytes, so that a subscriber has room for everything that is kept; with smaller
// ones it may miss some, which the back counts. Its XPubManual and XPubVerboser are
// always set. InvertMatching is an error.
func NewLastValue(front, back *socket.Options, keep *LastValueOptions, opts *Options) (*LastValue, error) {
	var k LastValueOptions
	if keep != nil {
		k = *keep
	}
	if err := k.complete(); err != nil {
		return nil, fail("new device", "", err)
	}
	d, err := makeDevice(pattern.XSub, pattern.XPub, front, back, opts, func(_, b *socket.Options) error {
		if b.InvertMatching {
			return errors.New("option InvertMatching of the back is true, want false")
		}
		b.XPubManual, b.XPubVerboser = true, true
		if b.SendHWM == 0 {
			b.SendHWM = roomier(k.MaxKeys, socket.DefaultHWM)
		}
		if b.SendHWMBytes == 0 {
			b.SendHWMBytes = roomier(k.MaxBytes, socket.DefaultHWMBytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l := &LastValue{
		Device: d, cache: newCache(k.MaxKeys, k.MaxBytes, k.TTL),
		subs: make(map[ringwire.Peer]map[string]struct{}),
	}
	d.pumps[0].send, d.pumps[1].send = l.publish, l.listen
	for _, topic := range k.Topics {
		if err := d.front.Subscribe(topic); err != nil {
			d.Close()
			return nil, fail("new device", "", err)
		}
	}
	return l, nil
}

// roomier is a high-water mark with so much more room; -1 is no limit.
func roomier[T int | int64](more, mark T) T {
	if more < 0 {
		return -1
	}
	return more + mark
}

func (k *LastValueOptions) complete() error {
	switch {
	case k.MaxKeys < -1:
		return fmt.Errorf("option MaxKeys is %d, want -1, 0 or more", k.MaxKeys)
	case k.MaxBytes < -1:
		return fmt.Errorf("option MaxBytes is %d, want -1, 0 or more", k.MaxBytes)
	case k.TTL < -1:
		return fmt.Errorf("option TTL is %v, want -1, 0 or more", k.TTL)
	}
	if k.MaxKeys == 0 {
		k.MaxKeys = DefaultMaxKeys
	}
	if k.MaxBytes == 0 {
		k.MaxBytes = DefaultMaxBytes
	}
	k.Topics = slices.Clone(k.Topics)
	if len(k.Topics) == 0 {
		k.Topics = []string{""}
	}
	return nil
}

// Cache returns the counters of what is kept.
func (l *LastValue) Cache() CacheStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cache.expire(time.Now())
	return l.cache.stats
}

// publish keeps and sends a batch; it is what the direction to the back does.
func (l *LastValue) publish(ctx context.Context, batch []*ringwire.Message) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, m := range batch {
		l.cache.put(m, now)
	}
	return l.back.SendBatch(ctx, batch)
}

// listen does what subscribers ask for; it is what the direction to the front does.
func (l *LastValue) listen(ctx context.Context, batch []*ringwire.Message) (int, error) {
	for i, m := range batch {
		topic := m.Frame(0)
		if len(topic) == 0 || topic[0] > 1 {
			// A message for the publishers.
			if err := l.front.SendMessage(ctx, m); err != nil {
				return i, err
			}
			continue
		}
		if err := l.hear(ctx, m.Peer(), string(topic[1:]), topic[0] == 1); err != nil {
			return i, err
		}
		m.Release()
	}
	return len(batch), nil
}

func (l *LastValue) hear(ctx context.Context, peer ringwire.Peer, topic string, subscribe bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if subscribe {
		err = l.subscribe(ctx, peer, topic)
	} else {
		err = l.unsubscribe(peer, topic)
	}
	if errors.Is(err, ringwire.ErrHostUnreachable) {
		delete(l.subs, peer) // it has gone meanwhile
		return nil
	}
	return err
}

func (l *LastValue) subscribe(ctx context.Context, peer ringwire.Peer, topic string) error {
	has := l.subs[peer]
	if _, ok := has[topic]; ok {
		return nil
	}
	given := int64(0)
	for v := range l.cache.matching(topic, time.Now()) {
		if covers(has, v.topic) {
			continue // it has been sent this
		}
		m := v.m.Clone()
		if err := l.back.SendTo(ctx, peer, m); err != nil {
			m.Release()
			return err
		}
		given++
	}
	if err := l.back.SubscribePeer(peer, topic); err != nil {
		return err
	}
	if has == nil {
		has = make(map[string]struct{})
		l.subs[peer] = has
	}
	has[topic] = struct{}{}
	if l.cache.stats.Given += given; given > 0 {
		l.cache.stats.Snapshots++
	}
	return nil
}

func (l *LastValue) unsubscribe(peer ringwire.Peer, topic string) error {
	has := l.subs[peer]
	delete(has, topic)
	if len(has) == 0 {
		delete(l.subs, peer)
	}
	return l.back.UnsubscribePeer(peer, topic)
}

// covers reports whether one of the prefixes is one of topic.
func covers(prefixes map[string]struct{}, topic string) bool {
	if len(prefixes) <= len(topic) {
		for p := range prefixes {
			if strings.HasPrefix(topic, p) {
				return true
			}
		}
		return false
	}
	for n := range len(topic) + 1 {
		if _, ok := prefixes[topic[:n]]; ok {
			return true
		}
	}
	return false
}
