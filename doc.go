// Package ringwire is a brokerless, ZeroMQ-style messaging library. It has the
// nouns that all its packages share: [Message], [Peer], the errors, and the
// types of a security mechanism.
//
// Start with package socket: socket.New makes a socket of one of the types in
// package pattern, and Bind, Connect, Send and Recv do what their names say.
//
//	pull, err := socket.New(pattern.Pull, nil)
//	endpoint, err := pull.Bind("tcp://127.0.0.1:0")
//
//	push, err := socket.New(pattern.Push, nil)
//	err = push.Connect(endpoint)
//	err = push.Send(ctx, []byte("hello"))
//
//	m, err := pull.Recv(ctx) // "hello"
//
// Sockets speak ZMTP 3.1 and 3.0 over tcp and ipc, so programs that use
// libzmq are their peers, and hand messages over directly between sockets of
// one process over inproc. docs/guide.md explains all of it.
package ringwire
