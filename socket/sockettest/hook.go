package sockettest

import "fmt"

// OpKind says what an application asks of the network.
type OpKind int

// The kinds of operations.
const (
	OpDial OpKind = iota + 1
	OpAccept
	OpRead
	OpWrite
	OpCloseWrite
	OpClose
)

var opNames = [...]string{"", "dial", "accept", "read", "write", "close write", "close"}

// String is the name in words: "close write".
func (k OpKind) String() string {
	if k <= 0 || int(k) >= len(opNames) {
		return fmt.Sprintf("operation %d", int(k))
	}
	return opNames[k]
}

// Op is one call of Dial, of a listener's Accept, or of a connection's Read,
// Write, CloseWrite or Close.
type Op struct {
	Kind   OpKind
	Local  string // "host:port" of the caller; OpDial: the host alone
	Remote string // of the far end; OpAccept: empty
	N      int64  // number of this operation in the network, from 1
}

// Hook has f called before each operation, on the goroutine that asks for it;
// nil ends that. An error that f returns is returned in place of the operation,
// wrapped in a *net.OpError. It also breaks the connection of a Read, Write or
// CloseWrite as Cut does; a Close is done nevertheless. f is called when the
// operation is, not when it can be done, perhaps by several goroutines at once,
// and without a lock: it may wait and may use the network.
//
// A test that fails the N-th operation, for each N until there are no more,
// has seen every way to break.
func (n *Network) Hook(f func(Op) error) {
	n.lock()
	defer n.mu.Unlock()
	n.hook = f
}

// ask counts an operation and asks the hook.
func (n *Network) ask(kind OpKind, local, remote addr) error {
	n.lock()
	n.ops++
	op := Op{Kind: kind, Local: string(local), Remote: string(remote), N: n.ops}
	f := n.hook
	n.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(op)
}
