package device

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/ringwire/ringwire"
)

// disk is a file that has room for so many more bytes.
type disk struct {
	*os.File
	room     *int
	stuck    *bool // Truncate fails, too
	syncFail *error
	syncs    *int
}

func (d disk) Write(b []byte) (int, error) {
	n, err := d.File.Write(b[:min(len(b), *d.room)])
	*d.room -= n
	if err == nil && n < len(b) {
		err = syscall.ENOSPC
	}
	return n, err
}

func (d disk) Truncate(size int64) error {
	if *d.stuck {
		return syscall.EIO
	}
	info, err := d.File.Stat()
	if err != nil {
		return err
	}
	*d.room += int(info.Size() - size)
	return d.File.Truncate(size)
}

func (d disk) Sync() error {
	*d.syncs++
	return *d.syncFail
}

// faulty is a recorder on such a disk.
type faulty struct {
	*Recorder
	dir      string
	room     int
	stuck    bool
	syncFail error
	syncs    int
}

func newFaulty(t *testing.T, opts *RecordOptions) *faulty {
	t.Helper()
	f := &faulty{dir: t.TempDir(), room: 1 << 30}
	var err error
	if f.Recorder, err = NewRecorder(f.dir, opts); err != nil {
		t.Fatal(err)
	}
	f.open = func(path string) (file, error) {
		opened, err := create(path)
		if err != nil {
			return nil, err
		}
		return disk{opened.(*os.File), &f.room, &f.stuck, &f.syncFail, &f.syncs}, nil
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func batchOf(from, to int) (list []*ringwire.Message) {
	for i := from; i < to; i++ {
		list = append(list, ringwire.NewMessage(fmt.Appendf(nil, "message %03d", i)))
	}
	return list
}

// contents reads a recording that may be damaged.
func contents(t *testing.T, dir string) (list []string, damage int) {
	t.Helper()
	for e, err := range Entries(dir) {
		var s *SegmentError
		switch {
		case errors.As(err, &s):
			damage++
		case err != nil:
			t.Fatal(err)
		default:
			list = append(list, string(e.Frames[0]))
		}
	}
	return list, damage
}

func names(from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf("message %03d", i))
	}
	return list
}

// TestDiskFull: at whatever byte the disk is full, what was recorded is there, the
// error comes, and when there is room again it goes on.
func TestDiskFull(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		for room := 0; room < 300; room += 7 {
			f := newFaulty(t, nil)
			f.room, f.stuck = room, stuck
			n, err := f.Write(time.Unix(1, 0), "x", batchOf(0, 10)...)
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("room %d: got %d, %v, want ENOSPC", room, n, err)
			}
			if list, damage := contents(t, f.dir); !slices.Equal(list, names(0, n)) || damage > 0 && !stuck {
				t.Fatalf("room %d: got %q and %d damaged, want %d messages", room, list, damage, n)
			}
			if room > 200 && n == 0 {
				t.Errorf("room %d: got nothing recorded, want what fits", room)
			}
			f.room = 1 << 30
			if k, err := f.Write(time.Unix(2, 0), "x", batchOf(n, 10)...); k != 10-n || err != nil {
				t.Fatalf("room %d: got %d, %v when there is room again, want %d", room, k, err, 10-n)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if list, _ := contents(t, f.dir); !slices.Equal(list, names(0, 10)) {
				t.Errorf("room %d: got %q, want all ten", room, list)
			}
		}
	}
}

// TestSyncFails: after that nothing counts as recorded any more.
func TestSyncFails(t *testing.T) {
	f := newFaulty(t, &RecordOptions{Sync: -1})
	if n, err := f.Write(time.Unix(1, 0), "x", batchOf(0, 3)...); n != 3 || err != nil || f.syncs != 1 {
		t.Fatalf("got %d, %v after %d syncs, want 3 after one", n, err, f.syncs)
	}
	f.syncFail = syscall.EIO
	for range 2 {
		if _, err := f.Write(time.Unix(1, 0), "x", batchOf(3, 4)...); !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v, want EIO", err)
		}
	}
	if err := f.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("Close: got %v, want EIO", err)
	}
}

// TestSyncLater: the option Sync bounds how long it takes, also without a call.
func TestSyncLater(t *testing.T) {
	f := newFaulty(t, &RecordOptions{Sync: time.Millisecond})
	if _, err := f.Write(time.Unix(1, 0), "x", batchOf(0, 3)...); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for done := false; !done; {
		f.mu.Lock()
		done = f.syncs == 1
		f.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("it is never synced")
		}
	}
}

// TestRepair cuts the last segment at every byte: the next recorder says so, cuts
// it back, and appends.
func TestRepair(t *testing.T) {
	whole, ends := sample(t)
	for n := range whole {
		dir := t.TempDir()
		path := filepath.Join(dir, "00000007"+segmentSuffix)
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := NewRecorder(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		var found *SegmentError
		if cut := !slices.Contains(ends, n); cut != errors.As(r.Found(), &found) || cut && !errors.Is(found, ErrTruncated) {
			t.Errorf("cut at %d: got %v", n, r.Found())
		}
		if _, err := r.Write(time.Unix(1, 0), "x", batchOf(0, 1)...); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		records := 0
		for _, end := range ends[1:] {
			if n >= end {
				records++
			}
		}
		if list, damage := contents(t, dir); len(list) != records+1 || damage != 0 {
			t.Errorf("cut at %d: got %d records and %d damaged, want %d and none", n, len(list), damage, records+1)
		}
		if _, err := os.Stat(segmentPath(dir, 8)); err != nil {
			t.Error(err)
		}
	}
}

// TestCorruptIsKept: a recorder does not touch what is corrupt, and names it.
func TestCorruptIsKept(t *testing.T) {
	b, ends := sample(t)
	b[ends[1]+20] ^= 1
	dir := t.TempDir()
	path := segmentPath(dir, 7)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := NewRecorder(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	found, ok := errors.AsType[*SegmentError](r.Found())
	if !ok || !errors.Is(found, ErrCorrupt) || found.Segment != path || found.Offset != int64(ends[1]) || found.Lost != int64(len(b)-ends[1]) {
		t.Errorf("got %v, want segment %s to be corrupt at %d", r.Found(), path, ends[1])
	}
	if _, err := r.Write(time.Unix(1, 0), "x", batchOf(0, 1)...); err != nil {
		t.Fatal(err)
	}
	if list, damage := contents(t, dir); !slices.Equal(list, []string{"a", "message 000"}) || damage != 1 {
		t.Errorf("got %q and %d damaged, want the record before and the one after", list, damage)
	}
	if now, err := os.ReadFile(path); err != nil || !slices.Equal(now, b) {
		t.Errorf("the corrupt segment was changed (%v)", err)
	}
}
