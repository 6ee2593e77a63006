package device

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
)

// RecordStats is a snapshot of a Recorder.
type RecordStats struct {
	Messages int64 // recorded
	Bytes    int64 // written, with headers
	Segments int64 // begun
	Lost     int64 // messages that Record had received and could not write
}

// Recorder appends messages to a recording. It is safe for any number of
// goroutines; there must be one Recorder for a directory at a time.
type Recorder struct {
	// Immutable after NewRecorder.
	dir   string
	opts  RecordOptions
	found error
	open  func(path string) (file, error)

	// Guarded by mu.
	mu     sync.Mutex
	f      file // nil: none yet
	number uint64
	size   int64 // of f: whole records only
	buf    []byte
	ends   []int // where the records in buf end
	dirty  bool  // written and not synced
	timer  *time.Timer
	err    error // of all further calls
	stats  RecordStats
}

// file is what a Recorder needs of an *os.File.
type file interface {
	io.Writer
	Truncate(size int64) error
	Sync() error
	Close() error
}

func create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
}

// NewRecorder opens a recording for appending, and makes its directory if there is
// none. The first message begins a new segment. If the last segment ends inside a
// record, it is cut back to its last whole record; Found and the Logger say so.
func NewRecorder(dir string, opts *RecordOptions) (*Recorder, error) {
	r := &Recorder{dir: dir, open: create}
	if opts != nil {
		r.opts = *opts
	}
	switch {
	case r.opts.SegmentBytes < -1:
		return nil, fail("new recorder", dir, fmt.Errorf("option SegmentBytes is %d, want -1, 0 or more", r.opts.SegmentBytes))
	case r.opts.Sync < -1:
		return nil, fail("new recorder", dir, fmt.Errorf("option Sync is %v, want -1, 0 or more", r.opts.Sync))
	}
	if r.opts.SegmentBytes == 0 {
		r.opts.SegmentBytes = DefaultSegmentBytes
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fail("new recorder", dir, err)
	}
	list, err := segments(dir)
	if err != nil {
		return nil, fail("new recorder", dir, err)
	}
	if len(list) > 0 {
		last := list[len(list)-1]
		damage, err := repair(last.path)
		if err != nil {
			return nil, fail("new recorder", dir, err)
		}
		r.number = last.number
		if damage != nil {
			r.found = damage
			if r.opts.Logger != nil {
				r.opts.Logger.Warn("recording is damaged", slog.String("segment", damage.Segment),
					slog.Int64("offset", damage.Offset), slog.Int64("lost", damage.Lost), slog.Any("error", damage.Err))
			}
		}
	}
	return r, nil
}

// Found is the *SegmentError of the damage that NewRecorder found, or nil. What
// was truncated has been cut off since, what is corrupt was left as it is.
func (r *Recorder) Found() error { return r.found }

// Stats returns the recorder's counters.
func (r *Recorder) Stats() RecordStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Write records messages, which stay the caller's, with one time and label. It
// returns how many were recorded: the first n. On an error, such as that of a full
// disk, those and everything before are in the recording, whole, and later calls
// try again; but an error of a sync is that of all later calls, too, because
// nobody knows then what is on the disk.
func (r *Recorder) Write(at time.Time, label string, messages ...*ringwire.Message) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(messages) && err == nil {
		var k int
		k, err = r.write(at, label, messages[n:])
		n += k
	}
	if err == nil && n > 0 {
		err = r.afterWrite()
	}
	return n, fail("record", r.dir, err)
}

// write records messages up to the end of a segment. It needs mu.
func (r *Recorder) write(at time.Time, label string, messages []*ringwire.Message) (n int, err error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.f == nil || r.full(r.size) {
		if err := r.next(at); err != nil {
			return 0, err
		}
	}
	r.buf, r.ends = r.buf[:0], r.ends[:0]
	var bad error // of a message that cannot be recorded
	for _, m := range messages {
		if len(r.ends) > 0 && (r.full(r.size+int64(len(r.buf))) || len(r.buf) >= maxWrite) {
			break
		}
		if r.buf, bad = appendRecord(r.buf, at, label, m); bad != nil {
			break
		}
		r.ends = append(r.ends, len(r.buf))
	}
	if len(r.ends) == 0 {
		return 0, bad
	}
	written, err := r.f.Write(r.buf)
	r.dirty = true
	whole := 0
	for n < len(r.ends) && r.ends[n] <= written {
		whole = r.ends[n]
		n++
	}
	r.size += int64(whole)
	r.stats.Messages += int64(n)
	r.stats.Bytes += int64(whole)
	if cap(r.buf) > 2*maxWrite {
		r.buf = nil // one huge message must not stay
	}
	if err != nil {
		// Half a record must not be in the way of those that may follow.
		if cut := r.f.Truncate(r.size); cut != nil {
			r.abandon()
		}
		return n, err
	}
	return n, bad
}

// maxWrite bounds what is encoded before it is written.
const maxWrite = 1 << 20

func (r *Recorder) full(size int64) bool {
	return r.opts.SegmentBytes >= 0 && size >= r.opts.SegmentBytes
}

// abandon leaves a segment that ends inside a record: the next message begins
// another. It needs mu.
func (r *Recorder) abandon() {
	r.f.Close()
	r.f = nil
}

// next ends the segment and begins another. It needs mu.
func (r *Recorder) next(now time.Time) error {
	if err := r.finish(); err != nil {
		return err
	}
	path := segmentPath(r.dir, r.number+1)
	f, err := r.open(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(appendSegmentHeader(nil, r.number+1, now)); err != nil {
		f.Close()
		return errors.Join(err, os.Remove(path))
	}
	if dir, err := os.Open(r.dir); err == nil {
		dir.Sync() // the name, too; not every system can
		dir.Close()
	}
	r.number++
	r.f, r.size = f, segmentHeader
	r.stats.Segments++
	r.stats.Bytes += segmentHeader
	return nil
}

// finish ends the segment. It needs mu.
func (r *Recorder) finish() error {
	if r.f == nil {
		return nil
	}
	if err := r.sync(); err != nil {
		return err
	}
	err := r.f.Close()
	r.f = nil
	return err
}

// sync needs mu.
func (r *Recorder) sync() error {
	if !r.dirty || r.f == nil || r.err != nil {
		return r.err
	}
	if err := r.f.Sync(); err != nil {
		r.err = fmt.Errorf("sync: %w", err)
	}
	r.dirty = false
	return r.err
}

// afterWrite obeys the option Sync. It needs mu.
func (r *Recorder) afterWrite() error {
	switch {
	case r.opts.Sync == -1:
		return r.sync()
	case r.opts.Sync > 0 && r.timer == nil:
		r.timer = time.AfterFunc(r.opts.Sync, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.timer = nil
			r.sync() // its error is kept for the next call
		})
	}
	return nil
}

// Close syncs and ends the segment. Later calls return ringwire.ErrClosed.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(r.err, ringwire.ErrClosed) {
		return nil
	}
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	err := r.err
	if err == nil {
		err = r.finish()
	} else if r.f != nil {
		r.abandon()
	}
	r.err = ringwire.ErrClosed
	return fail("close recorder", r.dir, err)
}
