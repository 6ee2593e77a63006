package ipc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/transport"
	"github.com/ringwire/ringwire/transport/ipc"
	"github.com/ringwire/ringwire/transport/transporttest"
)

func ExampleTransport() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := ipc.Transport{}.Listen(ctx, "*", nil) // a private directory
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	dialed, err := ipc.Transport{}.Dial(ctx, l.Endpoint(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dialed.Close()
	taken, err := l.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprint(taken, "hello")
	taken.Close()
	text, err := io.ReadAll(dialed)
	fmt.Printf("%s %v\n", text, err)
	// Output: hello <nil>
}

func ExampleTransport_Check() {
	fmt.Println(ipc.Transport{}.Check("*", false))
	// Output: endpoint "ipc://*": path is *, which only a bind can use, want a path or @name
}

func TestConformance(t *testing.T) {
	t.Run("path", func(t *testing.T) { transporttest.Run(t, ipc.Transport{}, freshPath) })
	t.Run("abstract", func(t *testing.T) {
		needAbstract(t)
		count := 0
		transporttest.Run(t, ipc.Transport{}, func(*testing.T) string {
			count++
			return fmt.Sprintf("@ringwire-test-%d-%d", os.Getpid(), count)
		})
	})
}

func needAbstract(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" && runtime.GOOS != "android" {
		t.Skipf("%s has no abstract names", runtime.GOOS)
	}
}

// limit is the longest path of this system.
func limit() int {
	switch runtime.GOOS {
	case "darwin", "ios", "freebsd", "netbsd", "openbsd", "dragonfly":
		return 103
	}
	return 107
}

func TestCheck(t *testing.T) {
	const path, abstract = "path", "abstract name"
	for _, test := range []struct{ address, bind, connect string }{
		{"/tmp/x", "", ""},
		{"x", "", ""},
		{"./@x", "", ""},
		{"./*", "", ""},
		{"../a b/ü", "", ""},
		{"a://b", "", ""},
		{strings.Repeat("x", limit()), "", ""},
		{strings.Repeat("x", limit()+1), path, path},
		{"*", "", path},
		{"*x", path, path},
		{"", path, path},
		{"a\x00b", path, path},
		{"@", abstract, abstract},
		{"@a\x00", abstract, abstract},
		{"@" + strings.Repeat("x", limit()), abstract, abstract},
	} {
		for _, bind := range []bool{true, false} {
			part := test.connect
			if bind {
				part = test.bind
			}
			err := ipc.Transport{}.Check(test.address, bind)
			if part == "" {
				if err != nil {
					t.Errorf("Check(%q, %v): %v, want no error", test.address, bind, err)
				}
				continue
			}
			var wrong *transport.EndpointError
			if !errors.As(err, &wrong) || wrong.Part != part || wrong.Endpoint != "ipc://"+test.address {
				t.Errorf("Check(%q, %v): %v, want an EndpointError about the %s", test.address, bind, err, part)
			}
		}
	}
}

func TestCheckSaysLengthAndLimit(t *testing.T) {
	err := ipc.Transport{}.Check(strings.Repeat("x", 300), true)
	if want := fmt.Sprintf("path is 300 bytes long, the limit of this system is %d", limit()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q in it", err, want)
	}
}

func TestAbstractNameElsewhere(t *testing.T) {
	err := ipc.Transport{}.Check("@name", true)
	linux := runtime.GOOS == "linux" || runtime.GOOS == "android"
	if linux && err != nil {
		t.Errorf("got %v, want no error on Linux", err)
	}
	if !linux && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want errors.ErrUnsupported", err)
	}
}

// TestLongestPath binds and dials a path of exactly the limit.
func TestLongestPath(t *testing.T) {
	path := filepath.Dir(freshPath(t)) + "/"
	path += strings.Repeat("x", limit()-len(path))
	l := listen(t, path, nil)
	conn, err := ipc.Transport{}.Dial(t.Context(), l.Endpoint(), nil)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	conn.Close()
}

func TestRelativePath(t *testing.T) {
	dir := filepath.Dir(freshPath(t))
	t.Chdir(dir)
	l := listen(t, "relative", nil)
	if l.Endpoint() != "relative" {
		t.Errorf("Endpoint() = %q, want it as given", l.Endpoint())
	}
	conn, err := ipc.Transport{}.Dial(t.Context(), "relative", nil)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	conn.Close()
	t.Chdir(os.TempDir())
	l.Close()
	if _, err := os.Lstat(filepath.Join(dir, "relative")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after a change of directory Close left the file: %v", err)
	}
}

func TestMissingDirectory(t *testing.T) {
	dir := filepath.Join(filepath.Dir(freshPath(t)), "nowhere")
	_, err := ipc.Transport{}.Listen(t.Context(), filepath.Join(dir, "s"), nil)
	if want := "there is no directory " + dir; !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), want) {
		t.Errorf("Listen: %v, want fs.ErrNotExist and %q", err, want)
	}
}

func TestWildcard(t *testing.T) {
	temp := filepath.Dir(freshPath(t))
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp) // Windows
	first, second := listen(t, "*", nil), listen(t, "*", nil)
	if first.Endpoint() == second.Endpoint() {
		t.Fatalf("two wildcards share %q", first.Endpoint())
	}
	if filepath.Base(first.Endpoint()) != "socket" || !strings.HasPrefix(first.Endpoint(), temp) {
		t.Errorf("Endpoint() = %q, want .../socket below %s", first.Endpoint(), temp)
	}
	if info, err := os.Stat(filepath.Dir(first.Endpoint())); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v, want mode 0700", info.Mode(), err)
	}
	conn, err := ipc.Transport{}.Dial(t.Context(), first.Endpoint(), nil)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	conn.Close()
	first.Close()
	second.Close()
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("after Close the directory holds %v, %v, want nothing", left, err)
	}
}

func TestWildcardInLongDirectoryLeavesNothing(t *testing.T) {
	temp := filepath.Join(filepath.Dir(freshPath(t)), strings.Repeat("d", 100))
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	_, err := ipc.Transport{}.Listen(t.Context(), "*", nil)
	var wrong *transport.EndpointError
	if !errors.As(err, &wrong) || !strings.Contains(wrong.Reason, "bytes long") {
		t.Errorf("Listen: %v, want an EndpointError about the length", err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) != 0 {
		t.Errorf("the directory holds %v, %v, want nothing", left, err)
	}
}

// FuzzCheck: no panic, complete errors, and what a connect accepts a bind
// accepts too.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"", "*", "*x", "@", "@x", "/tmp/x", "a\x00", strings.Repeat("x", 108)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		bind := ipc.Transport{}.Check(address, true)
		connect := ipc.Transport{}.Check(address, false)
		for _, err := range []error{bind, connect} {
			var wrong *transport.EndpointError
			if err != nil && (!errors.As(err, &wrong) || wrong.Endpoint != "ipc://"+address || wrong.Part == "" || wrong.Reason == "") {
				t.Fatalf("Check(%q): %#v, want a complete EndpointError", address, err)
			}
		}
		if connect == nil && bind != nil {
			t.Fatalf("Check(%q): connect accepts what bind refuses: %v", address, bind)
		}
		if (len(address) > limit() || strings.Contains(address, "\x00")) && (bind == nil || connect == nil) {
			t.Fatalf("Check(%q) accepts a NUL or %d bytes", address, len(address))
		}
	})
}
