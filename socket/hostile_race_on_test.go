//go:build race

package socket_test

// hostileRace shortens the long tests: the race detector makes them ten times
// as slow.
const hostileRace = true
