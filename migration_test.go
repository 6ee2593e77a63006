package ringwire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The column "here" of docs/migration.md is Go that compiles: statements and
// expressions, with sockets, and what else they name, declared around them.
func TestMigrationOursCompiles(t *testing.T) {
	cells := append(column(t, "docs/migration.md", "pebbe", "here"), column(t, "docs/migration.md", "go-zeromq", "here")...)
	if len(cells) < 50 {
		t.Fatalf("got %d pieces of Go, want a table of each library", len(cells))
	}
	body := functions(t, cells)
	code := "package main\n" + imports(t, "package main\n"+body) + body
	main := "package main\n" + `import (
	"context"
	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/curve"
	"github.com/ringwire/ringwire/transport"
)
var (
	ctx context.Context
	push, pull, pub, sub, req, rep, dealer, router *socket.Socket
	endpoint string
	a, b, body []byte
	m *ringwire.Message
	err error
	secretKey *curve.SecretKey
	publicKey curve.PublicKey
	hashes map[string]string
	allow socket.Authenticator
	mechanism ringwire.Mechanism
	mem transport.Transport
)
func main() {}
`
	goRun(t, map[string]string{"main.go": main, "cells.go": code})
}

// The other columns compile, too, with the libraries that they are about.
func TestMigrationTheirsCompiles(t *testing.T) {
	imports := newImports(t, "github.com/go-zeromq/zmq4", "context", "errors", "fmt", "log", "os", "path", "runtime", "strconv", "strings", "sync", "syscall", "time", "unsafe")
	for _, library := range []struct{ name, path, declared string }{
		{"go-zeromq", "github.com/go-zeromq/zmq4", `
			ctx context.Context
			sock, front, back zmq4.Socket
			msg zmq4.Msg
			a, b, body []byte
			logger *log.Logger
			security zmq4.Security
			dialer transport.Transport`},
		{"pebbe", "github.com/pebbe/zmq4", `
			zctx *zmq4.Context
			sock, frontend, backend, capture, control *zmq4.Socket
			poller *zmq4.Poller
			reactor *zmq4.Reactor
			body []byte
			err error
			address, secret, public, serverPublic string`},
	} {
		cells := column(t, "docs/migration.md", library.name, library.name+"/zmq4")
		if len(cells) < 20 {
			t.Fatalf("got %d calls of %s, want a table", len(cells), library.name)
		}
		code := functions(t, cells)
		head := "package p\nimport zmq4 \"" + library.path + "\"\n"
		for _, name := range []string{"context", "log", "time", "github.com/go-zeromq/zmq4/transport"} {
			if strings.Contains(code+library.declared, filepath.Base(name)+".") {
				head += fmt.Sprintf("import %q\n", name)
			}
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "", head+"var (\n"+library.declared+"\n)\n"+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		config := types.Config{Importer: imports, Error: func(err error) {
			// The value of a constant of C is not known: nothing of C was compiled.
			if !strings.Contains(err.Error(), "constant unknown with invalid type") {
				t.Error(err)
			}
		}}
		config.Check("p", fset, []*ast.File{file}, nil)
	}
}

// imported finds packages by what the build has exported, and pebbe/zmq4, whose package
// needs libzmq to be built, by its source.
type imported struct {
	types.Importer
	pebbe *types.Package
}

func (i *imported) Import(path string) (*types.Package, error) {
	if path == "github.com/pebbe/zmq4" {
		return i.pebbe, nil
	}
	return i.Importer.Import(path)
}

func newImports(t *testing.T, packages ...string) *imported {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, packages...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := make(map[string]string)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	i := &imported{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})}
	// Only builds with the tag libzmq need it, so it may not have been downloaded.
	out, err = exec.Command("go", "mod", "download", "-json", "github.com/pebbe/zmq4").Output()
	var module struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &module)
	}
	if err != nil {
		t.Fatalf("go mod download: %v\n%s", err, out)
	}
	system := build.Default
	system.CgoEnabled = true
	pebbe, err := system.ImportDir(module.Dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range slices.Concat(pebbe.GoFiles, pebbe.CgoFiles) {
		file, err := parser.ParseFile(fset, filepath.Join(pebbe.Dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	config := types.Config{Importer: i, FakeImportC: true, IgnoreFuncBodies: true}
	if i.pebbe, err = config.Check("github.com/pebbe/zmq4", fset, files, nil); err != nil {
		t.Fatal(err)
	}
	return i
}
