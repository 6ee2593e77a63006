package ringwire_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReliabilityTestsExist: docs/reliability-tests.md names no test that is not
// there.
func TestReliabilityTestsExist(t *testing.T) {
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
	names := regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9]*`).FindAllString(readFile(t, "docs/reliability-tests.md"), -1)
	if len(names) < 100 {
		t.Fatalf("found %d tests in the table, want all of them", len(names))
	}
	all := code.String()
	for _, name := range names {
		// The names of groups of tests stand for all that begin so.
		group := name == "TestSEC" || name == "TestBad"
		if !strings.Contains(all, "func "+name+"(") && !(group && strings.Contains(all, "func "+name)) {
			t.Errorf("docs/reliability-tests.md names %s, which does not exist", name)
		}
	}
}
