package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// wireSubscriber is a SUB written by hand that announces an identity. Neither
// Ringwire's nor libzmq's do, but others' may.
type wireSubscriber struct {
	conn net.Conn
	in   *bufio.Reader
}

// startWireSubscriber connects, and subscribes to everything.
func startWireSubscriber(t *testing.T, endpoint string, properties ...string) *wireSubscriber {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(128 << 10); err != nil {
		t.Fatal(err)
	}
	greeting := make([]byte, 64)
	greeting[0], greeting[9], greeting[10] = 0xff, 0x7f, 3
	copy(greeting[12:], "NULL")
	ready := []byte("\x05READY")
	for i := 0; i+1 < len(properties); i += 2 {
		ready = append(append(ready, byte(len(properties[i]))), properties[i]...)
		ready = append(binary.BigEndian.AppendUint32(ready, uint32(len(properties[i+1]))), properties[i+1]...)
	}
	out := append(greeting, 4, byte(len(ready)))
	out = append(append(out, ready...), 0, 1, 1) // and a message of one byte, which subscribes
	if _, err := conn.Write(out); err != nil {
		t.Fatal(err)
	}
	s := &wireSubscriber{conn: conn, in: bufio.NewReader(conn)}
	conn.SetReadDeadline(time.Now().Add(guardTime))
	defer conn.SetReadDeadline(time.Time{})
	if _, err := io.ReadFull(s.in, greeting); err != nil {
		t.Fatal(err)
	}
	if flags, body, err := s.frame(); err != nil || flags != 4 || !strings.HasPrefix(string(body), "\x05READY") {
		t.Fatalf("got frame %#x %q, %v, want READY", flags, body, err)
	}
	return s
}

// frame reads one.
func (s *wireSubscriber) frame() (flags byte, body []byte, err error) {
	const long = 2
	flags, err = s.in.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	size := make([]byte, 8)
	if flags&long != 0 {
		_, err = io.ReadFull(s.in, size)
	} else {
		_, err = io.ReadFull(s.in, size[7:])
	}
	n := binary.BigEndian.Uint64(size)
	if err != nil || n > 1<<20 {
		return flags, nil, fmt.Errorf("a frame of %d bytes, %w", n, err)
	}
	body = make([]byte, n)
	_, err = io.ReadFull(s.in, body)
	return flags, body, err
}

// message reads the next message of one frame, within the guard time.
func (s *wireSubscriber) message() ([]byte, error) {
	s.conn.SetReadDeadline(time.Now().Add(guardTime))
	flags, body, err := s.frame()
	if err == nil && flags&^2 != 0 {
		err = fmt.Errorf("got a frame with flags %#x, want a message of one", flags)
	}
	return body, err
}
