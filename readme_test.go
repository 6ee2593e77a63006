package ringwire_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blocks returns the fenced blocks of a Markdown text in the given language.
func blocks(text, language string) (list []string) {
	fence := regexp.MustCompile("(?ms)^```" + language + "\n(.*?)^```$")
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// lines is a text without indentation and empty lines, for comparing.
func lines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			b.WriteString(line)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// The Go snippet of the README is a program that runs as it stands there, and prints
// what the README says.
func TestREADMESnippetRuns(t *testing.T) {
	readme := readFile(t, "README.md")
	snippets := blocks(readme, "go")
	if len(snippets) != 1 {
		t.Fatalf("got %d Go snippets in the README, want the quick start", len(snippets))
	}
	program := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(program, []byte(snippets[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "run", program).CombinedOutput()
	if err != nil {
		t.Fatalf("go run: %v\n%s", err, out)
	}
	_, claim, _ := strings.Cut(readme, "which says `")
	claim, _, _ = strings.Cut(claim, "`")
	if got := strings.TrimSpace(string(out)); got != claim {
		t.Errorf("the quick start prints %q, the README says %q", got, claim)
	}
}

// The first Python lines of the README are those of a client that a test of the example
// runs. The publisher and the subscriber are run from here by a test of
// device/forwarder; they are those of its own README.
func TestREADMEPythonIsRun(t *testing.T) {
	snippets := blocks(readFile(t, "README.md"), "python")
	if len(snippets) != 3 {
		t.Fatalf("got %d Python snippets in the README, want 3", len(snippets))
	}
	client := lines(readFile(t, "examples/23-python/client.py"))
	for line := range strings.Lines(lines(snippets[0])) {
		line = strings.Replace(line, `"tcp://127.0.0.1:5555"`, "endpoint", 1)
		_, rest, found := strings.Cut(client, line)
		if !found {
			t.Fatalf("%q of the README is not in examples/23-python/client.py, or not in this order", line)
		}
		client = rest
	}
	if got, want := snippets[1:], blocks(readFile(t, "device/forwarder/README.md"), "python"); !slices.Equal(got, want[:min(len(got), len(want))]) {
		t.Errorf("the README has the publisher and subscriber\n%q\nand device/forwarder/README.md\n%q", got, want)
	}
}

// What the documents point at exists.
func TestDocumentLinksExist(t *testing.T) {
	paths := regexp.MustCompile("[`( ]((?:docs|socket|pattern|internal|transport|examples|benchmarks|device)/[a-z0-9_/.*-]+)")
	documents, _ := filepath.Glob("*.md")
	more, _ := filepath.Glob("docs/*.md")
	for _, doc := range append(documents, more...) {
		for _, m := range paths.FindAllStringSubmatch(readFile(t, doc), -1) {
			path := strings.TrimRight(m[1], "./")
			if found, err := filepath.Glob(path); err != nil || len(found) == 0 {
				t.Errorf("%s points at %s, which does not exist", doc, path)
			}
		}
	}
}
