// Package chaos sends numbered messages through every pattern while something
// goes wrong, and joins what was sent with what was received: every message that
// is missing must be explained by a counter of the sender.
//
// It knows two kinds of runs. In memory, [RunSeed] draws a pattern, options and
// faults from a number, on a network of package sockettest. For real, [RunReal]
// starts processes over TCP and ipc and does to them what a scenario says.
//
// It refuses to be lenient: what was not measured has no value, and a law that
// does not hold is a failure that names its run. Reading starts at message.go,
// what is sent, and judge.go, what has to hold; then seed.go or real.go.
package chaos
