//go:build !race

package attack

// racing is whether the race detector is built in, whose memory is several times that
// of the program.
const racing = false
