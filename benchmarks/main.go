// Command benchmarks measures messaging libraries.
//
// Its tools have the names, the arguments and the output of libzmq's own perf
// tools, and either side of a pair may be one of those:
//
//	go run ./benchmarks local_thr tcp://127.0.0.1:5555 64 1000000
//	go run ./benchmarks remote_thr tcp://127.0.0.1:5555 64 1000000
//
// Each tool plays its role over ringwire or, when built with -tags libzmq, over
// libzmq in a C loop (--lib libzmq). The tools print averages and refuse to
// interpret them.
//
// The suite measures libraries against each other, in turn in short slices, in
// processes that it starts itself; compare puts two of its results side by side:
//
//	go run ./benchmarks suite --quick --json new.json
//	go run ./benchmarks compare old.json new.json
//
// Chaos measures what is left when something goes wrong: it joins what was sent
// with what was received and with the counters of the library, in memory by seed
// or with processes:
//
//	go run ./benchmarks chaos --seeds 1000
//	go run ./benchmarks chaos --real --lib ringwire --lib libzmq
//
// Attack sends hostile input to sockets that serve others at the same time, and
// measures what those notice of it:
//
//	go run ./benchmarks attack --json attack.json
//
// Reading starts at tool, which is what every perf tool has in common, and at
// library, which is what can play the roles; each tool has a file of its own.
// For the suite it starts at row, what is measured, then suite, which runs the
// rows, team, the processes of one library, and engine, what a library has to do
// for it. Chaos is in internal/chaos, where judge.go is the laws; attack
// is in internal/attack, where catalogue.go is the attacks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // something went wrong while running
	exitUsage   = 2 // wrong arguments: nothing was run
	exitMissed  = 3 // everything was run, and a requirement was missed
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the run in order, a second one at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program: it runs what args ask for until it is done or ctx is,
// and returns the exit code. Results go to stdout, everything else to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, stdout, stderr).Run(ctx, append([]string{"benchmarks"}, args...))
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "benchmarks: %v\n", err)
	return exitCode(err)
}

// exitCode is that of a command that has failed.
func exitCode(err error) int {
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*missedError](err); ok {
		return exitMissed
	}
	if _, ok := errors.AsType[*brokenError](err); ok {
		return exitMissed
	}
	return exitFailure
}

// command is the command line. The tools get ctx as it is: the context that
// cli passes on is a chain, which would be walked for every message.
func command(ctx context.Context, stdout, stderr io.Writer) *cli.Command {
	root := &cli.Command{
		Name:      "benchmarks",
		Usage:     "measure messaging libraries",
		Writer:    stdout,
		ErrWriter: stderr,
		// The exit code is run's business.
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		OnUsageError:   onUsageError,
	}
	var names []string
	for _, t := range tools() {
		names = append(names, t.name)
		root.Commands = append(root.Commands, t.command(ctx, stdout, stderr))
	}
	for _, c := range []*cli.Command{suiteCommand(ctx, stdout, stderr), compareCommand(stdout), showCommand(stdout), chaosCommand(ctx, stdout, stderr), attackCommand(ctx, stdout, stderr)} {
		names = append(names, c.Name)
		root.Commands = append(root.Commands, c)
	}
	root.Commands = append(root.Commands, workerCommand(ctx, stdout), chaosWorkerCommand(stdout), attackWorkerCommand(stdout))
	accepted := strings.Join(names, ", ") + "; --help says more"
	root.Action = func(_ context.Context, c *cli.Command) error {
		if c.Args().Present() {
			return usagef("there is no command %q, accepted are %s", c.Args().First(), accepted)
		}
		return usagef("no command given, accepted are %s", accepted)
	}
	return root
}

// usageError is an error in the arguments: it says what was wrong and what is
// accepted.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// onUsageError adds what is accepted to cli's own complaints about flags.
func onUsageError(_ context.Context, c *cli.Command, err error, _ bool) error {
	var names []string
	for _, f := range c.Flags {
		names = append(names, "--"+f.Names()[0])
	}
	return usagef("%w; accepted flags of %s are %s", err, c.Name, strings.Join(names, ", "))
}
