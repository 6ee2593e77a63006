package interop_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/peertest"
	"github.com/ringwire/ringwire/socket/curve"
)

// needCzmq skips without the C library czmq, or fails: see startPython.
func needCzmq(t *testing.T) *python {
	t.Helper()
	py := startPython(t)
	if out, err := exec.Command(peertest.Python(t, "zmq"), "-c", `import ctypes; ctypes.CDLL("libczmq.so.4")`).CombinedOutput(); err != nil {
		if os.Getenv("RINGWIRE_INTEROP") == "require" {
			t.Fatalf("no czmq (Debian's libczmq4 has it), and RINGWIRE_INTEROP=require: %s", out)
		}
		t.Skip("no czmq: Debian's libczmq4 has it")
	}
	return py
}

var written = map[string]string{"name": "broker 1", "email": "broker@example.org"}

// readBoth reads the two files of a certificate and holds them to what the other
// implementation says that is in them.
func readBoth(t *testing.T, public, secret, publicText, secretText string, meta bool) {
	t.Helper()
	for path, want := range map[string]string{public: "", secret: secretText} {
		c, err := curve.ReadCertificate(path)
		if err != nil {
			t.Error(err)
			continue
		}
		got := ""
		if c.Secret != nil {
			got = c.Secret.Text()
		}
		if c.Public.String() != publicText || got != want {
			t.Errorf("%s: got the keys %s, %q, want %s, %q", path, c.Public, got, publicText, want)
		}
		if want == "" && !meta {
			continue
		}
		for name, value := range written {
			if c.Metadata[name] != value {
				t.Errorf("%s: metadata %s: got %q, want %q", path, name, c.Metadata[name], value)
			}
		}
	}
}

// ours writes a certificate and returns the path of its public half.
func ours(t *testing.T, name string) (path string, key *curve.SecretKey) {
	t.Helper()
	key, err := curve.NewSecretKey()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := (&curve.Certificate{Public: key.Public(), Secret: key, Metadata: written}).Write(path); err != nil {
		t.Fatal(err)
	}
	return path, key
}

// TestPyzmqCertificates: pyzmq's files read, ours read by pyzmq. It leaves its
// secret files open to everybody where the umask does, and we then refuse them.
func TestPyzmqCertificates(t *testing.T) {
	py := startPython(t)
	dir := t.TempDir()
	files := py.call(command{"op": "pyzmq_write", "directory": dir, "name": "theirs", "metadata": written}).Text
	public, secret := files[0], files[1]
	if runtime.GOOS != "windows" {
		if err := os.Chmod(secret, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := curve.ReadCertificate(secret); !errors.Is(err, curve.ErrInsecureFile) {
			t.Errorf("a secret that everybody can read: got %v, want ErrInsecureFile", err)
		}
	}
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	keys := py.call(command{"op": "pyzmq_read", "path": secret}).Text
	readBoth(t, public, secret, keys[0], keys[1], false)

	d, err := curve.OpenDirectory(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := curve.ParsePublicKey(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if v, err := d.Allow(context.Background(), ringwire.Credentials{Mechanism: "CURVE", PublicKey: key[:]}); err != nil || !v.Allow {
		t.Errorf("the directory of pyzmq's certificates: got %+v, %v, want the key to be allowed", v, err)
	}

	path, mine := ours(t, "ours.key")
	for path, want := range map[string]string{path: "", path + "_secret": mine.Text()} {
		if got := py.call(command{"op": "pyzmq_read", "path": path}).Text; got[0] != mine.Public().String() || got[1] != want {
			t.Errorf("%s: pyzmq read %q, want %s, %q", path, got, mine.Public(), want)
		}
	}
}

// TestCzmqCertificates: czmq's files read, ours read by czmq.
func TestCzmqCertificates(t *testing.T) {
	py := needCzmq(t)
	path := filepath.Join(t.TempDir(), "theirs.cert")
	keys := py.call(command{"op": "czmq_write", "path": path, "metadata": written}).Text
	readBoth(t, path, path+"_secret", keys[0], keys[1], true)

	path, mine := ours(t, "ours.cert")
	got := py.call(command{"op": "czmq_read", "path": path, "meta": "name"}).Text // looks for the secret file by itself
	if got[0] != mine.Public().String() || got[1] != mine.Text() || got[2] != written["name"] {
		t.Errorf("czmq read the keys %s, %s, name %q, want %s, %s, %q", got[0], got[1], got[2], mine.Public(), mine.Text(), written["name"])
	}
}
