package ringwire_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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

// Every Go snippet of the README stands in an example that is compiled, run and
// compared with its output.
func TestREADMESnippetsAreCompiled(t *testing.T) {
	examples := lines(readFile(t, "examples/hello/main.go"))
	snippets := blocks(readFile(t, "README.md"), "go")
	if len(snippets) == 0 {
		t.Fatal("the README has no Go snippet, want the quick start")
	}
	for _, s := range snippets {
		if !strings.Contains(examples, lines(s)) {
			t.Errorf("this snippet of the README is not in examples/hello/main.go:\n%s", s)
		}
	}
}

// The Python lines of the README are those that a test of the example runs. The
// publisher and the subscriber are run from here by a test of device/forwarder; they
// are those of its own README.
func TestREADMEPythonIsRun(t *testing.T) {
	snippets := blocks(readFile(t, "README.md"), "python")
	if len(snippets) != 3 {
		t.Fatalf("got %d Python snippets in the README, want 3", len(snippets))
	}
	code := strings.ReplaceAll(snippets[0], "import zmq", "import sys, zmq")
	code = strings.ReplaceAll(code, `"tcp://127.0.0.1:5555"`, "sys.argv[1]")
	if !strings.Contains(lines(readFile(t, "examples/python/main_test.go")), lines(code)) {
		t.Errorf("this snippet of the README is not in examples/python/main_test.go:\n%s", snippets[0])
	}
	if got, want := snippets[1:], blocks(readFile(t, "device/forwarder/README.md"), "python"); !slices.Equal(got, want) {
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
