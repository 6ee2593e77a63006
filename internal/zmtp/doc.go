// Package zmtp is the wire of ZMTP 3.0 and 3.1 (RFC 23 and RFC 37) as pure
// functions between bytes and values.
//
// AppendX writes a thing behind dst and returns the extended slice. ParseX
// reads one from the front of a slice and never waits, never blocks and never
// keeps the slice unless its comment says so. Where more bytes may still come
// (greeting, frame header), a parser tells "not yet" from "never"; where the
// whole thing is there (a command body), a missing byte is an error.
//
// Every declared size is compared with the bytes that are there before
// anything is allocated or sliced, in uint64, so that no size wraps on a
// 32-bit machine. A malformed thing wraps [ringwire.ErrProtocol]; a
// well-formed one beyond a limit of ours wraps [ringwire.ErrTooLarge]. Both
// name the value seen and what was expected, with the peer's bytes quoted.
//
// Where the RFC text and libzmq disagree, the code follows libzmq and says
// so. Nothing here does I/O, starts a goroutine or looks at a clock. Start
// reading at frame.go, then decoder.go.
package zmtp
