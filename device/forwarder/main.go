// Command forwarder is a device as a program: many publishers on one side, many
// subscribers on the other, and nobody needs to know more than one address.
//
//	go run ./device/forwarder
//
// starts one for topics on loopback ports and says where to connect; Ctrl-C ends it.
// (Other signals are for the program that go build makes: go run does not pass them
// on.) It is also a
// queue for requests and a streamer for pipelines, see --kind. Its admin shows who
// is connected, what is queued and what was dropped, as a page, as metrics and as
// JSON. README.md has the flags, the signals and the metrics.
//
// The commands cat, tap and explain are for looking at any ZeroMQ socket: cat sends
// and prints messages, tap prints what passes, explain does only the handshake.
//
// Reading starts at config, everything that can be set, and source, where that
// comes from; then service, which is the program at work, watcher, which looks at
// the sockets twice a second, and admin, which shows what watcher has seen.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // something went wrong while running
	exitUsage   = 2 // wrong arguments or configuration: nothing was run
)

func main() {
	p := &program{env: os.LookupEnv, names: variables(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(context.Background(), os.Args[1:]))
}

// variables are the names of the environment.
func variables() []string {
	names := os.Environ()
	for i, entry := range names {
		names[i], _, _ = strings.Cut(entry, "=")
	}
	return names
}

// program is what the world looks like to it.
type program struct {
	env    func(string) (string, bool)
	names  []string // of the environment's variables
	stdin  io.Reader
	stdout io.Writer // results, and where to connect
	stderr io.Writer // errors and the log
}

// run does what args ask for and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	err := p.command().Run(ctx, append([]string{"forwarder"}, args...))
	if err == nil {
		return exitOK
	}
	// One line, whatever was joined.
	fmt.Fprintf(p.stderr, "forwarder: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	return exitFailure
}

// usageError is an error in the arguments or the configuration: it says what was
// wrong and what is accepted.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}
