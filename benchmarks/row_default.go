package main

import (
	"fmt"
	"time"
)

// defaultRows are the rows of a run that asks for no others.
func defaultRows() []row {
	rows := []row{
		throughputRow("tcp", 16, contend("ringwire", "libzmq", "limit")),
		throughputRow("tcp", 64, withSpinOff("ringwire", "libzmq", "pebbe", "go-zeromq", "mangos", "net", "limit")),
		throughputRow("tcp", 1024, contend("ringwire", "libzmq", "limit")),
		throughputRow("tcp", 65536, withZeroCopy("ringwire", "libzmq", "limit")),
		throughputRow("tcp", 1048576, withZeroCopy("ringwire", "libzmq", "limit")),
		encryptedRow("tcp", 64),
		encryptedRow("tcp", 1024),
		throughputRow("ipc", 64, contend("ringwire", "libzmq", "net", "limit")),
		roundTripsRow("tcp", 64, withSpinOff("ringwire", "libzmq", "pebbe", "go-zeromq", "mangos", "limit")),
		roundTripsRow("ipc", 64, withSpinOff("ringwire", "libzmq", "limit")),
		slowly(openLoopRow("tcp", pushPull, 64, 100, contend("ringwire", "libzmq"))),
		openLoopRow("tcp", pushPull, 64, 10000, contend("ringwire", "libzmq")),
		slowly(openLoopRow("tcp", pubSub, 64, 100, contend("ringwire", "libzmq"))),
		openLoopRow("tcp", pubSub, 64, 10000, contend("ringwire", "libzmq")),
		halfLoad(),
		throughputRow("inproc", 16, contend("ringwire", "libzmq", "chan", "limit")),
		throughputRow("inproc", 1024, contend("ringwire", "libzmq", "chan", "limit")),
		roundTripsRow("inproc", 64, contend("ringwire", "libzmq", "chan", "limit")),
		manyGoroutines(),
		fanOutRow("tcp", 8, 64, contend("ringwire", "libzmq")),
		stalled(),
		deviceRow("tcp", throughForwarder, 64, contend("ringwire", "libzmq")),
		deviceRow("tcp", throughStreamer, 64, contend("ringwire", "libzmq")),
	}
	for _, n := range []struct {
		name  string
		count int
	}{{"1", 1}, {"10k", 10_000}, {"1M", 1_000_000}} {
		rows = append(rows, unmatched(n.name, n.count))
	}
	rows = append(rows, fanIn(), outstandingRow("tcp", 64, withSpinOff("ringwire", "libzmq")))
	return append(rows, connectionRows()...)
}

// slowly gives a row of 100 messages per second enough of them.
func slowly(r row) row {
	r.pairs, r.slice = 7, time.Second
	return r
}

// halfLoad is a rate that every contender can bear, as a part of what the
// slower can.
func halfLoad() row {
	r := openLoopRow("tcp", pushPull, 64, 0, contend("ringwire", "libzmq"))
	r.name, r.load, r.half, r.metric = "tcp/push-pull/64@half", "half", true, oneWayP99
	return r
}

// manyGoroutines is what a Go program does with one socket.
func manyGoroutines() row {
	r := throughputRow("inproc", 64, contend("ringwire", "chan"))
	r.name = "inproc/push-pull-4x1/64"
	r.role.Goroutines = 4
	return r
}

// stalled has one subscriber in a hundred that does not receive.
func stalled() row {
	r := fanOutRow("tcp", 100, 64, []contender{
		{label: "ringwire", engine: "ringwire", stalled: 1},
		{label: "ringwire-all-live", engine: "ringwire"},
	})
	r.name, r.metric = "tcp/pub-sub-1x100-stalled/64", deliveriesPerLive
	return r
}

// unmatched is the price of subscriptions that do not match.
func unmatched(name string, count int) row {
	r := row{
		name: fmt.Sprintf("tcp/publish-unmatched-%s/64", name), role: pairRole("tcp", publishUnmatched, 64),
		metric: messagesPerSecond, contenders: contend("ringwire", "libzmq"),
	}
	r.role.Subscriptions = count
	return r
}

// fanIn is eight senders, each with a socket of its own.
func fanIn() row {
	r := throughputRow("tcp", 64, contend("ringwire", "libzmq"))
	r.name = "tcp/push-pull-8x1/64"
	r.role.Senders = 8
	return r
}

// connectionRows are three views of one piece of work.
func connectionRows() []row {
	var rows []row
	for _, view := range []struct {
		name   string
		metric metric
	}{{"ready", secondsToReady}, {"memory", bytesPerConnection}, {"idle-cpu", idleCPU}} {
		r := row{
			name: "tcp/connections-10000/" + view.name, role: pairRole("tcp", connections, minSize),
			metric: view.metric, contenders: contend("ringwire", "libzmq"), pairs: 3,
		}
		r.role.Sockets = 10_000
		rows = append(rows, r)
	}
	return rows
}
