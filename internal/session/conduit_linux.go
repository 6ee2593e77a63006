package session

import (
	"net"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringwire/ringwire/internal/park"
)

// newConduit does the system calls of tcp and ipc connections itself, so that
// a sender can write without waiting and a receiver can look again before it
// sleeps. Everything goes through RawConn, which makes closing safe.
func newConduit(conn net.Conn) conduit {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		raw, err := conn.(syscall.Conn).SyscallConn()
		if err != nil {
			break
		}
		c := &rawConduit{conn: conn, raw: raw}
		c.reader, c.writer = c.readReady, c.writeReady
		return c
	}
	c := newNetConduit(conn)
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		if inner, ok := newConduit(outer.NetConn()).(*rawConduit); ok {
			c.below = inner
		}
	}
	return c
}

// yieldEvery is how many looks there are between two turns: a turn may wake
// another processor, which then looks for work, and looking enters the kernel
// anyway.
const yieldEvery = 16

// ioTurns is how many turns of a spin one look at the kernel costs.
const ioTurns = 4

// bulk is how many bytes of small messages a read must bring for the next wait to
// sleep at once: it is not the wait for an answer, and what comes later comes in
// one piece. Large messages come in pieces, which are better taken at once.
const bulk = 16 << 10

// bulkReads is how many smaller reads may follow such a one: the kernel passes
// on the end of a batch by itself.
const bulkReads = 3

// maxPieces bounds the vector of one writev.
const maxPieces = 64

// rawConduit makes the system calls on the descriptor. The functions that
// RawConn calls are made once, and their arguments and results are fields, so
// that a call allocates nothing.
type rawConduit struct {
	conn net.Conn
	raw  syscall.RawConn

	// Owned by the holder of the read token.
	reader func(fd uintptr) bool
	to     sink
	turns  int // looks left before sleeping
	wait   bool
	spun   bool
	got    int
	stream int // reads for which bulk holds
	rerr   error

	// Owned by the holder of the write token.
	writer  func(fd uintptr) bool
	one     []byte
	pieces  [][]byte
	vec     []unix.Iovec // of maxPieces, made when first needed
	block   bool
	written int
	werr    error
}

func (c *rawConduit) read(to sink, spin *park.Spin, block bool) (int, error) {
	c.to, c.wait, c.spun = to, block, false
	c.turns = 0
	switch {
	case to.Large():
	case c.got >= bulk:
		c.stream = bulkReads
	case c.stream > 0:
		c.stream--
	}
	if spin != nil && c.stream == 0 {
		c.turns = spin.Budget() / ioTurns
	}
	c.got, c.rerr = 0, nil
	budget := c.turns
	err := c.raw.Read(c.reader)
	if err == nil {
		err = c.rerr
	}
	if c.spun {
		if c.turns > 0 && budget > 0 {
			spin.Hit()
		} else {
			spin.Miss()
		}
	}
	return c.got, err
}

// readReady is called by RawConn until it returns true; between two calls it
// waits until the descriptor is readable.
func (c *rawConduit) readReady(fd uintptr) bool {
	for {
		p := c.to.Space()
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch errno {
		case 0:
			c.got = int(n)
			c.to.Filled(c.got)
			return true
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			c.rerr = os.NewSyscallError("read", errno)
			return true
		}
		if !c.wait {
			c.rerr = errWouldWait
			return true
		}
		if c.turns == 0 {
			c.to.Idle() // while nothing comes, no buffer is held
			return false
		}
		c.spun = true
		if c.turns--; c.turns%yieldEvery == 0 && c.turns > 0 {
			park.Turn()
		}
	}
}

func (c *rawConduit) recall()      { c.conn.SetReadDeadline(past) }
func (c *rawConduit) clearRecall() { c.conn.SetReadDeadline(time.Time{}) }
func (c *rawConduit) inline() bool { return true }

func (c *rawConduit) writeOne(p []byte, block bool) (int, error) {
	c.one, c.block, c.written, c.werr = p, block, 0, nil
	err := c.raw.Write(c.writer)
	if err == nil {
		err = c.werr
	}
	c.one = nil
	return c.written, err
}

func (c *rawConduit) write(pieces [][]byte, block bool) (int, error) {
	if len(pieces) == 1 {
		return c.writeOne(pieces[0], block)
	}
	if len(pieces) > maxPieces {
		pieces = pieces[:maxPieces] // the caller comes back for the rest
	}
	if c.vec == nil {
		c.vec = make([]unix.Iovec, maxPieces)
	}
	c.pieces, c.block, c.written, c.werr = pieces, block, 0, nil
	err := c.raw.Write(c.writer)
	if err == nil {
		err = c.werr
	}
	c.pieces = nil
	clear(c.vec[:len(pieces)])
	return c.written, err
}

// writeReady is called by RawConn until it returns true; between two calls it
// waits until the descriptor is writable.
func (c *rawConduit) writeReady(fd uintptr) bool {
	for {
		var n uintptr
		var errno syscall.Errno
		if c.pieces == nil {
			if c.written == len(c.one) {
				return true
			}
			p := c.one[c.written:]
			n, _, errno = syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		} else {
			k := c.vector()
			if k == 0 {
				return true
			}
			n, _, errno = syscall.RawSyscall(unix.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&c.vec[0])), uintptr(k))
		}
		switch errno {
		case 0:
			c.written += int(n)
		case syscall.EINTR:
		case syscall.EAGAIN:
			if c.block {
				return false
			}
			c.werr = errWouldWait
			return true
		default:
			c.werr = os.NewSyscallError("write", errno)
			return true
		}
	}
}

// vector describes what is left of pieces to the kernel.
func (c *rawConduit) vector() int {
	skip, k := c.written, 0
	for _, p := range c.pieces {
		if skip >= len(p) {
			skip -= len(p)
			continue
		}
		c.vec[k].Base = &p[skip]
		c.vec[k].SetLen(len(p) - skip)
		skip = 0
		k++
	}
	return k
}

func (c *rawConduit) unread() bool  { return c.queued(unix.SIOCINQ) }
func (c *rawConduit) untaken() bool { return c.queued(unix.SIOCOUTQ) }

// queued reports whether a queue of the kernel's is not empty: SIOCOUTQ is what the
// peer's TCP has not acknowledged or, of a Unix socket, what the peer has not read.
func (c *rawConduit) queued(which uint) bool {
	n := 0
	c.raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), which) })
	return n > 0
}

func (c *rawConduit) ended() bool {
	var fds [1]unix.PollFd
	c.raw.Control(func(fd uintptr) {
		fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLRDHUP}
		unix.Poll(fds[:], 0)
	})
	return fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}

// answers looks at what TCP knows. A peer that does not read closes its window,
// and its kernel goes on to answer the probes of ours: its silence is no death.
// Two probes without an answer are, and so are bytes that nobody acknowledges.
// A connection between two processes of one system ends by itself.
func (c *rawConduit) answers() (alive, known bool) {
	if _, ok := c.conn.(*net.TCPConn); !ok {
		return true, true
	}
	var info *unix.TCPInfo
	var err error
	c.raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if err != nil || info == nil {
		return false, false
	}
	return info.Probes < 2 && info.Retransmits < 2, true
}

func (c *rawConduit) progress() uint64 { return 0 }

func (c *rawConduit) closeWrite() error { return closeWrite(c.conn) }
func (c *rawConduit) close()            { c.conn.Close() }
