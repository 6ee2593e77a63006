package host

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const module = "github.com/ringwire/ringwire"

// cached is the directory of a program that go run has in the build cache.
var cached = regexp.MustCompile(`^[0-9a-f]{64}-d$`)

// madeByGoRun reports whether a program is where go run makes it. One that was
// built somewhere may be of any commit.
func madeByGoRun(program string) bool {
	directory := filepath.Dir(program)
	if cached.MatchString(filepath.Base(directory)) {
		return true
	}
	for part := range strings.SplitSeq(filepath.ToSlash(directory), "/") {
		if strings.HasPrefix(part, "go-build") {
			return filepath.Base(directory) == "exe"
		}
	}
	return false
}

// checkedOut asks git for the commit of the working tree that the program was
// started in, if that is this module's: with go run it is.
func checkedOut(ctx context.Context) string {
	root, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return ""
	}
	file, err := os.ReadFile(filepath.Join(filepath.FromSlash(root), "go.mod"))
	if err != nil || !declares(string(file), module) {
		return "" // another project's commit would be a lie
	}
	commit, err := git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	changes, err := git(ctx, "status", "--porcelain", "--untracked-files=no")
	if err != nil || changes != "" {
		return commit + "-dirty" // what cannot be shown to be clean is not
	}
	return commit
}

// declares reports whether a go.mod is that of the module.
func declares(file, module string) bool {
	for line := range strings.Lines(file) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "module" {
			return strings.Trim(words[1], `"`) == module
		}
	}
	return false
}

func git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(cmd.Environ(), "GIT_OPTIONAL_LOCKS=0") // look only: somebody may be committing
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
