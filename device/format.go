package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"

	"github.com/ringwire/ringwire"
)

// The record format; FORMAT.md has it byte by byte.
const (
	segmentMagic  = "\x89RWREC\r\n"
	segmentHeader = 32
	formatVersion = 1
	recordHeader  = 8  // length and checksum
	recordFixed   = 14 // time, length of the label, number of frames
	maxRecord     = math.MaxInt32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Entry is one recorded message. It belongs to whoever got it.
type Entry struct {
	Time    time.Time
	Label   string // the endpoint that it came by, or what the recorder was told
	Frames  [][]byte
	Segment string // the file that it is in
	Offset  int64  // and where it begins there
}

var (
	// ErrTruncated is the cause of a SegmentError when a segment ends inside a
	// record: a crash, or a recorder that is writing it.
	ErrTruncated = errors.New("ringwire: recording is truncated")
	// ErrCorrupt is the cause of a SegmentError when a segment has something that
	// no recorder writes.
	ErrCorrupt = errors.New("ringwire: recording is corrupt")
)

// SegmentError says what is wrong with a segment of a recording. Records before
// Offset are whole.
type SegmentError struct {
	Segment string // the file
	Offset  int64  // where the first record begins that is not whole
	Lost    int64  // bytes from there to the end
	Err     error  // wraps ErrTruncated or ErrCorrupt
}

func (e *SegmentError) Error() string {
	return fmt.Sprintf("segment %s, at byte %d (%d bytes lost): %v", e.Segment, e.Offset, e.Lost, e.Err)
}

func (e *SegmentError) Unwrap() error { return e.Err }

func corrupt(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrCorrupt)...)
}

// appendSegmentHeader begins a segment.
func appendSegmentHeader(b []byte, number uint64, begun time.Time) []byte {
	at := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint16(b, formatVersion)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint64(b, number)
	b = binary.LittleEndian.AppendUint64(b, uint64(begun.UnixNano()))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}

// appendRecord encodes one message. On an error b is returned as it was.
func appendRecord(b []byte, at time.Time, label string, m *ringwire.Message) ([]byte, error) {
	s := sizeOf(m)
	length := recordFixed + int64(len(label)) + 4*s.frames + s.bytes
	switch {
	case s.frames == 0:
		return b, errors.New("message has no frames, want at least one")
	case len(label) > math.MaxUint16:
		return b, fmt.Errorf("label has %d bytes, limit %d: %w", len(label), math.MaxUint16, ringwire.ErrTooLarge)
	case length > maxRecord:
		return b, fmt.Errorf("record has %d bytes, limit %d: %w", length, maxRecord, ringwire.ErrTooLarge)
	}
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(length))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(at.UnixNano()))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(label)))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.frames))
	b = append(b, label...)
	for i := range m.Len() {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(m.Frame(i))))
	}
	for i := range m.Len() {
		b = append(b, m.Frame(i)...)
	}
	binary.LittleEndian.PutUint32(b[start+4:], recordSum(b[start:start+4], b[start+recordHeader:]))
	return b, nil
}

func recordSum(length, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, body)
}

// segmentReader reads one segment, and allocates no more than a small multiple of
// what it has read.
type segmentReader struct {
	r      io.Reader
	offset int64 // where the next record begins
	begun  bool
}

// next returns the next record, io.EOF behind the last, or what is wrong.
func (s *segmentReader) next() (*Entry, error) {
	if !s.begun {
		if err := s.header(); err != nil {
			return nil, err
		}
		s.begun = true
	}
	var head [recordHeader]byte
	if n, err := io.ReadFull(s.r, head[:]); err == io.EOF {
		return nil, io.EOF
	} else if err != nil {
		return nil, short(err, int64(n), recordHeader)
	}
	length := binary.LittleEndian.Uint32(head[:])
	if length < recordFixed+4 || length > maxRecord {
		return nil, corrupt("record length is %d, want %d to %d", length, recordFixed+4, maxRecord)
	}
	body, err := readGrowing(s.r, int(length))
	if err != nil {
		return nil, err
	}
	if got, want := recordSum(head[:4], body), binary.LittleEndian.Uint32(head[4:]); got != want {
		return nil, corrupt("record checksum is %08x, want %08x", got, want)
	}
	e, err := parseRecord(body)
	if err != nil {
		return nil, err
	}
	e.Offset = s.offset
	s.offset += recordHeader + int64(length)
	return e, nil
}

func (s *segmentReader) header() error {
	var h [segmentHeader]byte
	if n, err := io.ReadFull(s.r, h[:]); err != nil {
		return short(err, int64(n), segmentHeader)
	}
	switch {
	case string(h[:len(segmentMagic)]) != segmentMagic:
		return corrupt("segment begins with % x, want % x", h[:len(segmentMagic)], segmentMagic)
	case binary.LittleEndian.Uint32(h[28:]) != crc32.Checksum(h[:28], castagnoli):
		return corrupt("checksum of the segment's beginning is %08x, want %08x", crc32.Checksum(h[:28], castagnoli), binary.LittleEndian.Uint32(h[28:]))
	case binary.LittleEndian.Uint16(h[8:]) != formatVersion:
		return corrupt("segment has version %d, want %d", binary.LittleEndian.Uint16(h[8:]), formatVersion)
	case binary.LittleEndian.Uint16(h[10:]) != 0:
		return corrupt("segment has flags %x, want 0", binary.LittleEndian.Uint16(h[10:]))
	}
	s.offset = segmentHeader
	return nil
}

// short is the error of a read that ended early.
func short(err error, got, want int64) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%d of %d bytes are there: %w", got, want, ErrTruncated)
	}
	return err
}

// readGrowing reads n bytes into memory that grows with what arrives.
func readGrowing(r io.Reader, n int) ([]byte, error) {
	const step = 64 << 10
	buf := make([]byte, 0, min(n, step))
	for len(buf) < n {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(n, 2*cap(buf)))
			copy(grown, buf)
			buf = grown
		}
		k, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+k]
		if err != nil {
			return nil, short(err, int64(len(buf)), int64(n))
		}
	}
	return buf, nil
}

// parseRecord reads what the checksum covers. The frames are parts of body.
func parseRecord(body []byte) (*Entry, error) {
	labelLength := int(binary.LittleEndian.Uint16(body[8:]))
	frames := int64(binary.LittleEndian.Uint32(body[10:]))
	rest := body[recordFixed:]
	if frames == 0 {
		return nil, corrupt("record has no frames, want at least one")
	}
	if need := int64(labelLength) + 4*frames; need > int64(len(rest)) {
		return nil, corrupt("label and %d frame lengths need %d bytes, there are %d", frames, need, len(rest))
	}
	e := &Entry{
		Time:   time.Unix(0, int64(binary.LittleEndian.Uint64(body))),
		Label:  string(rest[:labelLength]),
		Frames: make([][]byte, frames),
	}
	lengths, data := rest[labelLength:], rest[labelLength+4*int(frames):]
	for i := range e.Frames {
		n := int64(binary.LittleEndian.Uint32(lengths[4*i:]))
		if n > int64(len(data)) {
			return nil, corrupt("frame %d has %d bytes, there are %d", i, n, len(data))
		}
		e.Frames[i], data = data[:n:n], data[n:]
	}
	if len(data) > 0 {
		return nil, corrupt("%d bytes are behind the last frame, want none", len(data))
	}
	return e, nil
}
