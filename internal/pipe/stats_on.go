//go:build !nostats

package pipe

// counting is false in a build with the tag nostats, which exists to measure what
// counting costs: Stats, and what waits for counters, do not work in it.
const counting = true
