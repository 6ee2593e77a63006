package main

import (
	"fmt"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// row is one piece of work, for several contenders in turn.
type row struct {
	name   string
	load   string // what is after the @ in the name
	role   role   // what both sides have in common
	metric metric
	rate   float64 // messages per second; 0: as many as possible
	half   bool    // the rate is half of what another row found: see half.go

	// pairs and slice are for rows that cannot do with the run's.
	pairs int
	slice time.Duration

	contenders []contender
}

// contender is a way to do the work of a row.
type contender struct {
	label   string
	engine  string
	variant string
	stalled int
}

// contend makes contenders of libraries, as they are.
func contend(names ...string) []contender {
	var all []contender
	for _, name := range names {
		all = append(all, contender{label: name, engine: name})
	}
	return all
}

// withSpinOff puts ringwire's variant after the first contender, ringwire.
func withSpinOff(names ...string) []contender {
	all := contend(names...)
	return append([]contender{all[0], {label: "ringwire-" + spinOff, engine: "ringwire", variant: spinOff}}, all[1:]...)
}

// zeroCopy is the variant of libzmq that sends large bodies from where the
// application has them.
const zeroCopy = "zero-copy"

// encryptedRow is throughputRow under CURVE.
func encryptedRow(transport string, size int) row {
	r := throughputRow(transport, size, contend("ringwire", "libzmq"))
	r.name = fmt.Sprintf("%s/push-pull-curve/%d", transport, size)
	for i := range r.contenders {
		r.contenders[i].variant = encrypted
	}
	return r
}

// withZeroCopy puts libzmq's variant last.
func withZeroCopy(names ...string) []contender {
	return append(contend(names...), contender{label: "libzmq-" + zeroCopy, engine: "libzmq", variant: zeroCopy})
}

// roleOf is the role of a contender, without a side.
func (r row) roleOf(c contender) role {
	role := r.role
	role.Variant = c.variant
	role.Stalled = c.stalled
	return role
}

// result is the row without contenders.
func (r row) result() result.Row {
	return result.Row{
		Name: r.name, Transport: r.role.Transport, Pattern: r.role.Pattern, Size: r.role.Size, Load: r.load,
		Metric: r.metric.unit, LowerBetter: r.metric.lowerBetter,
	}
}

// metric is what a row measures.
type metric struct {
	unit        string // the last word is the unit, what is before it is for people
	lowerBetter bool

	// of finds the value in the result of the side that measures.
	of func(role, sliceResult) float64
}

func perSecond(_ role, r sliceResult) float64 { return r.PerSecond }

// The metrics of all rows.
var (
	messagesPerSecond   = metric{unit: "msg/s", of: perSecond}
	roundTripsPerSecond = metric{unit: "round trips/s", of: perSecond}
	deliveriesPerSecond = metric{unit: "deliveries/s", of: perSecond}

	deliveriesPerLive = metric{unit: "of each live subscriber, deliveries/s", of: func(r role, got sliceResult) float64 {
		return got.PerSecond / float64(r.Receivers-r.Stalled)
	}}

	roundTripP50 = metric{unit: "p50 round trip s", lowerBetter: true, of: latencyAt(50)}
	oneWayP50    = metric{unit: "p50 latency s", lowerBetter: true, of: latencyAt(50)}
	oneWayP99    = metric{unit: "p99 latency s", lowerBetter: true, of: latencyAt(99)}

	// These three are not found in slices: see connections.go.
	secondsToReady     = metric{unit: "time until all are ready s", lowerBetter: true}
	bytesPerConnection = metric{unit: "memory per connection B", lowerBetter: true}
	idleCPU            = metric{unit: "idle CPU s/s", lowerBetter: true}
)

func latencyAt(percent float64) func(role, sliceResult) float64 {
	return func(_ role, r sliceResult) float64 { return r.Latency.seconds(percent) }
}

// pairRole is the role of two sockets.
func pairRole(transport, pattern string, size int) role {
	return role{Transport: transport, Pattern: pattern, Senders: 1, Receivers: 1, Size: size, Outstanding: 1}
}

// throughputRow is a row of messages as fast as possible.
func throughputRow(transport string, size int, contenders []contender) row {
	return row{
		name: fmt.Sprintf("%s/push-pull/%d", transport, size), role: pairRole(transport, pushPull, size),
		metric: messagesPerSecond, contenders: contenders,
	}
}

// deviceRow is a row of messages as fast as possible through a device.
func deviceRow(transport, pattern string, size int, contenders []contender) row {
	return row{
		name: fmt.Sprintf("%s/device-%s/%d", transport, pattern, size), role: pairRole(transport, pattern, size),
		metric: messagesPerSecond, contenders: contenders,
	}
}

// fanOutRow is a row of one publisher, as fast as possible.
func fanOutRow(transport string, subscribers, size int, contenders []contender) row {
	r := row{
		name: fmt.Sprintf("%s/pub-sub-1x%d/%d", transport, subscribers, size), role: pairRole(transport, pubSub, size),
		metric: deliveriesPerSecond, contenders: contenders,
	}
	r.role.Receivers = subscribers
	return r
}

// roundTripsRow is a row of one request after the other.
func roundTripsRow(transport string, size int, contenders []contender) row {
	return row{
		name: fmt.Sprintf("%s/req-rep/%d", transport, size), role: pairRole(transport, reqRep, size),
		metric: roundTripP50, contenders: contenders,
	}
}

// outstandingRow is a row of 16 requests in flight.
func outstandingRow(transport string, size int, contenders []contender) row {
	r := row{
		name: fmt.Sprintf("%s/dealer-router-16/%d", transport, size), role: pairRole(transport, dealerRouter, size),
		metric: roundTripsPerSecond, contenders: contenders,
	}
	r.role.Outstanding = 16
	return r
}

// openLoopRow is a row of messages at a fixed rate.
func openLoopRow(transport, pattern string, size int, rate float64, contenders []contender) row {
	return row{
		name: fmt.Sprintf("%s/%s/%d@%g", transport, pattern, size, rate), load: fmt.Sprintf("%g", rate), rate: rate,
		role: pairRole(transport, pattern, size), metric: oneWayP50, contenders: contenders,
	}
}
