package zmtp

import (
	"encoding/binary"
	"fmt"

	"github.com/ringwire/ringwire"
)

// The flags of a frame.
const (
	FlagMore    byte = 0x01 // another frame of the same message follows
	FlagLong    byte = 0x02 // the size has 8 bytes, not 1
	FlagCommand byte = 0x04 // the body is a command, not a part of a message

	flagsKnown = FlagMore | FlagLong | FlagCommand
)

const (
	shortHeader = 2
	longHeader  = 9
	maxShort    = 255
	maxSize     = 1<<63 - 1
)

// Header is a parsed frame header.
type Header struct {
	Flags byte   // FlagMore, FlagLong and FlagCommand as they were sent
	Size  uint64 // declared bytes of body, at most 2^63-1: compare with a limit before converting to int
	Len   int    // bytes of the header itself: 2 or 9
}

// ParseHeader reads a frame header from the front of b. ok is false with a
// nil error while bytes are missing.
//
// The reserved bits 3 to 7 are cleared, not refused: libzmq ignores them on
// input, and a later minor version may give them a meaning. They are still
// set in b, so whoever sends received bytes on must clear them there. The
// long form of a small size is accepted, as RFC 37 asks of receivers. MORE on
// a command, and a size beyond 2^63-1, wrap ringwire.ErrProtocol. The
// caller's own limit on the size is the caller's to check.
func ParseHeader(b []byte) (h Header, ok bool, err error) {
	if len(b) == 0 {
		return Header{}, false, nil
	}
	flags := b[0] & flagsKnown
	if flags&(FlagMore|FlagCommand) == FlagMore|FlagCommand {
		return Header{}, false, errMoreCommand(b[0])
	}
	if flags&FlagLong == 0 {
		if len(b) < shortHeader {
			return Header{}, false, nil
		}
		return Header{Flags: flags, Size: uint64(b[1]), Len: shortHeader}, true, nil
	}
	if len(b) < longHeader {
		return Header{}, false, nil
	}
	size := binary.BigEndian.Uint64(b[1:longHeader])
	if size > maxSize {
		return Header{}, false, errFrameSize(size)
	}
	return Header{Flags: flags, Size: size, Len: longHeader}, true, nil
}

func errMoreCommand(flags byte) error {
	return fmt.Errorf("frame flags 0x%02x are a command with MORE, want a command alone: %w",
		flags, ringwire.ErrProtocol)
}

func errFrameSize(size uint64) error {
	return fmt.Errorf("frame size %d, want at most %d: %w",
		size, uint64(maxSize), ringwire.ErrProtocol)
}

// HeaderLen is the length of the header that AppendHeader writes for a body
// of n bytes.
func HeaderLen(n int) int {
	if n > maxShort {
		return longHeader
	}
	return shortHeader
}

// AppendHeader appends the header of a frame with n bytes of body. Of flags,
// FlagMore and FlagCommand count (never both); the form of the size follows
// from n alone.
func AppendHeader(dst []byte, flags byte, n int) []byte {
	flags &= FlagMore | FlagCommand
	if n > maxShort {
		return binary.BigEndian.AppendUint64(append(dst, flags|FlagLong), uint64(n))
	}
	return append(dst, flags, byte(n))
}
