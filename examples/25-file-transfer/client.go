package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// Config is how a file is fetched. The zero value of every field is the default.
type Config struct {
	Chunk   int           // bytes. 0: 256 KiB
	Window  int           // chunks under way, the credit. 0: 8
	Timeout time.Duration // without the next chunk, after which it is asked for again. 0: 5 s
	Socket  socket.Options
}

// transfer is what happened.
type transfer struct {
	bytes    int64
	chunks   int
	underWay int64 // at most: bytes that were asked for and not written
	again    int   // how often the time was over
}

// fetch writes a file of a server to w, in order. It goes on, whatever happens to the
// connection, until ctx ends.
func fetch(ctx context.Context, endpoint, name string, w io.Writer, config Config) (t transfer, err error) {
	if config.Chunk == 0 {
		config.Chunk = 256 << 10
	}
	if config.Window == 0 {
		config.Window = 8
	}
	if config.Timeout == 0 {
		config.Timeout = 5 * time.Second
	}
	config.Socket.NoLinger = true  // what is still asked for in the end is not wanted
	config.Socket.Immediate = true // without a connection, asking waits for one
	s, err := socket.New(pattern.Dealer, &config.Socket)
	if err != nil {
		return t, err
	}
	defer s.Close()
	if err := s.Connect(endpoint); err != nil {
		return t, err
	}

	chunk := int64(config.Chunk)
	asked := int64(0) // up to here it was asked for; up to t.bytes it was written
	for {
		for asked < t.bytes+int64(config.Window)*chunk {
			if err := ask(ctx, s, name, asked, config.Chunk); err != nil {
				return t, fmt.Errorf("fetch %s: %w", name, err)
			}
			asked += chunk
		}
		t.underWay = max(t.underWay, asked-t.bytes)

		m, err := next(ctx, s, t.bytes, config.Timeout)
		switch {
		case err == nil:
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			asked = t.bytes // all that is under way counts as lost
			t.again++
			continue
		default:
			return t, fmt.Errorf("fetch %s: %w", name, err)
		}
		n, err := w.Write(m.Frame(2))
		m.Release() // its memory is that of the next chunk
		t.bytes += int64(n)
		if err != nil {
			return t, fmt.Errorf("fetch %s: %w", name, err)
		}
		t.chunks++
		if n < config.Chunk {
			return t, nil
		}
	}
}

func ask(ctx context.Context, s *socket.Socket, name string, offset int64, length int) error {
	return s.Send(ctx, []byte("GET"), []byte(name),
		binary.BigEndian.AppendUint64(nil, uint64(offset)), binary.BigEndian.AppendUint32(nil, uint32(length)))
}

// next returns the chunk at an offset. Others come twice, or after one that was lost.
func next(ctx context.Context, s *socket.Socket, offset int64, timeout time.Duration) (*ringwire.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		m, err := s.Recv(ctx)
		if err != nil {
			return nil, err
		}
		if m.Len() != 3 || len(m.Frame(1)) != 8 {
			return nil, fmt.Errorf("got %s, want a status, 8 bytes and data", m)
		}
		switch {
		case int64(binary.BigEndian.Uint64(m.Frame(1))) != offset:
			m.Release()
		case string(m.Frame(0)) == "OK":
			return m, nil
		default:
			return nil, fmt.Errorf("the server says %q", m.Frame(2))
		}
	}
}
