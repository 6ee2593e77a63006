// Package observe shows sockets to whoever operates the program: as variables of
// package expvar, and as an HTTP handler that answers in JSON. It only reads, and
// a socket that nobody asks about costs one goroutine that waits.
//
// Var is one socket as an expvar.Var. Publish puts sockets that come and go into
// the expvar map "ringwire". A Registry is the handler, to be mounted where a program
// has its others (its example does it); it also keeps the last events of each socket.
// Both forget a socket when it is closed.
//
// Importing this package imports net/http, and expvar, which registers the handler
// /debug/vars in http.DefaultServeMux; nothing else of Ringwire does. What is shown
// names peers, their addresses and what they call themselves: do not serve it to
// the world.
//
// # The JSON
//
// A Registry answers with an object of
//
//	time      when the answer was made
//	sockets   an object: the name that a socket was added under, and the socket
//
// Times are RFC 3339 in UTC. Fields whose name ends in _seconds are durations, as
// numbers with a fraction. Bytes that a peer chose (identity, address and the values
// of metadata) are quoted as Go quotes strings, in ASCII: strconv.Unquote gives them
// back. In other text whatever is not printable is escaped. Fields that are described
// with "if" are left out otherwise.
//
// A socket has
//
//	type     its type, such as "PUSH"
//	stats    its counters, over all peers
//	peers    an array of its peers in the order in which they were attached
//	events   an array of its last 64 events, oldest first; not in Var and Publish
//	events_total   how many events came since it was added; not in Var and Publish
//	events_lost    how many of those nobody could keep; not in Var and Publish
//
// stats has
//
//	peers                ready now
//	connects             connections made
//	accepts              connections accepted
//	disconnects          ready peers that went
//	handshakes_failed    connections that did not become a peer
//	handshake_timeouts   the part of those that ran out of time
//	refused              the part of those that a limit kept out
//	accept_errors        times that a listener could not accept
//	slow_peers           times that a peer began to miss messages
//	unmatched            published messages that nobody had subscribed to
//	send, recv           the counters of messages
//
// A peer has
//
//	id              a number that no other peer of the process has
//	name            its identity, else its X-Name, both quoted, else its address
//	ready           whether messages flow; if not, the rest is about the last connection
//	endpoint        the endpoint of ours that it belongs to
//	local, remote   addresses, if there was a connection
//	identity        as the peer announced it, if it did
//	address         how a ROUTER addresses it, if it does
//	type            its socket type, if it is known
//	version         of ZMTP, if there was a connection; not for inproc
//	mechanism       of security, likewise
//	principal       who the Authenticator says it is, if it says so
//	metadata        what else it announced, if anything
//	since           when it became ready, if it did
//	connections     how many it took so far
//	subscriptions   how many topics it has subscribed to, if any
//	round_trip_seconds   how long its last answer to a PING took, if it was asked
//	send, recv      the counters of messages
//
// send has
//
//	accepted        messages that Send accepted
//	accepted_bytes  and their bytes
//	written         the part of them that was given to the kernel or to an inproc peer
//	confirmed       the part of those that the peer is known to have taken in
//	in_doubt        the part whose connection ended before that was known
//	queued          messages that wait to be written
//	queued_bytes    and their bytes
//	dropped         an object: messages that were dropped, by reason
//
// so that accepted = written + dropped.total + queued, and recv has
//
//	arrived    messages that came
//	returned   the part of them that Recv returned
//	queued     messages that wait for Recv
//	dropped    an object: messages that were dropped, by reason
//
// so that arrived = returned + dropped.total + queued, when no call is in progress.
// dropped has the total, and if they are not zero hwm, peer_gone, no_route, closed,
// oversize, conflated, malformed and stale: see socket.Drops.
//
// An event has
//
//	kind            what happened, such as "connect failed"
//	time            when
//	endpoint        the endpoint of ours that it is about, if any
//	local, remote   addresses, if any
//	peer            the id of the peer, if any
//	identity        the peer's, if it announced one
//	name            the peer's, as a peer has it, if the handshake is complete
//	type            the peer's socket type, if it is known
//	mechanism       the connection's, if it is known
//	principal       who the Authenticator says the peer is, if it says so
//	retry_seconds   when the next attempt comes, if one does
//	next            what the socket does about it, if anything
//	reason          the error in a word, if there is one
//	error           the error, if there is one
//	unsent          messages that were dropped because the peer is gone, if any
//	in_doubt        messages of which nobody knows whether they arrived, if any
//	lost            events that were lost before this one, if any
package observe
