package host

import (
	"os"
	"path/filepath"
	"strings"
)

// Command is the command line of this process as a run records it: the program by
// its name, and nothing that tells of the machine's directories. An absolute path
// becomes one relative to the working directory, or its last element where it leads
// out of that.
func Command() []string {
	directory, _ := os.Getwd() // without one, every path leads out of it
	return append([]string{"benchmarks"}, withoutDirectories(os.Args[1:], directory)...)
}

func withoutDirectories(args []string, directory string) []string {
	var list []string
	for _, arg := range args {
		// --flag=path, or a path alone.
		flag, path, ok := strings.Cut(arg, "=")
		if !ok || !strings.HasPrefix(arg, "-") {
			flag, path = "", arg
		} else {
			flag += "="
		}
		list = append(list, flag+relative(path, directory))
	}
	return list
}

func relative(path, directory string) string {
	if !filepath.IsAbs(path) {
		return path
	}
	if inside, err := filepath.Rel(directory, path); err == nil && filepath.IsLocal(inside) {
		return filepath.ToSlash(inside)
	}
	return filepath.Base(path)
}
