package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
)

// maxChunk is the longest chunk that the server reads.
const maxChunk = 1 << 20

// source is a file that can be read anywhere.
type source interface {
	io.ReaderAt
	io.Closer
}

// listen returns the server's socket, and where it is.
func listen(endpoint string, options socket.Options) (s *socket.Socket, bound string, err error) {
	// A client that does not read what it has asked for, or is gone, must hold up
	// nobody: what it has no room for is dropped, and it can ask again.
	options.DropUnroutable = true
	if s, err = socket.New(pattern.Router, &options); err != nil {
		return nil, "", err
	}
	if bound, err = s.Bind(endpoint); err != nil {
		s.Close()
		return nil, "", err
	}
	return s, bound, nil
}

// serve answers requests, one after the other, until ctx ends.
func serve(ctx context.Context, s *socket.Socket, open func(name string) (source, error)) error {
	for m, err := range s.Messages(ctx) {
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
		if m.Len() != 5 || string(m.Frame(1)) != "GET" || len(m.Frame(3)) != 8 || len(m.Frame(4)) != 4 {
			m.Release()
			continue
		}
		status := "OK"
		data, err := read(open, string(m.Frame(2)), binary.BigEndian.Uint64(m.Frame(3)), binary.BigEndian.Uint32(m.Frame(4)))
		if err != nil {
			status, data = "ERROR", []byte(err.Error())
		}
		// SendMessage takes the chunk as it is, without a copy.
		answer := ringwire.NewMessage(append([]byte(nil), m.Frame(0)...), []byte(status), append([]byte(nil), m.Frame(3)...), data)
		m.Release()
		if err := s.SendMessage(ctx, answer); err != nil {
			return fmt.Errorf("server: %w", err)
		}
	}
	return nil
}

// read reads a chunk. A chunk beyond the end is empty.
func read(open func(name string) (source, error), name string, offset uint64, length uint32) ([]byte, error) {
	if length > maxChunk {
		return nil, fmt.Errorf("length %d: want at most %d", length, maxChunk)
	}
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, length)
	n, err := f.ReadAt(data, int64(offset))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}
