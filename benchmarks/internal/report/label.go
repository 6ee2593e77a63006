package report

import (
	"slices"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// labels says what contenders are, in the order in which it is told. What a
// run has besides is explained by its name.
var labels = []fact{
	{"ringwire", "with its default options, and CURVE where the row is named so"},
	{"ringwire-spin-off", "ringwire with Options.Spin -1: it sleeps at once instead of looking for a while first"},
	{"ringwire-all-live", "ringwire with no stalled subscriber among the others"},
	{"libzmq", "the C library, its loops in C"},
	{"libzmq-zero-copy", "libzmq that sends bodies from where the application has them"},
	{"pebbe", "libzmq called from Go by github.com/pebbe/zmq4"},
	{"go-zeromq", "ZeroMQ's protocol in Go, github.com/go-zeromq/zmq4"},
	{"mangos", "another protocol (SP) with the same patterns in Go, go.nanomsg.org/mangos"},
	{"net", "plain Go sockets: a length before each message, one write per message"},
	{"chan", "a buffered Go channel of 1,000 messages, each copied"},
	{"limit", "a raw probe: plain Go sockets with the same bytes, which wait asleep, or a bare ring, which looks"},
}

// labelsOf are those of the run's contenders.
func labelsOf(run *result.Run) []fact {
	var found []fact
	for _, l := range labels {
		if slices.ContainsFunc(run.Rows, func(r result.Row) bool { return r.Contender(l.Name) != nil }) {
			found = append(found, l)
		}
	}
	return found
}
