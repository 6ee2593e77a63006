//go:build !unix

package curve

import (
	"io/fs"
	"os"
)

// readOnly opens a file to be read.
const readOnly = os.O_RDONLY

// private knows nothing of other systems' permissions.
func private(fs.FileInfo) error { return nil }
