package typed

import (
	"encoding/hex"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func document(t *testing.T, language string) (blocks []string) {
	t.Helper()
	b, err := os.ReadFile("../../docs/typed.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(string(b), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// The bytes in docs/typed.md are those that are sent.
func TestDocumentedBytes(t *testing.T) {
	want := []header{{kindRequest, 7, 1500 * time.Millisecond}, {kind: kindCancel, number: 7}, {kind: kindReply, number: 7}, {kind: kindError, number: 7}}
	blocks := document(t, "hex")
	if len(blocks) != 1 {
		t.Fatalf("got %d blocks of bytes, want 1", len(blocks))
	}
	lines := strings.Split(strings.TrimSpace(blocks[0]), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %d headers, want %d", len(lines), len(want))
	}
	for i, line := range lines {
		b, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := want[i].append(nil); string(got) != string(b) {
			t.Errorf("%+v is % x, the document has %s", want[i], got, line)
		}
		if got, err := parseHeader(b); got != want[i] || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", line, got, err, want[i])
		}
		for n := range b {
			if _, err := parseHeader(b[:n]); err == nil {
				t.Errorf("the first %d bytes of %s are accepted", n, line)
			}
		}
	}
}

// The Python in docs/typed.md is that of the peer which the tests run.
func TestDocumentedPythonIsRun(t *testing.T) {
	peer, err := os.ReadFile("testdata/typed.py")
	if err != nil {
		t.Fatal(err)
	}
	blocks := document(t, "python")
	if len(blocks) < 3 {
		t.Fatalf("got %d blocks of Python, want at least 3", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(string(peer), b) {
			t.Errorf("this is not in testdata/typed.py:\n%s", b)
		}
	}
}

// A time that is short is not taken for none, and one that is too long for the longest.
func TestTimeoutsAreKeptInRange(t *testing.T) {
	for give, want := range map[time.Duration]time.Duration{
		0: 0, 1: time.Microsecond, time.Microsecond: time.Microsecond, time.Microsecond + 1: 2 * time.Microsecond, time.Hour: time.Hour,
		math.MaxInt64 - 999: math.MaxInt64 / 1000 * 1000,
	} {
		if got, err := parseHeader(header{kindRequest, 1, give}.append(nil)); err != nil || got.timeout != want {
			t.Errorf("%v: got %v, %v, want %v", give, got.timeout, err, want)
		}
	}
	all := append(header{kind: kindRequest, number: 1}.append(nil)[:headerSize], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	if got, err := parseHeader(all); err != nil || got.timeout <= 0 {
		t.Errorf("got %v, %v, want the longest time", got.timeout, err)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(header{kindRequest, 7, time.Second}.append(nil))
	f.Add(header{kind: kindReply, number: 7}.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeader(b)
		if err != nil {
			return
		}
		if h.timeout < 0 {
			t.Errorf("%x: timeout is %v", b, h.timeout)
		}
		again := h.append(nil)
		if len(again) != len(b) || string(again[:headerSize]) != string(b[:headerSize]) {
			t.Errorf("%x: got %x again", b, again)
		}
	})
}
