package main

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

var errPending = errors.New("there is no reply yet")

// store keeps each request in a file ID.request and its reply in ID.reply. A file has,
// for each frame, its length (uvarint) and its bytes.
//
// A file is written under another name, synced and then renamed: whatever happens to
// the program or the machine, what has the right name is whole.
type store struct {
	dir string
	mu  sync.Mutex // a request is removed, or completed
}

// openStore opens the store in a directory, which it makes if there is none, and
// removes files that were not finished when the program died.
func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	unfinished, err := filepath.Glob(filepath.Join(dir, "*.unfinished"))
	if err != nil {
		return nil, err
	}
	for _, path := range unfinished {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return &store{dir: dir}, nil
}

// add stores a request and returns its id, when it is safe.
func (s *store) add(frames [][]byte) (id string, err error) {
	id = newID(time.Now())
	return id, s.write(id+".request", frames)
}

func (s *store) request(id string) ([][]byte, error) { return s.read(id, ".request") }

// reply returns the reply to a request: errPending if there is none yet, and an error
// that is fs.ErrNotExist if there is no such request.
func (s *store) reply(id string) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply, err := s.read(id, ".reply")
	if !errors.Is(err, fs.ErrNotExist) {
		return reply, err
	}
	if _, err := s.read(id, ".request"); err != nil {
		return nil, err
	}
	return nil, errPending
}

// complete stores the reply to a request, unless that was removed meanwhile.
func (s *store) complete(id string, reply [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Stat(filepath.Join(s.dir, id+".request")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return s.write(id+".reply", reply)
}

// remove forgets a request and its reply. One that does not exist is forgotten already.
func (s *store) remove(id string) error {
	if !valid(id) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The request first: a reply alone is executed by nobody.
	for _, name := range []string{id + ".request", id + ".reply"} {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.sync()
}

// pending returns the ids of the requests without a reply, the oldest first.
func (s *store) pending() (ids []string, err error) {
	entries, err := os.ReadDir(s.dir) // sorted by name, which begins with the time
	if err != nil {
		return nil, err
	}
	done := make(map[string]bool)
	for _, entry := range entries {
		if id, found := strings.CutSuffix(entry.Name(), ".reply"); found {
			done[id] = true
		} else if id, found := strings.CutSuffix(entry.Name(), ".request"); found && valid(id) {
			ids = append(ids, id)
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool { return done[id] }), nil
}

func (s *store) write(name string, frames [][]byte) error {
	var b []byte
	for _, frame := range frames {
		b = binary.AppendUvarint(b, uint64(len(frame)))
		b = append(b, frame...)
	}
	f, err := os.CreateTemp(s.dir, "*.unfinished")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return s.sync()
}

// sync makes names as safe as contents are. Windows cannot, and need not be told.
func (s *store) sync() error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read returns what a file holds. An id comes from clients, and is no path.
func (s *store) read(id, kind string) (frames [][]byte, err error) {
	if !valid(id) {
		return nil, fmt.Errorf("id %q: want 32 hexadecimal characters: %w", id, fs.ErrNotExist)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, id+kind))
	if err != nil {
		return nil, err
	}
	for len(b) > 0 {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return nil, fmt.Errorf("%s%s is damaged", id, kind)
		}
		frames = append(frames, b[n:n+int(length)])
		b = b[n+int(length):]
	}
	return frames, nil
}

// newID returns a UUID of version 7 (RFC 9562) without its dashes: it begins with the
// time in milliseconds, so that names sort by age, and goes on at random.
func newID(now time.Time) string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	copy(b, binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli())<<16)[:6])
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b)
}

func valid(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}
