package pattern

import (
	"fmt"
	"slices"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/pipe"
)

// interests is what a subscriber wants: a count for each prefix, because two
// parts of a program may subscribe to the same. Changed under the send lock,
// read by receivers without one.
type interests struct {
	tree prefixTree[int]
	ends []*pipe.End
}

func (i *interests) attach(e *pipe.End) { i.ends = append(i.ends, e) }

func (i *interests) detach(e *pipe.End) {
	if k := slices.Index(i.ends, e); k >= 0 {
		i.ends = slices.Delete(i.ends, k, k+1)
	}
}

// announce tells a peer everything.
func (i *interests) announce(e *pipe.End) {
	for topic := range i.tree.all {
		e.Subscribe(topic, true)
	}
}

// Subscribe implements Subscriber. Publishers hear of every call, since a
// verbose XPUB reports duplicates; they keep a set, so one cancel ends it.
func (i *interests) Subscribe(topic string) {
	n, _ := i.tree.get(topic)
	i.tree.set(topic, n+1)
	for _, e := range i.ends {
		e.Subscribe(topic, true)
	}
}

// Unsubscribe implements Subscriber. Publishers hear of it when nobody here
// wants the topic any more.
func (i *interests) Unsubscribe(topic string) error {
	n, ok := i.tree.get(topic)
	switch {
	case !ok:
		return fmt.Errorf("topic %q: not subscribed: %w", clip(topic), ringwire.ErrState)
	case n > 1:
		i.tree.set(topic, n-1)
		return nil
	}
	i.tree.delete(topic)
	for _, e := range i.ends {
		e.Subscribe(topic, false)
	}
	return nil
}

// Subscribed implements Subscriber. Any goroutine may call it.
func (i *interests) Subscribed() bool { return i.tree.len() > 0 }

func (i *interests) matches(topic []byte) bool { return i.tree.matches(topic) }
