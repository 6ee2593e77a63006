package curve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Certificate is what a certificate file of czmq or pyzmq has: a public key, in a
// secret file the secret key, too, and what else its owner wrote down.
type Certificate struct {
	Public   PublicKey
	Secret   *SecretKey        // nil in a public certificate
	Metadata map[string]string // names without "=", of at most 255 bytes
}

// The limits of certificate files.
const (
	maxFile     = 64 << 10
	maxMetadata = 100
)

// ErrInsecureFile is what reading a secret certificate wraps that others may read
// or write.
var ErrInsecureFile = errors.New("curve: others may read or replace the secret key")

// ReadCertificate reads a certificate file. One with a secret key must be a
// regular file that nobody but its owner can read or write, who is root or this
// process's user, where the system has such permissions: else the error wraps ErrInsecureFile. Errors name the file
// and the line.
func ReadCertificate(path string) (*Certificate, error) {
	f, err := os.OpenFile(path, readOnly, 0)
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	defer f.Close()
	return read(f, path)
}

func read(f *os.File, path string) (*Certificate, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("curve: %s is no regular file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	defer clear(b)
	if len(b) > maxFile {
		return nil, fmt.Errorf("curve: %s has more than %d bytes", path, maxFile)
	}
	c, err := ParseCertificate(b)
	if err != nil {
		return nil, fmt.Errorf("curve: %s: %w", path, err)
	}
	if c.Secret != nil {
		if err := private(info); err != nil {
			return nil, fmt.Errorf("%w in %s: %w", ErrInsecureFile, path, err)
		}
	}
	return c, nil
}

// ParseCertificate reads what is in a certificate file: ZPL (ZeroMQ RFC 4), as
// czmq and pyzmq write it. An unknown section is ignored.
func ParseCertificate(b []byte) (*Certificate, error) {
	c := &Certificate{Metadata: make(map[string]string)}
	var section string
	var found bool
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue // a # elsewhere is a part of a key
		}
		name, value, ok := strings.Cut(text, "=")
		name, value = strings.TrimSpace(name), unquote(strings.TrimSpace(value))
		switch {
		case line[0] != ' ' && line[0] != '\t':
			section = name
			continue
		case !ok:
			return nil, fmt.Errorf("line %d: want name = value", i+1)
		}
		var err error
		switch {
		case section == "metadata":
			if len(c.Metadata) >= maxMetadata {
				return nil, fmt.Errorf("line %d: more than %d entries of metadata", i+1, maxMetadata)
			}
			c.Metadata[name] = value
		case section == "curve" && name == "public-key":
			c.Public, err = ParsePublicKey(value)
			found = true
		case section == "curve" && name == "secret-key":
			c.Secret, err = ParseSecretKey(value)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", i+1, name, err)
		}
	}
	if !found {
		return nil, errors.New("there is no public-key in a section curve")
	}
	if c.Secret != nil && c.Secret.Public() != c.Public {
		return nil, errors.New("the public key does not belong to the secret key")
	}
	return c, nil
}

func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// Write writes the certificate as czmq does: the public one to path, for everybody
// to read, and, if there is a secret key, the secret one to path + "_secret", which
// nobody but the owner can read from the moment it exists. Files that exist are
// not overwritten. A public key of zeros is an error. On an error neither is left behind.
func (c *Certificate) Write(path string) error {
	if c.Public == (PublicKey{}) {
		return errors.New("curve: the public key of the certificate is all zeros, want one of a SecretKey")
	}
	if c.Secret != nil && c.Secret.Public() != c.Public {
		return errors.New("curve: the public key does not belong to the secret key")
	}
	for name, value := range c.Metadata {
		if name == "" || len(name) > 255 || strings.ContainsAny(name, "=\"'\r\n#") || strings.TrimSpace(name) != name || strings.ContainsAny(value, "\"\r\n") {
			return fmt.Errorf("curve: metadata %q = %q cannot be written", name, value)
		}
	}
	if err := create(path, c.text(false), 0o644); err != nil {
		return err
	}
	if c.Secret == nil {
		return nil
	}
	b := c.text(true)
	defer clear(b)
	if err := create(path+"_secret", b, 0o600); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func (c *Certificate) text(secret bool) []byte {
	var b bytes.Buffer
	b.WriteString("#   ZeroMQ CURVE ")
	if secret {
		b.WriteString("**Secret** Certificate\n#   Keep this file to yourself, with the permissions it has.\n")
	} else {
		b.WriteString("Public Certificate\n#   Give it to peers in a way that nobody can change it.\n")
	}
	b.WriteString("\nmetadata\n")
	for _, name := range slices.Sorted(maps.Keys(c.Metadata)) {
		fmt.Fprintf(&b, "    %s = \"%s\"\n", name, c.Metadata[name])
	}
	fmt.Fprintf(&b, "curve\n    public-key = \"%s\"\n", c.Public)
	if secret {
		fmt.Fprintf(&b, "    secret-key = \"%s\"\n", c.Secret.Text())
	}
	return b.Bytes()
}

// create writes a file that must not exist.
func create(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("curve: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return errors.Join(fmt.Errorf("curve: %w", err), os.Remove(path))
	}
	return nil
}
