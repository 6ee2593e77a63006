package curve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/socket/curve"
)

// FuzzZ85: what is read is written again alike, and every key is read or is an error.
func FuzzZ85(f *testing.F) {
	for _, seed := range []string{"", "HelloWorld", rfcPublic, rfcSecret, "#####", "%nSc0", "%nSc1", "Hell", "\xff\xff\xff\xff\xff", rfcPublic + "0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := curve.DecodeZ85(text)
		if err == nil {
			if got := curve.EncodeZ85(b); got != text {
				t.Fatalf("%q is written as %q", text, got)
			}
		} else if b != nil {
			t.Fatalf("%q: got %x and %v", text, b, err)
		}
		key, keyErr := curve.ParsePublicKey(text)
		if want := err == nil && len(text) == 40; (keyErr == nil) != want || want && key.String() != text {
			t.Fatalf("the key %q: got %v, %v, want it read: %v", text, key, keyErr, want)
		}
		secret, secretErr := curve.ParseSecretKey(text)
		if (secretErr == nil) != (keyErr == nil) {
			t.Fatalf("the secret key %q: got %v, the public one %v", text, secretErr, keyErr)
		}
		for _, err := range []error{err, keyErr, secretErr} {
			if err != nil && len(text) >= 8 && strings.Contains(err.Error(), text) {
				t.Fatalf("the error has the text, which may be a secret: %v", err)
			}
		}
		if secret != nil && secret.Text() != text {
			t.Fatalf("the secret key %q is written as %q", text, secret.Text())
		}
	})
}

// FuzzCertificate: a certificate file is an error that does not tell its secret, or is
// read, and then what it is written as is read alike.
func FuzzCertificate(f *testing.F) {
	for _, seed := range []string{
		"", "#\ncurve\n    public-key = \"" + rfcPublic + "\"\n",
		"metadata\n    name = bob\ncurve\n    public-key = '" + rfcPublic + "'\n    secret-key = " + rfcSecret + "\n",
		"curve\r\n\tpublic-key=" + rfcPublic + "\r\n", "metadata\n    a\n", "curve\n    public-key = " + rfcSecret, "metadata\n    = \"\n",
		"curve\n    public-key = " + rfcPublic + "\n    secret-key = " + rfcPublic,
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := curve.ParseCertificate(text)
		if err != nil {
			if strings.Contains(err.Error(), rfcSecret) {
				t.Fatalf("the error has the secret key: %v", err)
			}
			return
		}
		if c.Secret != nil && c.Secret.Public() != c.Public {
			t.Fatal("the keys do not belong to each other")
		}
		if c.Secret != nil || len(c.Metadata) > 3 {
			return // files are slow
		}
		path := filepath.Join(dir, "c")
		if err := c.Write(path); err != nil {
			return // metadata that cannot be written
		}
		defer remove(t, path)
		again, err := curve.ReadCertificate(path)
		if err != nil || again.Public != c.Public || len(again.Metadata) != len(c.Metadata) {
			t.Fatalf("%q is read again as %+v, %v", text, again, err)
		}
		for name, value := range c.Metadata {
			if again.Metadata[name] != value {
				t.Fatalf("metadata %q = %q is read again as %q", name, value, again.Metadata[name])
			}
		}
	})
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
