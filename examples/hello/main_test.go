package main

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// main ends the process if anything fails.
func Example() {
	main()
	// Output: 2 frames: ["hello" "world"]
}
