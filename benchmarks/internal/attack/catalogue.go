package attack

import (
	"time"

	"github.com/ringwire/ringwire/socket"
)

// Elsewhere says of the abuse tests that are not about what a network sends where
// they are.
var Elsewhere = []struct{ SEC, Why string }{
	{"SEC-12", "calls of our own program: TestSEC12OptionValues and its like, TestBadMessages"},
	{"SEC-16", "files: TestSEC16Files, TestSEC16Directory, TestSEC16Umask"},
	{"SEC-17", "what is printed: TestSEC17Printed, TestSEC17Everywhere; here, no event of a victim has a secret in it"},
}

// catalogue is all attacks. Their rates are such that attacker and victim together
// leave the processors of a small machine mostly idle.
var catalogue = []Attack{
	{SEC: "SEC-01", Name: "mechanism-downgrade", What: "greetings that name another mechanism, none, or one that does not exist",
		Mechanisms: mechanisms, Rate: 100, Inputs: downgrades},
	{SEC: "SEC-02", Name: "version-downgrade", What: "greetings of ZMTP 1.0, 2.0, and versions to come",
		Mechanisms: mechanisms, Rate: 100, Inputs: versions},
	{SEC: "SEC-03", Name: "replay", What: "CURVE messages and handshakes that are replayed, reordered, reflected or of another connection",
		Mechanisms: mechanisms[2:], Rate: 50, Inputs: replays},
	{SEC: "SEC-04", Name: "frame-sizes", What: "frames of declared sizes at which decoders break, in the handshake and after it",
		Rate: 100, Inputs: frameSizes, Options: func(o *socket.Options) { o.MaxMessageSize = sizeLimit }},
	{SEC: "SEC-05", Name: "metadata", What: "metadata whose lengths lie, that is too much, doubled, or of no socket",
		Mechanisms: mechanisms, Rate: 50, Inputs: metadataLies},
	{SEC: "SEC-06", Name: "slow-handshake", What: "connections that stall at each point of the handshake, and are held",
		Mechanisms: mechanisms, Rate: 500, Hold: 1000, Inputs: stalls},
	{SEC: "SEC-06", Name: "handshake-timeout", What: "the same until the deadline, which is 0.2 s, and one that feeds it byte by byte",
		Mechanisms: mechanisms, Rate: 50, Inputs: timeouts, Options: func(o *socket.Options) { o.HandshakeTimeout = 200 * time.Millisecond }},
	{SEC: "SEC-06", Name: "many-handshakes", What: "three times as many silent connections as MaxHandshakes, which is 64",
		Rate: 200, Inputs: evictions, Hold: 192, Must: rejected, Options: func(o *socket.Options) { o.MaxHandshakes = 64 }},
	{SEC: "SEC-06", Name: "one-address", What: "more connections of one address than MaxConnectionsPerAddress, which is 50",
		Networks: networks[:1], Rate: 200, Hold: 200, Allowed: 50, Must: rejected, Source: "127.0.2.1", Inputs: crowd,
		Options: func(o *socket.Options) { o.MaxConnectionsPerAddress = 50 }},
	{SEC: "SEC-06", Name: "accept-rate", What: "more connections in a second than MaxAcceptRate, which is 20 for one address",
		Networks: networks[:1], Rate: 200, Must: rejected, Source: "127.0.2.2", Inputs: rush,
		Options: func(o *socket.Options) { o.MaxAcceptRate = 20 }},
	{SEC: "SEC-07", Name: "multipart", What: "messages without end, over the limits, and with frames that do not belong in them",
		Rate: 50, Inputs: multiparts, Options: func(o *socket.Options) { o.MaxMessageSize, o.MaxFrames = sizeLimit, framesLimit }},
	{SEC: "SEC-07", Name: "unfinished", What: "half a message, then the end of the connection",
		Rate: 300, Inputs: unfinished},
	{SEC: "SEC-08", Name: "not-zmtp", What: "what port scanners and other protocols send",
		Mechanisms: mechanisms, Rate: 200, Inputs: scans},
	{SEC: "SEC-09", Name: "long-topics", What: "subscriptions of 64 KiB and more",
		Victims: victims[2:], Rate: 20, Inputs: longTopics},
	{SEC: "SEC-09", Name: "many-topics", What: "subscriptions without end, random, with a long prefix in common, and nested",
		Victims: victims[2:], Rate: 100, Hold: 3, Flood: 256 << 10, Inputs: manyTopics},
	{SEC: "SEC-09", Name: "subscription-flood", What: "SUBSCRIBE and CANCEL in turn, and CANCEL of what was never subscribed",
		Victims: victims[2:], Rate: 100, Hold: 2, Flood: 512 << 10, Inputs: subscriptionChurn},
	{SEC: "SEC-10", Name: "wrong-direction", What: "commands and messages that are not for this type of socket",
		Rate: 100, Inputs: wrongDirection},
	{SEC: "SEC-10", Name: "wrong-flood", What: "subscriptions to PULL and ROUTER, messages to XPUB, without end",
		Rate: 100, Hold: 2, Flood: 512 << 10, Inputs: wrongFlood},
	{SEC: "SEC-11", Name: "declare-and-stall", What: "frames that declare megabytes of which little comes, on many connections",
		Rate: 500, Hold: 1000, Inputs: declarations},
	{SEC: "SEC-13", Name: "denied", What: "clients that the authenticator denies, or about whom it fails, panics, or never answers",
		Mechanisms: mechanisms[1:], Rate: 5, Inputs: denials, Options: func(o *socket.Options) { o.HandshakeTimeout = 4 * time.Second }},
	{SEC: "SEC-14", Name: "heartbeats", What: "PING and PONG of all sizes, time-outs of all lengths",
		Rate: 100, Inputs: heartbeats},
	{SEC: "SEC-14", Name: "ping-flood", What: "PINGs without end from peers that never read",
		Rate: 100, Hold: 4, Flood: 256 << 10, Inputs: pingFlood},
	{SEC: "SEC-15", Name: "commands", What: "every command in every state",
		Mechanisms: mechanisms, Rate: 100, Inputs: everyCommand},
	{SEC: "SEC-18", Name: "no-files", What: "more connections than the victim has descriptors for, which is 100",
		Rate: 150, Hold: 150, Files: 100, Must: "accept failed/no files left", Inputs: crowdLeft, Shut: "there is no descriptor for one"},
	{SEC: "SEC-19", Name: "spoofed-metadata", What: "properties that a peer has no say in, and the identities of others",
		Mechanisms: mechanisms, Rate: 50, Inputs: spoofs},
	{SEC: "SEC-20", Name: "churn", What: "connections that come and go at every stage, in good order or not",
		Mechanisms: mechanisms, Rate: 300, Inputs: visits},
	{SEC: "SEC-21", Name: "weak-keys", What: "public keys of low order, and claims about keys that are not the sender's",
		Mechanisms: mechanisms[2:], Rate: 50, Inputs: weakKeys},
	{SEC: "SEC-22", Name: "junk", What: "64 KiB of noise on each connection",
		Mechanisms: mechanisms, Rate: 200, Inputs: junk},
	{SEC: "SEC-22", Name: "hello-flood", What: "HELLO after HELLO, each of which costs the server a key exchange",
		Mechanisms: mechanisms[2:], Rate: 200, Inputs: hellos},
	{SEC: "SEC-22", Name: "password-guessing", What: "passwords that are wrong, each of which costs the server a hash",
		Mechanisms: mechanisms[1:2], Rate: 20, Inputs: guesses},
}
