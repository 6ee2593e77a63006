//go:build !race

package socket_test

// hostileRace is false: the long tests run at their full default length.
const hostileRace = false
