// Package mdp is the Majordomo Protocol, version 0.1 (ZeroMQ RFC 7): clients ask for
// a service by its name, workers offer one, a broker between them finds the worker,
// and asks another one when a worker goes without having answered.
//
// A request may therefore be worked on twice: workers must be idempotent.
//
// Clients use a REQ, which adds and removes the empty frame 0; workers use a DEALER;
// the broker is one ROUTER, which also has the sender's identity in front of what is
// shown here. In frames, with "" for an empty one:
//
//	client REQUEST     "" "MDPC01" service body...
//	client REPLY       "" "MDPC01" service body...
//	worker READY       "" "MDPW01" 0x01 service
//	worker REQUEST     "" "MDPW01" 0x02 client "" body...
//	worker REPLY       "" "MDPW01" 0x03 client "" body...
//	worker HEARTBEAT   "" "MDPW01" 0x04
//	worker DISCONNECT  "" "MDPW01" 0x05
//
// Every command of a worker counts as a heartbeat. Whoever is silent for Liveness
// intervals is taken for dead: a worker then begins anew with READY on a new socket,
// the broker gives the worker's request to another one. A worker that the broker
// does not know, as after a restart, is told DISCONNECT and begins anew, too.
//
// Services that begin with "mmi." are the broker's own (RFC 8): "mmi.service"
// answers "200" or "404" to the name of a service; any other answers "501".
package mdp

import (
	"context"
	"io"
	"log"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

const (
	clientHeader = "MDPC01"
	workerHeader = "MDPW01"

	ready      = "\x01"
	request    = "\x02"
	reply      = "\x03"
	heartbeat  = "\x04"
	disconnect = "\x05"
)

// Config is what clients, workers and brokers can be told. The zero value of every
// field is the documented default. Heartbeat and Liveness must be about the same for
// a broker and its workers.
type Config struct {
	// Heartbeat is how often brokers and workers give a sign of life. 0: 2.5 s.
	Heartbeat time.Duration
	// Liveness is how many such intervals of silence make a peer dead. 0: 3.
	Liveness int
	// Expiry is how long the broker keeps a request that no worker answers. 0: 30 s.
	Expiry time.Duration
	// Timeout is how long a client waits for a reply before it asks again. 0: 2.5 s.
	Timeout time.Duration
	// Tries is how often a client asks. 0: 3.
	Tries int
	// Socket configures the sockets: transports, limits, logging of connections.
	Socket socket.Options
	// Log is told what a reader should notice. nil: nothing.
	Log *log.Logger
}

func (c Config) withDefaults() Config {
	if c.Heartbeat == 0 {
		c.Heartbeat = 2500 * time.Millisecond
	}
	if c.Liveness == 0 {
		c.Liveness = 3
	}
	if c.Expiry == 0 {
		c.Expiry = 30 * time.Second
	}
	if c.Timeout == 0 {
		c.Timeout = 2500 * time.Millisecond
	}
	if c.Tries == 0 {
		c.Tries = 3
	}
	if c.Log == nil {
		c.Log = log.New(io.Discard, "", 0)
	}
	return c
}

// patience is the silence that makes a peer dead.
func (c Config) patience() time.Duration { return time.Duration(c.Liveness) * c.Heartbeat }

// inbox hands on what s receives, so that a select can wait for it next to timers. A
// message is taken from the socket when the one before it has been taken from here.
func inbox(ctx context.Context, wg *sync.WaitGroup, s *socket.Socket) <-chan [][]byte {
	messages := make(chan [][]byte)
	wg.Go(func() {
		for m, err := range s.Messages(ctx) {
			if err != nil {
				return
			}
			select {
			case messages <- frames(m):
			case <-ctx.Done():
				return
			}
		}
	})
	return messages
}

// frames are the frames of a message, which is not released and so stays theirs.
func frames(m *ringwire.Message) [][]byte {
	list := make([][]byte, m.Len())
	for i := range list {
		list[i] = m.Frame(i)
	}
	return list
}

// command puts frames in front of a body.
func command(body [][]byte, front ...string) [][]byte {
	list := make([][]byte, 0, len(front)+len(body))
	for _, frame := range front {
		list = append(list, []byte(frame))
	}
	return append(list, body...)
}
