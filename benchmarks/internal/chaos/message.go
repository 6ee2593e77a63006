package chaos

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ID names one message.
type ID struct {
	Lane uint32 // of one sending goroutine: its messages are in order
	Seq  uint64 // from 1
	Sent int64  // when it was made, in nanoseconds of the run's clock
	By   uint32 // 0, or it is the answer to the message of this lane and number, by this station
}

// Topic is what the first frame of every message begins with.
const Topic = "RWC1"

// Each frame is a header, a body that follows from it, and a checksum:
//
//	4 topic, 4 lane, 8 number, 8 time, 4 by, 2 frame, 2 frames, 4 body
const (
	headerSize = 36
	sumSize    = 4
	// Smallest is the size of a message of one frame without a body.
	Smallest = headerSize + sumSize
)

// Make returns the frames of a message; bodies are the sizes of what follows the
// headers.
func Make(id ID, bodies []int) [][]byte {
	frames := make([][]byte, len(bodies))
	for i, body := range bodies {
		f := make([]byte, headerSize+body+sumSize)
		copy(f, Topic)
		binary.LittleEndian.PutUint32(f[4:], id.Lane)
		binary.LittleEndian.PutUint64(f[8:], id.Seq)
		binary.LittleEndian.PutUint64(f[16:], uint64(id.Sent))
		binary.LittleEndian.PutUint32(f[24:], id.By)
		binary.LittleEndian.PutUint16(f[28:], uint16(i))
		binary.LittleEndian.PutUint16(f[30:], uint16(len(bodies)))
		binary.LittleEndian.PutUint32(f[32:], uint32(body))
		fill(f[headerSize:headerSize+body], id, i)
		binary.LittleEndian.PutUint32(f[headerSize+body:], crc32.ChecksumIEEE(f[:headerSize+body]))
		frames[i] = f
	}
	return frames
}

// fill writes bytes that are different in each frame, cheaply.
func fill(body []byte, id ID, frame int) {
	x := uint64(id.Lane)<<40 ^ id.Seq<<8 ^ uint64(frame) ^ 0x9e3779b97f4a7c15
	for len(body) >= 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		binary.LittleEndian.PutUint64(body, x)
		body = body[8:]
	}
	for i := range body {
		body[i] = byte(x >> (8 * i))
	}
}

// ErrTorn is wrapped by the errors of Read.
var ErrTorn = errors.New("torn message")

// Read checks the frames of a message and returns its name.
func Read(frames [][]byte) (ID, error) {
	if len(frames) == 0 {
		return ID{}, fmt.Errorf("%w: no frames", ErrTorn)
	}
	var id ID
	for i, f := range frames {
		if len(f) < Smallest || string(f[:4]) != Topic {
			return ID{}, fmt.Errorf("%w: frame %d of %d is no frame of ours: %d bytes", ErrTorn, i, len(frames), len(f))
		}
		body := len(f) - sumSize
		if got, want := crc32.ChecksumIEEE(f[:body]), binary.LittleEndian.Uint32(f[body:]); got != want {
			return ID{}, fmt.Errorf("%w: frame %d has checksum %08x, want %08x", ErrTorn, i, got, want)
		}
		this := ID{
			Lane: binary.LittleEndian.Uint32(f[4:]), Seq: binary.LittleEndian.Uint64(f[8:]),
			Sent: int64(binary.LittleEndian.Uint64(f[16:])), By: binary.LittleEndian.Uint32(f[24:]),
		}
		index, count := binary.LittleEndian.Uint16(f[28:]), binary.LittleEndian.Uint16(f[30:])
		if i == 0 {
			id = this
		}
		if this != id || int(index) != i || int(count) != len(frames) || int(binary.LittleEndian.Uint32(f[32:])) != body-headerSize {
			return ID{}, fmt.Errorf("%w: in place %d of %d is frame %d of %d of message %d of lane %d, which began as %d of %d",
				ErrTorn, i, len(frames), index, count, this.Seq, this.Lane, id.Seq, id.Lane)
		}
	}
	return id, nil
}
