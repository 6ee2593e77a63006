package ringwire_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// snippet is a piece of Go in a document.
type snippet struct {
	document string
	line     int // of its first line
	code     string
	run      bool
}

func (s snippet) String() string { return fmt.Sprintf("%s:%d", s.document, s.line) }

// program reports whether the snippet is one, as the README's quick start.
func (s snippet) program() bool { return strings.HasPrefix(s.code, "package main\n") }

// want is what the snippet says that it prints.
func (s snippet) want() string {
	_, claim, found := strings.Cut(s.code, "// Output:")
	if !found {
		return ""
	}
	var b strings.Builder
	for line := range strings.Lines(claim) {
		b.WriteString(strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "//"), " "))
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}

// compiledOnly stands before a snippet that shall not be run, with a reason.
var compiledOnly = regexp.MustCompile(`^<!-- compiled, not run: .+ -->$`)

// snippetsOf returns the Go of a document's fences.
func snippetsOf(t *testing.T, document string) (list []snippet) {
	t.Helper()
	var code *strings.Builder
	run, number := true, 0
	for line := range strings.Lines(readFile(t, document)) {
		number++
		text := strings.TrimRight(line, "\n")
		switch {
		case code == nil && strings.HasPrefix(strings.TrimSpace(text), "```go"):
			if text != "```go" {
				t.Errorf("%s:%d: a fence of Go is %q, want ```go at the beginning of the line", document, number, text)
			}
			code = new(strings.Builder)
			list = append(list, snippet{document: document, line: number + 1, run: run})
		case code == nil:
			if text != "" {
				run = !compiledOnly.MatchString(text)
			}
		case text == "```":
			list[len(list)-1].code = code.String()
			code, run = nil, true
		default:
			code.WriteString(line)
		}
	}
	return list
}

// documents are all Markdown files.
func documents(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() != "." && strings.HasPrefix(d.Name(), ".") {
			return cmpOr(err, fs.SkipDir)
		}
		if !d.IsDir() && strings.HasSuffix(path, ".md") {
			list = append(list, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func cmpOr(err, or error) error {
	if err != nil {
		return err
	}
	return or
}

// snippetImports are the packages that a snippet may use without saying so.
var snippetImports = map[string]string{
	"context": "", "errors": "", "fmt": "", "io": "", "log": "", "os": "", "sync": "", "time": "", "maps": "", "slices": "", "strings": "",
	"slog": "log/slog", "netip": "net/netip", "http": "net/http", "tls": "crypto/tls", "x509": "crypto/x509", "signal": "os/signal", "runtime": "",
	"ringwire": module, "socket": module + "/socket", "pattern": module + "/pattern", "device": module + "/device",
	"transport": module + "/transport", "inproc": module + "/transport/inproc", "tlstcp": module + "/transport/tlstcp",
	"typed": module + "/socket/typed", "observe": module + "/socket/observe", "curve": module + "/socket/curve",
	"plain": module + "/socket/plain", "zap": module + "/socket/zap", "sockettest": module + "/socket/sockettest",
}

// imports is what stands before code that selects from packages.
func imports(t *testing.T, code string) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", code, 0)
	if err != nil {
		t.Fatalf("%v in\n%s", err, code)
	}
	used := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	var b strings.Builder
	for name, path := range snippetImports {
		if !used[name] {
			continue
		}
		if path == "" {
			path = name
		}
		fmt.Fprintf(&b, "import %s %q\n", name, path)
	}
	return b.String()
}

// wrapped is the file of a snippet that is the inside of a function.
func (s snippet) wrapped(t *testing.T, i int) string {
	body := fmt.Sprintf("func snippet%d() error {\n//line %s:%d\n%s\nreturn nil\n}\n", i, s.document, s.line, s.code)
	return "package main\n" + imports(t, "package main\n"+body) + body
}

// TestSnippetsOfDocuments compiles every piece of Go in every document, and runs it: a
// whole program as it stands, anything else as the inside of a function that returns an
// error, with the sockets of testdata/snippets. What it prints is what it says behind
// "// Output:".
func TestSnippetsOfDocuments(t *testing.T) {
	var inner []snippet
	for _, document := range documents(t) {
		fenced := regexp.MustCompile("(?ms)^```[a-z]*\n.*?^```$").FindAllString(readFile(t, document), -1)
		for _, f := range fenced {
			if !strings.HasPrefix(f, "```go\n") && strings.Contains(f, "socket.New(") {
				t.Errorf("%s has Go in a fence that does not say so:\n%s", document, f)
			}
		}
		for _, s := range snippetsOf(t, document) {
			switch {
			case !s.program():
				inner = append(inner, s)
			case document != "README.md": // TestREADMESnippetRuns has that one
				out := goRun(t, map[string]string{"main.go": s.code})
				if want := s.want(); out != want {
					t.Errorf("%s prints\n%s\nand says\n%s", s, out, want)
				}
			}
		}
	}
	for _, dir := range documented {
		inner = append(inner, usage(t, dir)...)
	}
	if len(inner) < 15 {
		t.Fatalf("got %d snippets, want those of the guide and more", len(inner))
	}
	files := map[string]string{"main.go": readFile(t, "testdata/snippets/main.go")}
	var list strings.Builder
	for i, s := range inner {
		files[fmt.Sprintf("snippet%d.go", i)] = s.wrapped(t, i)
		echo := !regexp.MustCompile(`\brep\b`).MatchString(s.code)
		if s.run {
			fmt.Fprintf(&list, "{%q, snippet%d, %v},\n", s, i, echo)
		} else {
			fmt.Fprintf(&list, "{%q, nil, false},\n", s)
			t.Logf("%s is compiled and not run", s)
		}
	}
	files["list.go"] = "package main\nvar snippets = []snippet{\n" + list.String() + "}\n"
	for i, s := range inner {
		if !s.run {
			files["list.go"] += fmt.Sprintf("var _ = snippet%d\n", i)
		}
	}
	out := goRun(t, files)
	for i, part := range strings.Split(out, "=== ")[1:] {
		name, got, _ := strings.Cut(part, "\n")
		if name != inner[i].String() {
			t.Fatalf("got the output of %s, want that of %s", name, inner[i])
		}
		if got, want := strings.TrimSpace(got), inner[i].want(); inner[i].run && got != want {
			t.Errorf("%s prints\n%s\nand says\n%s", name, got, want)
		}
	}
	if n := strings.Count(out, "=== "); n != len(inner) {
		t.Errorf("%d of %d snippets were run:\n%s", n, len(inner), out)
	}
}

// documented are the packages whose package comment has code that shows their use.
var documented = []string{"socket/curve", "socket/plain"}

// usage returns the code in a package's comment. It is compiled only: the package's
// examples run the like.
func usage(t *testing.T, dir string) (list []snippet) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if file.Doc == nil || strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, block := range new(comment.Parser).Parse(file.Doc.Text()).Content {
			if code, ok := block.(*comment.Code); ok {
				list = append(list, snippet{document: filepath.ToSlash(path), line: 1, code: code.Text})
			}
		}
	}
	if len(list) == 0 {
		t.Errorf("the comment of package %s shows no code", dir)
	}
	return list
}

// goRun runs a program of these files with this module's packages, and returns what it
// prints.
func goRun(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"run"}
	for name, code := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	slices.Sort(args[1:])
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go run: %v\n%s\n%s", err, &stderr, out)
	}
	return strings.TrimSpace(string(out))
}

// cell is what stands between backticks in a table of a document.
type cell struct {
	document string
	line     int
	code     string
}

// column returns the code in one column of the tables of a document whose header has
// that name there.
func column(t *testing.T, document, section, name string) (list []cell) {
	t.Helper()
	in, at, number := false, -1, 0
	for line := range strings.Lines(readFile(t, document)) {
		number++
		text := strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(text, "## "); ok {
			in = strings.Contains(title, section)
		}
		if !in || !strings.HasPrefix(text, "|") {
			at = -1
			continue
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(text, `\|`, "\x00"), "|"), "|")
		if at < 0 {
			at = slices.IndexFunc(cells, func(c string) bool { return strings.TrimSpace(c) == name })
			if at < 0 {
				t.Fatalf("%s:%d: a table without a column %q", document, number, name)
			}
			continue
		}
		if at >= len(cells) {
			t.Fatalf("%s:%d: a row of %d cells, want more than %d", document, number, len(cells), at)
		}
		for i, code := range strings.Split(cells[at], "`") {
			if i%2 == 1 {
				list = append(list, cell{document, number, strings.ReplaceAll(code, "\x00", "|")})
			}
		}
	}
	return list
}

// statement makes a statement of an expression or of statements that declare variables
// that nothing uses.
func (c cell) statement(t *testing.T) string {
	t.Helper()
	if e, err := parser.ParseExpr(c.code); err == nil {
		if _, call := e.(*ast.CallExpr); call {
			return c.code
		}
		return "_ = " + c.code
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+c.code+"\n}", 0)
	if err != nil {
		t.Errorf("%s:%d: %q is no Go: %v", c.document, c.line, c.code, err)
		return ""
	}
	use := c.code
	for _, s := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if a, ok := s.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
			for _, v := range a.Lhs {
				if name := v.(*ast.Ident).Name; name != "_" {
					use += "\n_ = " + name
				}
			}
		}
	}
	return use
}

// function is a function of each cell, one after the other.
func functions(t *testing.T, cells []cell) string {
	t.Helper()
	var b strings.Builder
	for i, c := range cells {
		b.WriteString("func cell" + strconv.Itoa(i) + "() {\n")
		fmt.Fprintf(&b, "//line %s:%d\n%s\n}\n", c.document, c.line, c.statement(t))
		fmt.Fprintf(&b, "var _ = cell%d\n", i)
	}
	return b.String()
}
