package sockettest

import (
	"os"
	"strings"
)

// descriptors is the open descriptors and what they are. Those of the
// runtime's poller, which comes with the first connection, are left out.
func descriptors() map[string]string {
	const dir = "/proc/self/fd"
	list := make(map[string]string)
	names, err := os.ReadDir(dir)
	if err != nil {
		return list // no /proc: nothing to compare, before and after
	}
	for _, name := range names {
		target, err := os.Readlink(dir + "/" + name.Name())
		if err != nil || strings.HasPrefix(target, "anon_inode:[event") {
			continue // the one that ReadDir used, among others
		}
		what := name.Name() + " " + target
		list[what] = what
	}
	return list
}
