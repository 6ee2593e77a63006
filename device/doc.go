// Package device moves messages between sockets: a [Device] stands between two
// of them and carries what one receives to the other, in one direction or both,
// so that many can talk to many without knowing each other's addresses.
//
// [NewForwarder] is for topics (XSUB and XPUB; subscriptions travel upstream),
// [NewQueue] for requests (ROUTER and DEALER), [NewStreamer] for pipelines (PULL
// and PUSH). [New] takes any two sockets that fit. [NewLastValue] is a forwarder
// that gives late subscribers the last message of each topic, [Recorder] and
// [Replay] write what a socket receives to files and send it again.
//
// A device changes nothing: frames, envelopes and identities pass as they are. It
// queues nothing, either: when one side has no room, the other is not read, and
// what is in hand is one batch. It is written on the public packages only, so
// whatever it does, a program can do.
//
// What it does not do: it finds out when its two sockets are connected to each other,
// but not a loop by way of another device, in which messages go round for ever.
// Neither ZMTP nor a message has a place in which to count hops, and a token that is
// announced reaches the next device only. Mind it when devices connect to devices.
// Drain of a ROUTER and a DEALER waits for a reply to each request that was
// forwarded: give it a context with a deadline, or one reply that never comes makes
// it wait as long as the peer that owes it is there, see [Device.Drain].
//
// Start reading at device.go and pump.go.
package device
