package chaos

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// Entry is what a record says.
type Entry byte

// The entries. A sender writes Trying before a call that sends, and then how it
// ended.
const (
	Trying   Entry = iota + 1
	Accepted       // Send returned nil
	Refused        // Send returned an error: nothing was sent
	Unknown        // the call was one that does not say, such as a Do without a reply
	Received
	Torn    // something was received that nobody sent; without lane and number
	Foreign // REQ: a reply to another request
)

// Record is one line of a log.
type Record struct {
	Entry Entry
	By    uint32 // see ID
	Lane  uint32
	Seq   uint64
	Sent  int64 // when the message was made
	At    int64 // when this happened
}

// Log collects records, in memory or, to outlive its process, in a file. Its
// methods are safe for concurrent use.
type Log struct {
	now func() int64 // immutable

	mu      sync.Mutex
	records []Record // without a file; guarded by mu
	file    *os.File // guarded by mu
	failed  error    // of the file; guarded by mu

	// latest is when the newest message of each lane was made that was received.
	// Guarded by mu.
	latest map[uint32]int64
}

// NewLog returns a log in memory, with times of the given clock.
func NewLog(now func() int64) *Log { return &Log{now: now} }

// Add adds what happened to a message.
func (l *Log) Add(e Entry, id ID) {
	r := Record{Entry: e, By: id.By, Lane: id.Lane, Seq: id.Seq, Sent: id.Sent, At: l.now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e == Received {
		if l.latest == nil {
			l.latest = make(map[uint32]int64)
		}
		l.latest[id.Lane] = max(l.latest[id.Lane], id.Sent)
	}
	if l.file == nil {
		l.records = append(l.records, r)
		return
	}
	// One write for each record: what is in the kernel outlives the process.
	if _, err := l.file.Write(r.encode()); err != nil && l.failed == nil {
		l.failed = err
	}
}

// Records are those of a log in memory, in order.
func (l *Log) Records() []Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[:len(l.records):len(l.records)]
}

// Latest is when the newest message that was received was made: of the given
// lanes, or of all.
func (l *Log) Latest(lanes ...uint32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var latest int64
	for lane, at := range l.latest {
		if len(lanes) == 0 || slices.Contains(lanes, lane) {
			latest = max(latest, at)
		}
	}
	return latest
}

// recordSize is that of a record in a file: 1 entry, 3 by, 4 lane, 8 number, 8
// made, 8 at.
const recordSize = 32

func (r *Record) encode() []byte {
	b := make([]byte, recordSize)
	binary.LittleEndian.PutUint32(b, r.By<<8|uint32(r.Entry))
	binary.LittleEndian.PutUint32(b[4:], r.Lane)
	binary.LittleEndian.PutUint64(b[8:], r.Seq)
	binary.LittleEndian.PutUint64(b[16:], uint64(r.Sent))
	binary.LittleEndian.PutUint64(b[24:], uint64(r.At))
	return b
}

func decodeRecord(b []byte) Record {
	first := binary.LittleEndian.Uint32(b)
	return Record{
		Entry: Entry(first), By: first >> 8, Lane: binary.LittleEndian.Uint32(b[4:]), Seq: binary.LittleEndian.Uint64(b[8:]),
		Sent: int64(binary.LittleEndian.Uint64(b[16:])), At: int64(binary.LittleEndian.Uint64(b[24:])),
	}
}

// OpenLog returns a log in a file, which it appends to.
func OpenLog(name string, now func() int64) (*Log, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &Log{now: now, file: file}, nil
}

// Close closes the file, and says whether everything was written.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.file.Close(); err != nil && l.failed == nil {
		l.failed = err
	}
	return l.failed
}

// ReadLog reads a log file. A last record that was not written whole is left out:
// its process was killed.
func ReadLog(name string) ([]Record, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", name, err)
	}
	list := make([]Record, 0, len(data)/recordSize)
	for ; len(data) >= recordSize; data = data[recordSize:] {
		list = append(list, decodeRecord(data))
	}
	return list, nil
}
