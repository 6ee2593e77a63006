package curve

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
)

// Directory is an Authenticator's list of clients in a directory of public
// certificates, such as czmq's and pyzmq's: whose certificate is there is let in.
// It is looked at again when it, or a file in it, changed, at most once a second,
// so that clients can be added and removed while sockets are open; connections that
// exist stay.
type Directory struct {
	path   string       // immutable
	logger *slog.Logger // immutable, may be nil

	mu     sync.Mutex
	looked time.Time            // guarded by mu
	files  map[string]file      // by name; guarded by mu
	names  map[PublicKey]string // what each client is called; guarded by mu
}

// file is a certificate as it was when last read.
type file struct {
	modified time.Time
	size     int64
	key      PublicKey
	name     string
	ok       bool
}

// reloadEvery is how often the directory is looked at, at most.
const reloadEvery = time.Second

// OpenDirectory reads a directory of certificates. A file that is none is skipped,
// and told to logger, which may be nil; files that begin with a dot or end in
// "_secret" are not looked at, and no link leads out of the directory.
func OpenDirectory(path string, logger *slog.Logger) (*Directory, error) {
	d := &Directory{path: path, logger: logger, files: make(map[string]file)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(); err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	return d, nil
}

// Allow is the Authenticator. The principal is the certificate's metadata "name",
// else its file's name. A directory that cannot be read lets nobody in.
func (d *Directory) Allow(_ context.Context, c ringwire.Credentials) (ringwire.Verdict, error) {
	key, err := keyOf(c)
	if err != nil {
		return ringwire.Verdict{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.looked) >= reloadEvery {
		if err := d.load(); err != nil {
			return ringwire.Verdict{}, fmt.Errorf("curve: %w", err)
		}
	}
	name, ok := d.names[key]
	return ringwire.Verdict{Allow: ok, Principal: name}, nil
}

// Reload looks at the directory now.
func (d *Directory) Reload() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(); err != nil {
		return fmt.Errorf("curve: %w", err)
	}
	return nil
}

// load needs mu.
func (d *Directory) load() error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	defer root.Close()
	list, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	files := make(map[string]file)
	names := make(map[PublicKey]string)
	for _, entry := range list {
		name := entry.Name()
		if entry.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, "_secret") {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // it has just gone
		}
		f := d.files[name]
		if !f.modified.Equal(info.ModTime()) || f.size != info.Size() {
			f = file{modified: info.ModTime(), size: info.Size()}
			if err := f.read(root, name); err != nil && d.logger != nil {
				d.logger.Warn("curve: not a certificate", "directory", d.path, "file", name, "err", err)
			}
		}
		files[name] = f
		if f.ok {
			names[f.key] = f.name
		}
	}
	d.files, d.names, d.looked = files, names, time.Now()
	return nil
}

func (f *file) read(root *os.Root, name string) error {
	opened, err := root.OpenFile(name, readOnly, 0)
	if err != nil {
		return err
	}
	defer opened.Close()
	c, err := read(opened, name)
	if err != nil {
		return err
	}
	f.key, f.name, f.ok = c.Public, name, true
	if n := c.Metadata["name"]; n != "" {
		f.name = n
	}
	return nil
}
