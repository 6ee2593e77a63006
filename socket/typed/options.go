package typed

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Defaults of Options, where zero stands for them.
const (
	DefaultWorkers = 64
	DefaultQueue   = 1000
)

// Options configure a typed socket. nil and the zero value are the defaults; New
// functions copy what they are given.
type Options struct {
	// Codec turns values into bytes and back. Both sides need the same. nil: Msgpack{}.
	Codec Codec
	// Socket configures the sockets underneath. nil: its defaults.
	//
	// Its Metadata get X-Type and X-Codec, the names of the Go types and of the
	// codec, for the error messages of peers; what they already have under these
	// names stays. Conflate is refused where a message has several frames, which is
	// everywhere but in Push and Pull. A Client sets Immediate.
	Socket *socket.Options

	// Workers is how many handlers of a Server run at once. 0: 64, -1: no limit.
	Workers int
	// Queue is how many requests a Server keeps while all workers are busy; those
	// beyond are answered with CodeBusy, and so are those that would make more bytes
	// wait than Socket.RecvHWMBytes. 0: 1000, -1: none.
	Queue int
}

// port is the socket underneath, and what all typed sockets can do with it.
type port struct {
	s     *socket.Socket
	codec Codec
}

// prepare checks and copies options and gives them their defaults.
func (o *Options) prepare(types string) (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Codec == nil {
		c.Codec = Msgpack{}
	}
	var s socket.Options
	if c.Socket != nil {
		s = *c.Socket
	}
	c.Socket = &s
	switch {
	case c.Workers < -1:
		return c, fmt.Errorf("typed: Workers is %d, want -1 (no limit), 0 (%d) or more", c.Workers, DefaultWorkers)
	case c.Queue < -1:
		return c, fmt.Errorf("typed: Queue is %d, want -1 (none), 0 (%d) or more", c.Queue, DefaultQueue)
	}
	if c.Workers == 0 {
		c.Workers = DefaultWorkers
	}
	switch c.Queue {
	case 0:
		c.Queue = DefaultQueue
	case -1:
		c.Queue = 0
	}
	metadata := map[string]string{"X-Type": types, "X-Codec": c.Codec.Name()}
	maps.Copy(metadata, s.Metadata)
	s.Metadata = metadata
	return c, nil
}

func newPort(spec *pattern.Spec, opts *Options, types string) (*port, error) {
	o, err := opts.prepare(types)
	if err != nil {
		return nil, err
	}
	return openPort(spec, &o)
}

// openPort makes the socket of options that are prepared.
func openPort(spec *pattern.Spec, o *Options) (*port, error) {
	if o.Socket.Conflate && spec != pattern.Push && spec != pattern.Pull {
		return nil, fmt.Errorf("typed: Socket.Conflate is for messages of one frame, a typed %s has more", spec.Name())
	}
	s, err := socket.New(spec, o.Socket)
	if err != nil {
		return nil, err
	}
	return &port{s: s, codec: o.Codec}, nil
}

// nameOf is how a type is called in errors and metadata, cut to what a handshake has
// room for.
func nameOf[T any]() string {
	name := reflect.TypeFor[T]().String()
	return name[:min(len(name), 200)]
}

func logger(o *Options) *slog.Logger {
	if o.Socket.Logger != nil {
		return o.Socket.Logger
	}
	return slog.Default()
}

// Bind makes the socket accept connections, as [socket.Socket.Bind] does.
func (p *port) Bind(endpoint string) (bound string, err error) { return p.s.Bind(endpoint) }

// Connect makes the socket connect, now and whenever the connection is lost, as
// [socket.Socket.Connect] does.
func (p *port) Connect(endpoint string) error { return p.s.Connect(endpoint) }

// WaitPeers waits until at least n peers are ready.
func (p *port) WaitPeers(ctx context.Context, n int) error { return p.s.WaitPeers(ctx, n) }

// Socket is the socket underneath, for all that has nothing to do with types: Stats,
// Peers, Events, Flush, Unbind and others. What is sent and received there is bytes.
func (p *port) Socket() *socket.Socket { return p.s }

// Close closes the socket, delivering for at most its Linger what was sent.
func (p *port) Close() error { return p.s.Close() }

// Shutdown closes the socket, delivering what was sent for as long as ctx allows.
func (p *port) Shutdown(ctx context.Context) error { return p.s.Shutdown(ctx) }
