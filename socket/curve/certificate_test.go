package curve_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket/curve"
)

// The test key of RFC 32 and of libzmq's manual.
const (
	rfcPublic = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
	rfcSecret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
)

// TestSEC12Z85: RFC 32's vector, and what is no Z85.
func TestSEC12Z85(t *testing.T) {
	want := []byte{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}
	if got := curve.EncodeZ85(want); got != "HelloWorld" {
		t.Errorf("EncodeZ85: got %q, want HelloWorld", got)
	}
	if got, err := curve.DecodeZ85("HelloWorld"); err != nil || string(got) != string(want) {
		t.Errorf("DecodeZ85: got %x, %v, want %x", got, err, want)
	}
	for _, bad := range []string{"H", "Hello Worl", "#####", "Hell\x00", "HelloWorl\"", "\xff\xff\xff\xff\xff"} {
		if got, err := curve.DecodeZ85(bad); err == nil {
			t.Errorf("DecodeZ85(%q) = %x, want an error", bad, got)
		}
	}
	for _, n := range []int{0, 39, 41, 45} {
		if _, err := curve.ParsePublicKey(strings.Repeat("a", n)); err == nil {
			t.Errorf("a key of %d characters: got nil, want an error", n)
		}
	}
	for give, want := range map[string]string{
		rfcPublic + "\n":     "no newline behind it",
		rfcPublic + "\r\n":   "no newline behind it",
		" " + rfcPublic:      "no white space around it",
		rfcPublic[:39] + ",": `character 40 of a Z85 text is not in its alphabet: ","`,
		"é" + rfcPublic[:38]: `character 1 of a Z85 text is not in its alphabet: "é"`,
	} {
		if _, err := curve.ParsePublicKey(give); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePublicKey(%q): got %v, want an error that says %s", give, err, want)
		}
	}
	k, err := curve.ParseSecretKey(rfcSecret)
	if err != nil || k.Public().String() != rfcPublic || k.Text() != rfcSecret {
		t.Errorf("the manual's key pair: got %v, %v, want %s", k, err, rfcPublic)
	}
}

// TestSEC16RoundTrip: what is written is read, and only its owner can read a secret.
func TestSEC16RoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broker")
	k := secret(t)
	c := &curve.Certificate{Public: k.Public(), Secret: k, Metadata: map[string]string{"name": "broker 1", "site": "it's here"}}
	if err := c.Write(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + "_secret")
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the secret file has mode %v, %v, want 0600", info.Mode(), err)
	}
	for name, want := range map[string]string{path: "", path + "_secret": k.Text()} {
		got, err := curve.ReadCertificate(name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Public != k.Public() || got.Metadata["name"] != "broker 1" || got.Metadata["site"] != "it's here" ||
			(got.Secret == nil) != (want == "") || got.Secret != nil && got.Secret.Text() != want {
			t.Errorf("%s: got %+v", filepath.Base(name), got)
		}
	}
	if err := c.Write(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("writing it again: got %v, want os.ErrExist", err)
	}
	if err := os.Chmod(path+"_secret", 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := curve.ReadCertificate(path + "_secret"); !errors.Is(err, curve.ErrInsecureFile) {
		t.Errorf("a secret that others can read: got %v, want ErrInsecureFile", err)
	}
	if _, err := curve.ReadCertificate(t.TempDir()); err == nil {
		t.Error("a directory: got nil, want an error")
	}
	bad := &curve.Certificate{Public: secret(t).Public(), Secret: k}
	if err := bad.Write(path + "2"); err == nil {
		t.Error("a public key of another: got nil, want an error")
	}
}

// TestParseCertificate: what czmq and pyzmq write, and what is wrong in a file.
func TestParseCertificate(t *testing.T) {
	for name, text := range map[string]string{
		"pyzmq":   "#   ****  Generated on 2026-01-01 by pyzmq  ****\n#   ZeroMQ CURVE **Secret** Certificate\n\nmetadata\n    name = bob\ncurve\n    public-key = \"" + rfcPublic + "\"\n    secret-key = \"" + rfcSecret + "\"\n",
		"czmq":    "#   ****  Generated on 2026-01-01 by CZMQ  ****\nmetadata\n    name = \"bob\"\ncurve\n    public-key = \"" + rfcPublic + "\"\n    secret-key = \"" + rfcSecret + "\"\n",
		"windows": "metadata\r\n\tname = 'bob'\r\ncurve\r\n\tpublic-key = " + rfcPublic + "\r\n\tsecret-key = '" + rfcSecret + "'\r\n",
	} {
		c, err := curve.ParseCertificate([]byte(text))
		if err != nil || c.Public.String() != rfcPublic || c.Secret == nil || c.Secret.Text() != rfcSecret || c.Metadata["name"] != "bob" {
			t.Errorf("%s: got %+v, %v", name, c, err)
		}
	}
	for text, want := range map[string]string{
		"":                                "public-key",
		"curve\n    public-key = \"abc\"": "line 2",
		"curve\n    nonsense":             "line 2",
		"curve\n    public-key = " + rfcPublic + "\n    secret-key = " + strings.Repeat("0", 40):                       "does not belong",
		"metadata\n" + strings.Repeat("    a = b\n", 3) + fmt.Sprint("curve\n    public-key = ", rfcPublic[:39], "\""): "line 6",
	} {
		if c, err := curve.ParseCertificate([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v, want an error with %q", text, c, err, want)
		}
	}
}

// TestDirectory: clients come and go with their files.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	alice, bob := secret(t), secret(t)
	write := func(name string, k *curve.SecretKey, label string) {
		t.Helper()
		c := &curve.Certificate{Public: k.Public(), Metadata: map[string]string{}}
		if label != "" {
			c.Metadata["name"] = label
		}
		if err := c.Write(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("alice.key", alice, "Alice")
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "bob.key")
	if err := (&curve.Certificate{Public: bob.Public()}).Write(outside); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "bob.key")); err != nil {
		t.Skip(err)
	}
	d, err := curve.OpenDirectory(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	allowed := func(k *curve.SecretKey) (bool, string) {
		t.Helper()
		p := k.Public()
		v, err := d.Allow(t.Context(), ringwire.Credentials{Mechanism: "CURVE", PublicKey: p[:]})
		if err != nil {
			t.Fatal(err)
		}
		return v.Allow, v.Principal
	}
	if ok, who := allowed(alice); !ok || who != "Alice" {
		t.Errorf("alice: got %v, %q, want true, Alice", ok, who)
	}
	if ok, _ := allowed(bob); ok {
		t.Error("a link out of the directory lets its key in")
	}
	os.Remove(filepath.Join(dir, "bob.key"))
	write("bob.key", bob, "")
	os.Remove(filepath.Join(dir, "alice.key"))
	if err := d.Reload(); err != nil {
		t.Fatal(err)
	}
	if ok, who := allowed(bob); !ok || who != "bob.key" {
		t.Errorf("bob: got %v, %q, want true, bob.key", ok, who)
	}
	if ok, _ := allowed(alice); ok {
		t.Error("alice is let in though her certificate is gone")
	}
	if _, err := curve.OpenDirectory(filepath.Join(dir, "nowhere"), nil); err == nil {
		t.Error("a directory that is not there: got nil, want an error")
	}
}

// TestWriteWithoutKey: a certificate without a public key is not written.
func TestWriteWithoutKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	if err := (&curve.Certificate{}).Write(path); err == nil || !strings.Contains(err.Error(), "all zeros") {
		t.Errorf("Write of no key: got %v, want an error that says that it is all zeros", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file: got %v, want none", err)
	}
}
