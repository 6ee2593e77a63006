package chaos_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
)

// A log outlives its process, but for the record that was being written.
func TestLogFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, err := chaos.OpenLog(name, func() int64 { return 7 })
	if err != nil {
		t.Fatal(err)
	}
	l.Add(chaos.Trying, chaos.ID{Lane: 1, Seq: 2, Sent: 3})
	l.Add(chaos.Received, chaos.ID{Lane: 4, Seq: 5, Sent: 6, By: 8})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	got, err := chaos.ReadLog(name)
	want := []chaos.Record{{Entry: chaos.Trying, Lane: 1, Seq: 2, Sent: 3, At: 7}, {Entry: chaos.Received, Lane: 4, Seq: 5, Sent: 6, By: 8, At: 7}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
