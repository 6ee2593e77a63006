package observe_test

import (
	"encoding/json"
	"expvar"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ringwire/ringwire/pattern"
	"github.com/ringwire/ringwire/socket"
	"github.com/ringwire/ringwire/socket/observe"
)

// TestClosedSocketIsForgotten: by a registry and by Publish, without remove; adding a
// closed one is harmless. That no goroutine stays is checked when all tests are over.
func TestClosedSocketIsForgotten(t *testing.T) {
	var r observe.Registry
	s := open(t, pattern.Push, nil)
	removes := []func(){r.Add("s", s), observe.Publish("closed", s)}
	all := expvar.Get("ringwire").(*expvar.Map)
	if all.Get("closed") == nil || len(get(t, &r, "/").Sockets) != 1 {
		t.Fatal("an open socket is not shown")
	}
	s.Close()
	gone := func() bool { return all.Get("closed") == nil && len(get(t, &r, "/").Sockets) == 0 }
	until(t, "the closed socket to be forgotten", gone)
	removes = append(removes, r.Add("s", s), observe.Publish("closed", s))
	until(t, "a socket that was closed before to be forgotten", gone)
	for _, remove := range removes {
		remove()
		remove()
	}
	if got := observe.Var(s).String(); !json.Valid([]byte(got)) {
		t.Errorf("Var of a closed socket is %s, want JSON", got)
	}
}

// TestNameTakenOver: the newest socket has the name, and the remove of the older one
// does not take it away; Remove does.
func TestNameTakenOver(t *testing.T) {
	var r observe.Registry
	older, newer := open(t, pattern.Push, nil), open(t, pattern.Pull, nil)
	before := runtime.NumGoroutine()
	removeOlder, takeOlder := r.Add("x", older), observe.Publish("x", older)
	removeNewer, takeNewer := r.Add("x", newer), observe.Publish("x", newer)
	removeOlder()
	takeOlder()
	if got := get(t, &r, "/").Sockets["x"].Type; got != "PULL" {
		t.Errorf("the name has a %s, want the newer, a PULL", got)
	}
	all := expvar.Get("ringwire").(*expvar.Map)
	if got := all.Get("x"); got == nil || !strings.Contains(got.String(), `"PULL"`) {
		t.Errorf("the variable is %v, want the newer, a PULL", got)
	}
	r.Remove("x")
	r.Remove("x")
	takeNewer()
	if n := len(get(t, &r, "/").Sockets); n != 0 || all.Get("x") != nil {
		t.Errorf("after the removes: %d sockets, variable %v, want none", n, all.Get("x"))
	}
	removeNewer()
	until(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
}

// TestConcurrent: sockets come, go and are looked at by many goroutines.
func TestConcurrent(t *testing.T) {
	var r observe.Registry
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				s, err := socket.New(pattern.Push, nil)
				if err != nil {
					t.Error(err)
					return
				}
				name := strconv.Itoa(i % 3)
				remove, take := r.Add(name, s), observe.Publish(name, s)
				if got := ask(&r, "GET", "/"); got.StatusCode != 200 {
					t.Errorf("got %s, want 200", got.Status)
				}
				if !json.Valid([]byte(expvar.Get("ringwire").String())) {
					t.Error("the variable is no JSON")
				}
				if i%2 == 0 {
					remove()
					take()
				}
				s.Close()
				r.Remove(name)
			}
		})
	}
	wg.Wait()
	until(t, "all to be forgotten", func() bool {
		return len(get(t, &r, "/").Sockets) == 0 && expvar.Get("ringwire").String() == "{}"
	})
}

// TestEveryFieldIsDocumented: the package comment has a line for each field of the
// JSON, and no other lines.
func TestEveryFieldIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, name := range []string{"view.go", "registry.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code += string(b)
	}
	fields := make(map[string]bool)
	for part := range strings.SplitSeq(code, "`json:\"") {
		if name, rest, ok := strings.Cut(part, "\"`"); ok && rest != "" {
			name, _, _ = strings.Cut(name, ",")
			fields[name] = false
		}
	}
	for line := range strings.Lines(string(doc)) {
		names, ok := strings.CutPrefix(line, "//\t")
		if !ok {
			continue
		}
		names = strings.ReplaceAll(names, ", ", ",")
		for _, name := range strings.Split(strings.Fields(names)[0], ",") {
			if _, ok := fields[name]; !ok {
				t.Errorf("the package comment has a field %q, which does not exist", name)
			}
			fields[name] = true
		}
	}
	for name, described := range fields {
		if !described && name != "total" && !strings.Contains(string(doc), " "+name) {
			t.Errorf("the package comment does not describe %q", name)
		}
	}
	if len(fields) < 50 {
		t.Errorf("found %d fields, want all of them", len(fields))
	}
}
