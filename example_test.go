package ringwire_test

import (
	"fmt"

	"github.com/ringwire/ringwire"
)

// A message is made of frames; it owns them from then on.
func ExampleNewMessage() {
	m := ringwire.NewMessage([]byte("weather.berlin"), []byte("14 degrees"))
	m.Append([]byte("rain"))
	for i := range m.Len() {
		fmt.Printf("%d: %s\n", i, m.Frame(i))
	}
	fmt.Printf("all: %s\n", m.Bytes())
	// Output:
	// 0: weather.berlin
	// 1: 14 degrees
	// 2: rain
	// all: weather.berlin14 degreesrain
}
