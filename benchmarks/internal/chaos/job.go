package chaos

import (
	"context"
	"net"
	"time"

	"github.com/ringwire/ringwire/socket"
)

// Job is what a worker process does: one side of a pattern.
type Job struct {
	Library  string
	Pattern  Pattern
	Sends    bool
	Bind     bool
	Endpoint string
	Hops     int // forwarders on the way
	Lane     uint32
	Sockets  int // each with a lane of its own, from Lane on
	Log      string
	Load     Load
	Settings Settings
}

// Settings are the options of a real run, equal for all libraries as far as they
// have them.
type Settings struct {
	SendHWM, RecvHWM                    int
	ReconnectMin, ReconnectMax          time.Duration
	HeartbeatInterval, HeartbeatTimeout time.Duration
	MaxMessageSize                      int64
	SendBudget, RecvBudget              int64
	Identity                            string
	Resolver                            string // address of a name server

	Keys       string   // directory of certificates for CURVE; empty: NULL
	ServerKeys []string // names in it: all are the server's, a client knows the first
}

func (s *Settings) options() *socket.Options {
	o := &socket.Options{
		SendHWM: s.SendHWM, RecvHWM: s.RecvHWM, ReconnectMin: s.ReconnectMin, ReconnectMax: s.ReconnectMax,
		HeartbeatInterval: s.HeartbeatInterval, HeartbeatTimeout: s.HeartbeatTimeout,
		MaxMessageSize: s.MaxMessageSize, SendBudget: s.SendBudget, RecvBudget: s.RecvBudget,
		ConnectTimeout: time.Second,
	}
	if s.Identity != "" {
		o.Identity = []byte(s.Identity)
	}
	if s.Resolver != "" {
		o.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "udp", s.Resolver)
		}}
	}
	return o
}

// Say is what a worker answers to a line that it reads.
type Say struct {
	Error    string        `json:"error,omitempty"`
	Endpoint string        `json:"endpoint,omitempty"` // at first
	Received int64         `json:"received"`           // of "look"
	Final    *Final        `json:"final,omitempty"`    // of "close"
	Stats    *socket.Stats `json:"stats,omitempty"`    // of "look"
}

// Final is what a worker knows in the end.
type Final struct {
	Stats       *socket.Stats `json:"stats,omitempty"` // of all its sockets together
	Fullest     *float64      `json:"fullest,omitempty"`
	Over        string        `json:"over,omitempty"`
	Goroutines  *int64        `json:"goroutines,omitempty"`
	Descriptors *int64        `json:"descriptors,omitempty"`
	HeapPeak    *int64        `json:"heap_peak,omitempty"`
	Broken      []string      `json:"broken,omitempty"`
}

// clock is the time that the processes of a run have in common.
func clock() int64 { return time.Now().UnixNano() }
