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
// Start reading at device.go and pump.go.
package device
