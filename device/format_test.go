package device

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
)

// sample is a segment with three records.
func sample(t testing.TB) (b []byte, ends []int) {
	t.Helper()
	b = appendSegmentHeader(nil, 7, time.Unix(0, 5))
	ends = append(ends, len(b))
	for _, frames := range [][]string{{"a", ""}, {""}, {"topic", strings.Repeat("x", 100), "z"}} {
		m := ringwire.NewMessage()
		for _, f := range frames {
			m.Append([]byte(f))
		}
		var err error
		if b, err = appendRecord(b, time.Unix(0, int64(len(ends))), "x", m); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(b))
	}
	return b, ends
}

// readAll reads a segment from memory.
func readAll(b []byte) (list []*Entry, offset int64, err error) {
	r := segmentReader{r: bytes.NewReader(b)}
	for {
		e, err := r.next()
		if err == io.EOF {
			return list, r.offset, nil
		}
		if err != nil {
			return list, r.offset, err
		}
		list = append(list, e)
	}
}

// TestFormatExample: FORMAT.md shows these bytes.
func TestFormatExample(t *testing.T) {
	doc, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "## Example")
	var shown strings.Builder
	for line := range strings.Lines(example) {
		if !strings.HasPrefix(line, "    ") {
			continue
		}
		digits, _, _ := strings.Cut(line, "|")
		shown.WriteString(strings.Join(strings.Fields(digits), ""))
	}
	b, ends := sample(t)
	if want := hex.EncodeToString(b[:ends[1]]); shown.String() != want {
		t.Errorf("FORMAT.md shows\n%s\nwant\n%s", shown.String(), want)
	}
}

// TestFormatTruncated cuts a segment at every byte: what is whole is read, and the
// rest is said to be missing.
func TestFormatTruncated(t *testing.T) {
	b, ends := sample(t)
	for n := range b {
		list, offset, err := readAll(b[:n])
		whole := 0
		for _, end := range ends[1:] {
			if n >= end {
				whole++
			}
		}
		if len(list) != whole {
			t.Errorf("cut at %d: got %d records, want %d", n, len(list), whole)
		}
		if slices.Contains(ends, n) {
			if err != nil || offset != int64(n) {
				t.Errorf("cut at %d, between records: got offset %d and %v, want no error", n, offset, err)
			}
			continue
		}
		if !errors.Is(err, ErrTruncated) {
			t.Errorf("cut at %d: got %v, want ErrTruncated", n, err)
		}
		if want := ends[whole]; n > segmentHeader && offset != int64(want) {
			t.Errorf("cut at %d: got offset %d, want %d", n, offset, want)
		}
	}
}

// TestFormatCorrupt changes every byte: nothing wrong is ever taken for a record.
func TestFormatCorrupt(t *testing.T) {
	b, ends := sample(t)
	good, _, err := readAll(b)
	if err != nil {
		t.Fatal(err)
	}
	for at := range b {
		bad := slices.Clone(b)
		bad[at] ^= 0x41
		list, _, err := readAll(bad)
		whole := 0
		for _, end := range ends[1:] {
			if at >= end {
				whole++
			}
		}
		if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTruncated) {
			t.Errorf("byte %d changed: got %v, want an error", at, err)
		}
		if len(list) != whole || whole > 0 && string(list[0].Frames[0]) != string(good[0].Frames[0]) {
			t.Errorf("byte %d changed: got %d records, want the %d before", at, len(list), whole)
		}
	}
}

// reseal makes the checksum of the only record fit, whatever it says.
func reseal(b []byte) []byte {
	binary.LittleEndian.PutUint32(b[4:], recordSum(b[:4], b[8:]))
	return b
}

// TestFormatInconsistent: lengths that do not fit under a checksum that does.
func TestFormatInconsistent(t *testing.T) {
	b, ends := sample(t)
	head := b[:segmentHeader]
	for name, change := range map[string]func(b []byte){
		"no frames":        func(b []byte) { binary.LittleEndian.PutUint32(b[18:], 0) },
		"too many frames":  func(b []byte) { binary.LittleEndian.PutUint32(b[18:], 1<<32-1) },
		"too few frames":   func(b []byte) { binary.LittleEndian.PutUint32(b[18:], 1) },
		"too long a label": func(b []byte) { binary.LittleEndian.PutUint16(b[16:], 1<<16-1) },
		"too short label":  func(b []byte) { binary.LittleEndian.PutUint16(b[16:], 0) },
		"too long a frame": func(b []byte) { binary.LittleEndian.PutUint32(b[23:], 1<<32-1) },
	} {
		bad := slices.Clone(b[ends[0]:ends[1]])
		change(bad)
		list, _, err := readAll(append(slices.Clone(head), reseal(bad)...))
		if !errors.Is(err, ErrCorrupt) || len(list) != 0 {
			t.Errorf("%s: got %d records and %v, want ErrCorrupt", name, len(list), err)
		}
	}
}

// TestFormatHugeClaim: a length that only was declared costs nothing.
func TestFormatHugeClaim(t *testing.T) {
	b, _ := sample(t)
	b = b[:segmentHeader]
	b = binary.LittleEndian.AppendUint32(b, maxRecord)
	b = append(b, 1, 2, 3, 4, 5, 6)
	got := testing.Benchmark(func(tb *testing.B) {
		for tb.Loop() {
			readAll(b)
		}
	}).AllocedBytesPerOp()
	if got > 128<<10 {
		t.Errorf("reading %d bytes allocates %d", len(b), got)
	}
}

// FuzzSegment: whatever the bytes are, reading them ends, and what it returns is
// what the recorder writes.
func FuzzSegment(f *testing.F) {
	b, ends := sample(f)
	f.Add(b)
	f.Add(b[:ends[1]+5])
	f.Add(b[:10])
	f.Add([]byte{})
	f.Add(append(slices.Clone(b), make([]byte, 100)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, offset, err := readAll(b)
		if err == nil && offset != int64(len(b)) {
			t.Fatalf("read to %d of %d without an error", offset, len(b))
		}
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrTruncated) {
			t.Fatalf("got %v, want ErrCorrupt or ErrTruncated", err)
		}
		at := int64(segmentHeader)
		for _, e := range list {
			m := ringwire.NewMessage()
			for _, frame := range e.Frames {
				m.Append(frame)
			}
			again, err := appendRecord(nil, e.Time, e.Label, m)
			if err != nil {
				t.Fatal(err)
			}
			if e.Offset != at || !bytes.Equal(again, b[at:at+int64(len(again))]) {
				t.Fatalf("record at %d: wrote % x, read % x", at, again, b[at:])
			}
			at += int64(len(again))
		}
		// Under a good header and checksum, too.
		if len(b) >= recordFixed+4 {
			sealed := appendSegmentHeader(nil, 1, time.Unix(0, 0))
			record := binary.LittleEndian.AppendUint32(nil, uint32(len(b)))
			record = append(record, 0, 0, 0, 0)
			readAll(append(sealed, reseal(append(record, b...))...))
		}
	})
}
