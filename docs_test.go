package ringwire_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedTestsExist: documents name no test that is not there.
func TestDocumentedTestsExist(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		code.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	all := code.String()
	least := map[string]int{"docs/reliability-tests.md": 100, "docs/interop.md": 40, "SECURITY.md": 2, "benchmarks/internal/attack/catalogue.go": 6}
	for _, document := range append(documents(t), "benchmarks/internal/attack/catalogue.go") {
		names := regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9]*`).FindAllString(readFile(t, document), -1)
		if len(names) < least[document] {
			t.Fatalf("%s: found %d tests, want %d or more", document, len(names), least[document])
		}
		for _, name := range names {
			// The names of groups of tests stand for all that begin so.
			group := name == "TestSEC" || name == "TestBad"
			if !strings.Contains(all, "func "+name+"(") && !(group && strings.Contains(all, "func "+name)) {
				t.Errorf("%s names %s, which does not exist", document, name)
			}
		}
	}
}
