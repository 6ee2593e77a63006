//go:build unix

package curve_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket/curve"
)

// TestSEC16Files: a secret certificate is read from a regular file that is ours alone,
// and from nothing else; none of the others makes the reader wait, or eat memory.
func TestSEC16Files(t *testing.T) {
	dir := t.TempDir()
	key := secret(t)
	text := []byte("curve\n    public-key = \"" + key.Public().String() + "\"\n    secret-key = \"" + key.Text() + "\"\n")
	file := func(name string, b []byte, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	good := file("good", text, 0o600)
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	loose := filepath.Join(dir, "loose link")
	if err := os.Symlink(file("loose", text, 0o644), loose); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{good, link, file("read only", text, 0o400), file("CRLF", bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), 0o600)} {
		if c, err := curve.ReadCertificate(path); err != nil || c.Secret == nil || c.Secret.Text() != key.Text() {
			t.Errorf("%s: got %v, %v, want it read", filepath.Base(path), c, err)
		}
	}
	for _, mode := range []os.FileMode{0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o777} {
		if _, err := curve.ReadCertificate(file("mode", text, mode)); !errors.Is(err, curve.ErrInsecureFile) {
			t.Errorf("mode %#o: got %v, want ErrInsecureFile", mode, err)
		}
	}
	if _, err := curve.ReadCertificate(loose); !errors.Is(err, curve.ErrInsecureFile) {
		t.Errorf("a link to a file of mode 0644: got %v, want ErrInsecureFile", err)
	}
	for _, path := range []string{dir, pipe, os.DevNull, filepath.Join(dir, "nowhere"), file("large", bytes.Repeat([]byte("# large\n"), 10<<17), 0o600), file("empty", nil, 0o600)} {
		if c, err := curve.ReadCertificate(path); err == nil {
			t.Errorf("%s: got %v, want an error", filepath.Base(path), c)
		}
	}
	if os.Geteuid() == 0 { // nobody else can give files away
		path := file("of another", text, 0o600)
		if err := os.Chown(path, 1, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := curve.ReadCertificate(path); !errors.Is(err, curve.ErrInsecureFile) {
			t.Errorf("a file of another user: got %v, want ErrInsecureFile", err)
		}
	}
	broken := file("broken", bytes.Replace(text, []byte("public-key"), []byte("public"), 1), 0o600)
	if _, err := curve.ReadCertificate(broken); err == nil || strings.Contains(err.Error(), key.Text()) {
		t.Errorf("a broken file: got %v, want an error without the key", err)
	}
}

// TestSEC16Umask: whatever files are made for, a secret one is its owner's alone from
// the start.
func TestSEC16Umask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	key := secret(t)
	path := filepath.Join(t.TempDir(), "c")
	if err := (&curve.Certificate{Public: key.Public(), Secret: key}).Write(path); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path: 0o644, path + "_secret": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", filepath.Base(name), info.Mode(), err, want)
		}
	}
}

// TestSEC16Replaced: where a file is, or a link to nowhere, none is written.
func TestSEC16Replaced(t *testing.T) {
	dir := t.TempDir()
	key := secret(t)
	path := filepath.Join(dir, "c")
	for _, name := range []string{path, path + "_secret"} {
		target := filepath.Join(dir, "target")
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
		if err := (&curve.Certificate{Public: key.Public(), Secret: key}).Write(path); !errors.Is(err, os.ErrExist) {
			t.Errorf("a link in place of %s: got %v, want os.ErrExist", filepath.Base(name), err)
		}
		if _, err := os.Stat(target); err == nil {
			t.Errorf("the link at %s was followed", filepath.Base(name))
		}
		os.Remove(name)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("left behind: %v, %v, want nothing", list, err)
	}
}

// TestSEC16Directory: what is no certificate in a directory of them, a pipe too, keeps
// nobody out and nothing waiting.
func TestSEC16Directory(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := secret(t)
	if err := (&curve.Certificate{Public: key.Public()}).Write(filepath.Join(dir, "good.key")); err != nil {
		t.Fatal(err)
	}
	d, err := curve.OpenDirectory(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public()
	if v, err := d.Allow(t.Context(), credentials(public[:])); err != nil || !v.Allow {
		t.Errorf("got %+v, %v, want the client let in", v, err)
	}
}

func credentials(key []byte) ringwire.Credentials {
	return ringwire.Credentials{Mechanism: "CURVE", PublicKey: key}
}
