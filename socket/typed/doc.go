// Package typed sends and receives values of Go types instead of bytes.
//
//	push, err := typed.NewPush[Job](nil)
//	err = push.Connect("tcp://127.0.0.1:5557")
//	err = push.Send(ctx, Job{ID: 7})
//
//	pull, err := typed.NewPull[Job](nil)
//	_, err = pull.Bind("tcp://127.0.0.1:5557")
//	job, err := pull.Recv(ctx)
//
// Pub and Sub do the same with a topic in front, and Client and Server are
// requests and replies: many at once, with deadlines, cancellation, and errors
// that cross the wire. All are safe for use by any number of goroutines.
//
// A Codec turns values into bytes: Msgpack unless Options say otherwise, JSON, Raw,
// or one of your own. The frames are those of plain sockets, so a program in
// another language needs a ZeroMQ library and one for MessagePack or JSON;
// docs/typed.md has them byte by byte.
//
// What a peer sends is not to be trusted. Its structure is checked before it is
// decoded, decoding happens in the goroutine that asked for the value, a panic of
// a decoder is an error, and the memory it costs is bounded by its size, as Msgpack
// and JSON say. A message that is not a T is a *DecodeError, which names both types;
// it has been taken from the socket, which can be used as before.
//
// The package knows nothing of methods, schemas or streams: one Server is one
// function. Start reading at Options.
package typed
