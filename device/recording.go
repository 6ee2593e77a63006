package device

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const segmentSuffix = ".rwrec"

// segment is one file of a recording.
type segment struct {
	path   string
	number uint64
}

func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%08d%s", number, segmentSuffix))
}

// segments lists the files of a recording in order.
func segments(dir string) ([]segment, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []segment
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), segmentSuffix)
		number, err := strconv.ParseUint(name, 10, 64)
		if ok && err == nil && !f.IsDir() {
			list = append(list, segment{filepath.Join(dir, f.Name()), number})
		}
	}
	slices.SortFunc(list, func(a, b segment) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return list, nil
}

// Entries returns the messages of the recording in a directory, in order. A
// segment that is truncated or corrupt yields a *SegmentError without an entry
// behind what is whole of it, and the sequence goes on with the next segment. Any
// other error, such as one of the operating system, ends it.
func Entries(dir string) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		list, err := segments(dir)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, s := range list {
			if !readSegment(s.path, yield) {
				return
			}
		}
	}
}

// readSegment yields one file, and reports whether to go on with the next.
func readSegment(path string, yield func(*Entry, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		yield(nil, err)
		return false
	}
	defer f.Close()
	r := segmentReader{r: bufio.NewReaderSize(f, 64<<10)}
	for {
		e, err := r.next()
		switch {
		case err == nil:
			e.Segment = path
			if !yield(e, nil) {
				return false
			}
			continue
		case err == io.EOF:
			return true
		case !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrCorrupt):
			yield(nil, err)
			return false
		}
		damage := &SegmentError{Segment: path, Offset: r.offset, Err: err}
		if info, err := f.Stat(); err == nil {
			damage.Lost = info.Size() - r.offset
		}
		return yield(nil, damage)
	}
}

// repair looks at the last segment of a recording. What is truncated is cut back
// to the last whole record; the result says what was wrong, if anything.
func repair(path string) (*SegmentError, error) {
	var damage *SegmentError
	var failed error
	readSegment(path, func(_ *Entry, err error) bool {
		if d, ok := errors.AsType[*SegmentError](err); ok {
			damage = d
		} else if err != nil {
			failed = err
		}
		return true
	})
	switch {
	case failed != nil || damage == nil || !errors.Is(damage, ErrTruncated):
		return damage, failed
	case damage.Offset < segmentHeader:
		return damage, os.Remove(path)
	}
	return damage, os.Truncate(path, damage.Offset)
}
