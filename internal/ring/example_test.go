package ring_test

import (
	"fmt"

	"github.com/ringwire/ringwire/internal/ring"
)

// A letter owns its text: it is moved by swapping, so that the slot gets the old
// buffer back for the next lap.
type letter struct{ text []byte }

func Example() {
	var r ring.Ring[letter]
	r.Init(2)

	// The producer fills slots until the limit, then hands them over at once.
	for _, text := range []string{"first", "second", "third"} {
		slot := r.Slot()
		if slot == nil {
			fmt.Println("full, not sent:", text)
			break
		}
		slot.text = append(slot.text[:0], text...)
		r.Commit()
	}
	r.Publish()

	// The consumer moves the content out before it gives the slot back.
	var mine letter
	for slot := r.Peek(); slot != nil; slot = r.Peek() {
		mine.text, slot.text = slot.text, mine.text
		r.Advance()
		fmt.Println("received:", string(mine.text))
	}
	// Output:
	// full, not sent: third
	// received: first
	// received: second
}
