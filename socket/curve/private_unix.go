//go:build unix

package curve

import (
	"errors"
	"io/fs"
)

// private is an error if others may do anything with a file.
func private(info fs.FileInfo) error {
	if info.Mode().Perm()&0o077 != 0 {
		return errors.New("loose permissions")
	}
	return nil
}
