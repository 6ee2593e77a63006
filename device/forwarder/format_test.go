package main

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

// TestFormats: what is shown can be parsed again, to the byte.
func TestFormats(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	messages := [][][]byte{
		{[]byte("text")},
		{[]byte("topic"), []byte("a body with spaces"), {}},
		{{}, every},
		{[]byte("日本"), {0xff}, {0xc1}},
	}
	for _, f := range formats {
		if f.name == "raw" {
			continue // it does not say where a frame with a tab or a line feed ends
		}
		for _, m := range messages {
			line := string(f.show(nil, m))
			if strings.Contains(line, "\n") {
				t.Errorf("%s: %q has several lines", f.name, line)
			}
			got, err := f.parse(line)
			if err != nil || len(got) != len(m) {
				t.Errorf("%s: %q shows as %s, which is %q, %v", f.name, m, line, got, err)
				continue
			}
			for i := range m {
				if !bytes.Equal(got[i], m[i]) {
					t.Errorf("%s: frame %q shows as %s, which is %q", f.name, m[i], line, got[i])
				}
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for name, lines := range map[string][]string{
		"quoted":  {`"a`, `a`, `"a" b`, `"\xzz"`},
		"hex":     {"0", "xy", "00 1"},
		"json":    {"", "{}", `["a"`, `[1]`, `[null]`, `[{"base64":"%"}]`, `[{"base64":null}]`, `[{"text":"a"}]`, `"a"`},
		"msgpack": {"", "{}", `["a"`, "1"},
	} {
		f, err := findFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if got, err := f.parse(line); err == nil {
				t.Errorf("%s: %q is %q, want an error", name, line, got)
			}
		}
	}
}

func TestMsgpackValues(t *testing.T) {
	for _, x := range []struct {
		value any
		want  string
	}{
		{nil, "null"}, {true, "true"}, {-7, "-7"}, {uint64(math.MaxUint64), "18446744073709551615"}, {2.5, "2.5"},
		{math.NaN(), `"NaN"`}, {float32(math.Inf(1)), `"+Inf"`}, {"<a>", `"<a>"`}, {[]byte{0xff}, `{"base64":"/w=="}`},
		{[]any{1, "x", nil}, `[1,"x",null]`}, {map[any]any{1: 2}, `{"1":2}`}, {map[string]any{"k": []any{}}, `{"k":[]}`},
	} {
		b, err := msgpack.Marshal(x.value)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(showMsgpack(nil, [][]byte{b})); got != "["+x.want+"]" {
			t.Errorf("%v is %s, want [%s]", x.value, got, x.want)
		}
	}
}

// TestMsgpackClaims: what a few bytes claim to be is not believed.
func TestMsgpackClaims(t *testing.T) {
	deep := bytes.Repeat([]byte{0x91}, 100_000)
	for name, b := range map[string][]byte{
		"array of 4 billion": {0xdd, 0xff, 0xff, 0xff, 0xff},
		"map of 4 billion":   {0xdf, 0xff, 0xff, 0xff, 0xff},
		"string of 4 GB":     {0xdb, 0xff, 0xff, 0xff, 0xff},
		"bytes of 4 GB":      {0xc6, 0xff, 0xff, 0xff, 0xff},
		"extension of 4 GB":  {0xc9, 0xff, 0xff, 0xff, 0xff, 1},
		"nested":             deep,
		"truncated":          {0xcb, 1},
		"unused":             {0xc1},
		"more behind":        {1, 2},
		"nothing":            {},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decodeMsgpack(b)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: allocates %d bytes", name, n)
		}
	}
	if _, err := decodeMsgpack(deep); !errors.Is(err, errDeep) {
		t.Errorf("nested: %v", err)
	}
}

// FuzzMsgpack: what passes the check decodes without a panic, and every strict
// prefix of it is refused.
func FuzzMsgpack(f *testing.F) {
	for _, v := range []any{1, "text", []any{1, []byte{2}, map[string]any{"a": 1.5}}, map[any]any{nil: true}} {
		b, err := msgpack.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0xd6, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := checkMsgpack(b, 0)
		if err != nil {
			return
		}
		if n < 1 || n > len(b) {
			t.Fatalf("a value of %d bytes in %d", n, len(b))
		}
		for i := range n {
			if m, err := checkMsgpack(b[:i], 0); err == nil {
				t.Fatalf("%d of %d bytes are a value of %d", i, n, m)
			}
		}
		showMsgpack(nil, [][]byte{b[:n]})
	})
}
