package examples

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// unnumbered are the examples that are no pattern: to begin with, and to add to any.
var unnumbered = []string{"quickstart", "secure"}

// folders are the examples on disk.
func folders(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// TestTable: every folder has one row, every row a folder, in order; the number is that
// of the folder, the command is the one that runs it, and no cell is empty.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	numbered := regexp.MustCompile(`^([0-9][0-9])-[a-z]+(-[a-z]+)*$`)
	var rows []string
	header := true
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		if header {
			header = !strings.HasPrefix(cells[0], "---")
			continue
		}
		if len(cells) != 5 || slices.Contains(cells, "") {
			t.Errorf("row %q: want five cells, none of them empty", line)
			continue
		}
		number, folder, command := cells[0], cells[1], cells[4]
		rows = append(rows, folder)
		if want := "`go run ./examples/" + folder + "`"; command != want {
			t.Errorf("row %s: got the command %s, want %s", folder, command, want)
		}
		want := "-"
		if m := numbered.FindStringSubmatch(folder); m != nil {
			want = m[1]
		} else if !slices.Contains(unnumbered, folder) {
			t.Errorf("row %s: want a name such as 01-hello", folder)
		}
		if number != want {
			t.Errorf("row %s: got the number %s, want %s", folder, number, want)
		}
	}
	disk := folders(t)
	for _, folder := range disk {
		if !slices.Contains(rows, folder) {
			t.Errorf("folder %s has no row", folder)
		}
	}
	for i, folder := range rows {
		if !slices.Contains(disk, folder) {
			t.Errorf("row %s has no folder", folder)
		}
		if slices.Contains(rows[:i], folder) {
			t.Errorf("%s has two rows", folder)
		}
	}
	if got := slices.DeleteFunc(slices.Clone(rows), func(f string) bool { return slices.Contains(unnumbered, f) }); !slices.IsSorted(got) {
		t.Errorf("the rows are not in the order of their numbers: %v", got)
	}
}

// TestEveryExampleRuns: what the commands of the table run ends by itself, with exit
// code 0, says something, and complains of nothing; but of a role that it does not have,
// and of arguments that are no flags.
func TestEveryExampleRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds and runs every example")
	}
	programs := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", programs+string(filepath.Separator), "./...")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			program := filepath.Join(programs, folder)
			if runtime.GOOS == "windows" {
				program += ".exe"
			}
			// They take a second or two.
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, program)
			cmd.Dir = ".." // where the command of the table is run
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Run(); err != nil {
				t.Errorf("%v, %v\n%s%s", err, context.Cause(ctx), stdout.Bytes(), stderr.Bytes())
			}
			if stdout.Len() == 0 {
				t.Error("it prints nothing")
			}
			if stderr.Len() != 0 {
				t.Errorf("it complains: %s", stderr.Bytes())
			}
			if slices.Contains(unnumbered, folder) { // it has no roles
				return
			}
			out, err := exec.CommandContext(ctx, program, "-role", "nobody").CombinedOutput()
			if err == nil || ctx.Err() != nil || !strings.Contains(string(out), "nobody") {
				t.Errorf("with a role that does not exist: %v, want an error that names it\n%s", err, out)
			}
			// Otherwise who writes "server" for "-role server" sees the whole story instead.
			out, err = exec.CommandContext(ctx, program, "server").CombinedOutput()
			if err == nil || ctx.Err() != nil || !strings.Contains(string(out), `argument "server"`) {
				t.Errorf("with an argument that is no flag: %v, want an error that names it\n%s", err, out)
			}
		})
	}
}

// TestComment: the comment at the top of every example has its command.
func TestComment(t *testing.T) {
	for _, folder := range folders(t) {
		source, err := os.ReadFile(filepath.Join(folder, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		comment, _, _ := strings.Cut(string(source), "package main")
		if !strings.Contains(comment, "//\tgo run ./examples/"+folder+"\n") {
			t.Errorf("the comment of %s does not have its command", folder)
		}
	}
}
