package socket

import (
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/pattern"
)

// option is a row of the guide's table.
type option struct{ kind, libzmq, def, minus, text string }

// guideOptions is the table of docs/guide.md.
func guideOptions(t *testing.T) map[string]option {
	t.Helper()
	b, err := os.ReadFile("../docs/guide.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(b), "| option | type | libzmq | default | -1 | what it does |\n| --- | --- | --- | --- | --- | --- |\n")
	if !found {
		t.Fatal("docs/guide.md has no table of options")
	}
	rows := make(map[string]option)
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 6 {
			t.Fatalf("got a row of %d cells, want 6: %s", len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := strings.Trim(cells[0], "`")
		if _, twice := rows[name]; twice {
			t.Errorf("option %s has two rows", name)
		}
		rows[name] = option{cells[1], cells[2], cells[3], cells[4], cells[5]}
	}
	return rows
}

// optionComments are the doc comments of the fields, without line breaks.
func optionComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "options.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Options" {
			return true
		}
		comment := ""
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if field.Doc != nil { // else the comment is for several
				comment = strings.Join(strings.Fields(field.Doc.Text()), " ")
			}
			for _, name := range field.Names {
				comments[name.Name] = comment
			}
		}
		return false
	})
	return comments
}

// words are what defaults are called that are no numbers, and what they are once the
// options are validated.
var words = map[string][]int64{
	"no limit": {-1}, "off": {0}, "never": {-1}, "the system's": {0}, "adaptive": {0}, "not told": {0}, "HeartbeatInterval": {0},
	"FullDefault": {int64(FullDefault)},
}

// later are defaults that validate leaves to others.
var later = map[string]int64{
	"MaxConnectionsPerAddress": DefaultMaxConnectionsPerAddress, // see newAdmission
	"MaxAcceptRate":            DefaultMaxAcceptRate,
	"KeepAlive":                int64(15 * time.Second), // see transport.Options
}

// The guide's table of options has a row for each field, with its type, its libzmq
// names, its default, and what -1 is, as New has them.
func TestGuideHasTheOptions(t *testing.T) {
	rows, comments := guideOptions(t), optionComments(t)
	complete, err := (&Options{}).validate(pattern.Push)
	if err != nil {
		t.Fatal(err)
	}
	defaults := reflect.ValueOf(*complete)
	for i := range defaults.NumField() {
		field := defaults.Type().Field(i)
		row, ok := rows[field.Name]
		if !ok {
			t.Errorf("docs/guide.md has no row for the option %s", field.Name)
			continue
		}
		delete(rows, field.Name)
		if got, want := row.kind, strings.ReplaceAll(field.Type.String(), "uint8", "byte"); got != want {
			t.Errorf("%s: the guide has type %s, want %s", field.Name, got, want)
		}
		zmq := regexp.MustCompile(`ZMQ_[A-Z0-9_]+`)
		got, want := zmq.FindAllString(row.libzmq, -1), zmq.FindAllString(comments[field.Name], -1)
		if field.Name == "SendBuffer" || field.Name == "RecvBuffer" {
			want = slices.DeleteFunc(want, func(s string) bool {
				return s != map[string]string{"SendBuffer": "ZMQ_SNDBUF", "RecvBuffer": "ZMQ_RCVBUF"}[field.Name]
			})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: the guide names %q of libzmq, its comment %q", field.Name, got, want)
		}
		value := defaults.Field(i)
		if !value.CanInt() {
			if ok := value.IsZero() && slices.Contains([]string{"false", "none", "NULL", "the system's"}, row.def); !ok {
				t.Errorf("%s: the guide has default %q, New has %v", field.Name, row.def, value)
			}
			if row.minus != "" {
				t.Errorf("%s: the guide says what -1 is, of a %s", field.Name, field.Type)
			}
			continue
		}
		effective := value.Int()
		if v, ok := later[field.Name]; ok {
			effective = v
		}
		if !slices.Contains(amounts(t, row.def), effective) {
			t.Errorf("%s: the guide has default %q, New has %v", field.Name, row.def, effective)
		}
		testNegative(t, field.Name, i, row.minus)
	}
	for name := range rows {
		t.Errorf("docs/guide.md has the option %s, which does not exist", name)
	}
}

// amounts are the values that a default may have.
func amounts(t *testing.T, text string) []int64 {
	t.Helper()
	if v, ok := words[text]; ok {
		return v
	}
	number, unit, _ := strings.Cut(strings.ReplaceAll(text, ",", ""), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	scale, known := map[string]int64{"": 1, "MiB": 1 << 20, "ms": int64(time.Millisecond), "s": int64(time.Second)}[unit]
	if err != nil || !known {
		t.Fatalf("default %q is neither a number nor a known word", text)
	}
	return []int64{n * scale}
}

// testNegative checks that New takes -1 unless the guide says that it is refused, and
// nothing below.
func testNegative(t *testing.T, name string, i int, says string) {
	t.Helper()
	for _, n := range []int64{-1, -2} {
		var o Options
		reflect.ValueOf(&o).Elem().Field(i).SetInt(n)
		_, err := o.validate(pattern.Pub)
		if want := n == -2 || says == "refused"; (err != nil) != want {
			t.Errorf("%s: New says %v to %d, the guide %q", name, err, n, says)
		}
	}
	if says == "" {
		t.Errorf("%s: the guide does not say what -1 is", name)
	}
}

// What the guide says about -1, where it is not refused, is what the comment of the
// field says.
func TestGuideAgreesWithTheComments(t *testing.T) {
	comments := optionComments(t)
	for name, row := range guideOptions(t) {
		if row.minus == "" || row.minus == "refused" {
			continue
		}
		says := regexp.MustCompile(`-1: ([^.;,]+)`).FindStringSubmatch(comments[name])
		if says == nil {
			if !strings.Contains(comments[name], "like "+strings.Replace(name, "Recv", "Send", 1)) {
				t.Errorf("%s: the guide says that -1 is %q, its comment does not say what it is: %s", name, row.minus, comments[name])
			}
			continue
		}
		if says[1] != row.minus {
			t.Errorf("%s: the guide says that -1 is %q, its comment that it is %q", name, row.minus, says[1])
		}
	}
}

// rowsOf returns the cells of all rows of tables of docs/observability.md, by each name
// in backticks that a row begins with.
func rowsOf(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		for name := range strings.SplitSeq(cells[0], ", ") {
			rows[strings.Trim(name, "`")] = cells
		}
	}
	return rows
}

// docs/observability.md has a row for each counter and each field of what a socket tells.
func TestObservabilityHasTheFields(t *testing.T) {
	rows := rowsOf(t)
	known := make(map[string]bool)
	for _, of := range []any{Counters{}, Drops{}, Stats{}, PeerInfo{}, Event{}} {
		for field := range reflect.TypeOf(of).Fields() {
			known[field.Name] = true
			if _, ok := rows[field.Name]; !ok && !field.Anonymous {
				t.Errorf("docs/observability.md has no row for %T.%s", of, field.Name)
			}
		}
	}
	for name := range rows {
		if !known[name] && !slices.Contains(kinds(t), name) {
			t.Errorf("docs/observability.md has a row for %s, which does not exist", name)
		}
	}
}

// kinds are the names of the constants of EventKind, in order.
func kinds(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for i, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			if typ, _ := v.Type.(*ast.Ident); i == 0 && (typ == nil || typ.Name != "EventKind") {
				break
			}
			names = append(names, v.Names[0].Name)
		}
	}
	return names
}

// docs/observability.md has a row for each kind of event, with its name and the level at
// which it is logged.
func TestObservabilityHasTheEvents(t *testing.T) {
	rows, names := rowsOf(t), kinds(t)
	if len(names) != len(eventNames)-1 {
		t.Fatalf("got %d kinds of events, want %d", len(names), len(eventNames)-1)
	}
	for i, name := range names {
		kind := EventKind(i + 1)
		row := rows[name]
		if len(row) != 5 {
			t.Errorf("docs/observability.md has no row for the event %s", name)
			continue
		}
		var log strings.Builder
		e := events{logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		e.log(Event{Kind: kind})
		if !strings.Contains(log.String(), "level="+row[2]+" ") || row[1] != kind.String() {
			t.Errorf("docs/observability.md has %s as %q at level %s, the log says %s", name, row[1], row[2], &log)
		}
	}
}

// docs/observability.md has a row for each warning.
func TestObservabilityHasTheWarnings(t *testing.T) {
	b, err := os.ReadFile("../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "| what was noticed | what to do |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if got := strings.Count(table+"\n", "\n"); got != int(traps) {
		t.Errorf("docs/observability.md has %d warnings, want %d", got, traps)
	}
}
