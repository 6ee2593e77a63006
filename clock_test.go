package ringwire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// clockExceptions are the places where a time is shown to a person, or is no time at
// all: package, enclosing function ("" for a variable of the package), what it does.
var clockExceptions = map[string]string{
	"internal/session  time.Unix":                "a deadline that has passed, never compared",
	"transport/transporttest deadline time.Unix": "likewise",
	"socket/observe viewPeer Time.UTC":           "shown",
	"socket/observe viewEvent Time.UTC":          "shown",
	"socket/observe render Time.UTC":             "shown",
	"socket/curve load Time.Equal":               "of files",
	"device appendSegmentHeader Time.UnixNano":   "written to a file",
	"device/forwarder utc Time.UTC":              "shown",
	"device/forwarder millis Time.UnixMilli":     "shown",
	"device/forwarder clock Time.Format":         "shown",
	"device/forwarder parse time.ParseDuration":  "a duration",
	"device appendRecord Time.UnixNano":          "written to a file",
	"device parseRecord time.Unix":               "read from one",
}

// monotonic are the methods and functions that keep to, or compare by, the monotonic
// reading that time.Now has. Whatever else is done to a time.Time (Unix, Format,
// Round, Truncate, UTC, Equal, Date, ==) sees the wall clock, which a person or ntpd
// may set at any moment.
var monotonic = map[string]bool{
	"Time.Sub": true, "Time.Add": true, "Time.Before": true, "Time.After": true, "Time.Compare": true, "Time.IsZero": true,
	"time.Now": true, "time.Since": true, "time.Until": true, "time.After": true, "time.AfterFunc": true,
	"time.NewTimer": true, "time.NewTicker": true, "time.Sleep": true,
}

type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Standard                bool
}

// TestNoDecisionByTheWallClock type-checks the library: a clock that is set forward or
// back changes no back-off, heartbeat, linger or deadline.
func TestNoDecisionByTheWallClock(t *testing.T) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Standard", "./...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := make(map[string]string)
	var ours []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		name := short(p.ImportPath)
		library := p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
		if library && !strings.HasPrefix(name, "benchmarks") && !strings.HasPrefix(name, "examples") {
			ours = append(ours, p)
		}
	}
	used := make(map[string]bool)
	uses := 0
	for _, p := range ours {
		fset := token.NewFileSet()
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info := &types.Info{Uses: make(map[*ast.Ident]types.Object), Types: make(map[ast.Expr]types.TypeAndValue)}
		config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
			return os.Open(exports[path])
		})}
		if _, err := config.Check(p.ImportPath, fset, files, info); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			for _, decl := range f.Decls {
				function := ""
				if d, ok := decl.(*ast.FuncDecl); ok {
					function = d.Name.Name
				}
				ast.Inspect(decl, func(n ast.Node) bool {
					what, at := clockUse(info, n), token.NoPos
					if what == "" {
						return true
					}
					at = n.Pos()
					uses++
					if monotonic[what] {
						return true
					}
					place := fmt.Sprintf("%s %s %s", short(p.ImportPath), function, what)
					if _, ok := clockExceptions[place]; !ok {
						t.Errorf("%s: %s: it sees the wall clock; compare with Sub, Since or Until (or note %q as an exception)", fset.Position(at), what, place)
					}
					used[place] = true
					return true
				})
			}
		}
	}
	for place := range clockExceptions {
		if !used[place] {
			t.Errorf("the exception %q is not needed", place)
		}
	}
	if uses < 30 {
		t.Errorf("found %d uses of package time, want more: this test looks in the wrong place", uses)
	}
}

// clockUse names what n does to a time, or "".
func clockUse(info *types.Info, n ast.Node) string {
	switch n := n.(type) {
	case *ast.Ident:
		f, ok := info.Uses[n].(*types.Func)
		if !ok || f.Pkg() == nil || f.Pkg().Path() != "time" {
			return ""
		}
		receiver := f.Signature().Recv()
		if receiver == nil {
			return "time." + f.Name()
		}
		if isTime(receiver.Type()) {
			return "Time." + f.Name()
		}
	case *ast.BinaryExpr:
		if isTime(info.Types[n.X].Type) {
			return "Time " + n.Op.String()
		}
	}
	return ""
}

func isTime(t types.Type) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == "Time" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "time"
}
