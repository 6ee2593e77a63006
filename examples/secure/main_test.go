package main

import (
	"bytes"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// main ends the process if anything fails.
func Example() {
	main()
	// Output: a secret, from the client: true
}

// TestSecureIsShort: encryption is no reason to write more than this.
func TestSecureIsShort(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bytes.Count(text, []byte("\n")), 40; got >= want {
		t.Errorf("main.go has %d lines, want less than %d", got, want)
	}
}
