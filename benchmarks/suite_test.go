package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// smallSuite has one short slice of everything.
func smallSuite(t *testing.T, rows ...row) *suite {
	s := newSuite(io.Discard)
	s.rows = builtIn(rows)
	s.pairs, s.exactPairs, s.slice, s.exactSlice = 1, true, 5*time.Millisecond, true
	s.warmUp, s.idle, s.most = time.Millisecond, 10*time.Millisecond, 50
	return s
}

func runSmall(t *testing.T, s *suite) *result.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	run := &result.Run{Version: result.Version, Started: time.Now()}
	if err := s.run(ctx, run); err != nil || run.Interrupted {
		t.Fatalf("got interrupted %v and error %v, want neither", run.Interrupted, err)
	}
	return run
}

// Every contender of every default row does its work, in processes of its own.
func TestEveryContender(t *testing.T) {
	var together []row
	for _, r := range defaultRows() {
		if r.role.Pattern == connections {
			together = append(together, r)
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			checkSmallRun(t, r)
		})
	}
	t.Run("tcp/connections", func(t *testing.T) {
		t.Parallel()
		if residentBytes() == nil {
			t.Skip("this system does not count a process's memory")
		}
		checkSmallRun(t, together...)
	})
}

// checkSmallRun runs rows and looks at what every result must have.
func checkSmallRun(t *testing.T, rows ...row) {
	s := smallSuite(t, rows...)
	run := runSmall(t, s)
	if len(run.Rows) != len(rows) {
		t.Fatalf("got %d rows, want %d", len(run.Rows), len(rows))
	}
	for i, row := range run.Rows {
		r := s.rows[i]
		if row.Name != r.name || len(row.Contenders) != len(r.contenders) {
			t.Errorf("got row %s with %d contenders, want %s with %d", row.Name, len(row.Contenders), r.name, len(r.contenders))
		}
		latency := r.metric.lowerBetter && r.role.Pattern != connections
		for j, c := range row.Contenders {
			if c.Missing != "" || len(c.Slices) != 1 {
				t.Errorf("%s: %s: got %d slices and missing %q, want 1 slice", row.Name, c.Label, len(c.Slices), c.Missing)
				continue
			}
			slice := c.Slices[0]
			if slice.Messages < 1 || slice.Value <= 0 && r.role.Pattern != connections {
				t.Errorf("%s: %s: got %+v, want messages and a value", row.Name, c.Label, slice)
			}
			if latency != (c.Latency != nil) || latency != (slice.P50 != nil) {
				t.Errorf("%s: %s: got latency %v and p50 %v, want both: %v", row.Name, c.Label, c.Latency, slice.P50, latency)
			}
			if c.Latency != nil && c.Latency.Count != slice.Messages {
				t.Errorf("%s: %s: got %d latencies, want one of each of %d messages", row.Name, c.Label, c.Latency.Count, slice.Messages)
			}
			if r.role.Pattern == connections || cpuSeconds() == nil {
				continue
			}
			counted := !worksInC(r.contenders[j].engine)
			if slice.CPU == nil || counted != (slice.Allocs != nil) || (counted && syscalls() != nil) != (slice.Syscalls != nil) {
				t.Errorf("%s: %s: got CPU %v, allocs %v, syscalls %v, want CPU, and the others only of what Go can count", row.Name, c.Label, slice.CPU, slice.Allocs, slice.Syscalls)
			}
			if fixed := int64(max(r.rate*s.slice.Seconds(), 1)); r.rate > 0 && slice.Messages != fixed && r.role.Pattern == pushPull {
				t.Errorf("%s: %s: got %d messages, want %d", row.Name, c.Label, slice.Messages, fixed)
			}
		}
	}
}

// An interrupt leaves what was finished, in all outputs.
func TestSuiteInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := start(ctx, "suite", "--lib", "chan", "--pairs", "1", "--slice", "5ms", "--json", file)
	p.stderr.wait(t, "inproc/push-pull/1024\n") // the second row begins
	cancel()
	if code := <-p.code; code != exitFailure || !strings.Contains(p.stderr.String(), "benchmarks: suite: interrupted: 1 of 4 rows were finished\n") {
		t.Errorf("got exit code %d and stderr %q, want %d and that 1 of 4 rows was finished", code, p.stderr, exitFailure)
	}
	if text := p.stdout.String(); !regexp.MustCompile(`inproc/push-pull/16\b`).MatchString(text) || strings.Contains(text, "inproc/push-pull/1024") || !strings.Contains(text, "INTERRUPTED") {
		t.Errorf("got stdout %q, want the first row, and that it was interrupted", text)
	}
	run, err := result.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if !run.Interrupted || len(run.Rows) != 1 {
		t.Errorf("got interrupted %v with %d rows, want true with 1", run.Interrupted, len(run.Rows))
	}
}

// An interrupt before anything was measured leaves files as they were.
func TestSuiteInterruptedAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	const before = "the run before"
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := start(ctx, "suite", "--row", "inproc/push-pull/16", "--lib", "chan", "--json", file)
	if code := <-p.code; code != exitFailure || !strings.Contains(p.stderr.String(), "interrupted: 0 of 1 rows were finished, no file was written\n") {
		t.Errorf("got exit code %d and stderr %q, want %d and that no file was written", code, p.stderr, exitFailure)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != before {
		t.Errorf("got %q and error %v, want %q", text, err, before)
	}
}

// What a row had when it was interrupted is kept from three pairs on.
func TestPartOfARow(t *testing.T) {
	for _, test := range []struct{ first, second, want int }{{4, 3, 3}, {3, 3, 3}, {5, 4, 4}, {3, 2, 0}, {0, 0, 0}} {
		row := result.Row{Contenders: []result.Contender{
			{Label: "a", Slices: make([]result.Slice, test.first), Note: "n"},
			{Label: "b", Slices: make([]result.Slice, test.second)}, {Label: "c", Missing: "gone"},
		}}
		kept := keepPart(&row)
		if kept != (test.want > 0) {
			t.Errorf("%d and %d slices: got kept %v, want %v", test.first, test.second, kept, test.want > 0)
		}
		if want := fmt.Sprintf("n; interrupted after %d slices", test.want); kept && row.Contenders[0].Note != want {
			t.Errorf("got note %q, want %q", row.Contenders[0].Note, want)
		}
	}
	r := roundTripsRow("inproc", 64, contend("chan", "limit"))
	s := smallSuite(t, r)
	s.pairs, s.slice = maxPairs, time.Millisecond
	s.progress, s.directory = silent, t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.sliced = func(pair int) {
		if pair == 3 {
			cancel()
		}
	}
	row := s.measureRow(ctx, r)
	for _, c := range row.Contenders {
		if c.Missing != "" || len(c.Slices) != 3 {
			t.Errorf("%s: got %d slices and missing %q, want 3 of four that were begun", c.Label, len(c.Slices), c.Missing)
			continue
		}
		total := int64(0)
		for _, slice := range c.Slices {
			total += slice.Messages
		}
		if c.Latency == nil || c.Latency.Count != total {
			t.Errorf("%s: got latency %+v, want one of each of %d round trips", c.Label, c.Latency, total)
		}
	}
}

// A contender whose worker dies is missing, and the others go on.
func TestDeadWorker(t *testing.T) {
	r := throughputRow("tcp", 64, contend("ringwire", "net"))
	s := smallSuite(t, r)
	s.progress, s.directory = silent, t.TempDir()
	var found [2]result.Contender
	var lanes [2]*lane
	for i, c := range r.contenders {
		lanes[i] = &lane{found: &found[i]}
		s.warm(t.Context(), r, c, lanes[i])
		if found[i].Missing != "" {
			t.Fatalf("%s: got missing %q, want a team", c.label, found[i].Missing)
		}
	}
	lanes[0].team.recv.Kill()
	for i, c := range r.contenders {
		s.slicing(t.Context(), r, c, lanes[i])
	}
	if got := found[0]; lanes[0].team != nil || len(got.Slices) != 0 || !strings.Contains(got.Missing, "worker ended: signal: killed") {
		t.Errorf("got %+v, want it missing because its worker was killed", got)
	}
	if got := found[1]; len(got.Slices) != 1 || got.Missing != "" {
		t.Errorf("got %+v, want one slice", got)
	}
	lanes[1].team.close()
}

// Without the device in between neither side would ever end its slice: its end is
// theirs, whenever it comes.
func TestDeadDevice(t *testing.T) {
	for _, pattern := range []string{throughForwarder, throughStreamer} {
		r := deviceRow("tcp", pattern, 64, contend("ringwire"))
		team, err := startTeam(t.Context(), r.contenders[0], r.role, (&suite{}).endpoint("tcp"))
		if err != nil {
			t.Fatal(err)
		}
		killed := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() {
			defer close(killed)
			team.device.Kill()
		})
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		_, _, err = team.slice(ctx, hang, 0)
		if err == nil || !strings.Contains(err.Error(), "device: worker ended: signal: killed") {
			t.Errorf("%s: got error %v, want that the device was killed", pattern, err)
		}
		cancel()
		<-killed
		team.kill()
	}
}

// A role that an engine cannot play is missing with the reason.
func TestUnsupported(t *testing.T) {
	run := runSmall(t, smallSuite(t, outstandingRow("tcp", 64, contend("net", "ringwire"))))
	c := run.Rows[0].Contenders
	if want := "net has no dealer-router"; c[0].Missing != want || c[1].Missing != "" {
		t.Errorf("got missing %q and %q, want %q and nothing", c[0].Missing, c[1].Missing, want)
	}
}

// A worker that does not answer is given up, and killed although it is busy.
func TestWorkerHangs(t *testing.T) {
	r := throughputRow("inproc", 64, contend("chan"))
	team, err := startTeam(t.Context(), r.contenders[0], r.role, "inproc://x")
	if err != nil {
		t.Fatal(err)
	}
	busy := request{Do: actionSlice, Slice: &sliceSpec{Number: 1, Duration: hang}}
	if _, err := team.send.call(t.Context(), time.Millisecond, busy); !errors.Is(err, errNoAnswer) {
		t.Errorf("got error %v, want %v", err, errNoAnswer)
	}
	team.kill()
	if end := team.send.End(); end == nil || end.Error() != "signal: killed" {
		t.Errorf("got end %v, want that it was killed", end)
	}
}

// A worker ends when its input ends, although it is busy.
func TestWorkerEndsWithItsInput(t *testing.T) {
	for _, r := range []row{
		throughputRow("tcp", 64, contend("ringwire")), roundTripsRow("inproc", 64, contend("ringwire")),
		deviceRow("tcp", throughForwarder, 64, contend("ringwire")),
	} {
		team, err := startTeam(t.Context(), r.contenders[0], r.role, (&suite{}).endpoint(r.role.Transport))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range team.sides() {
			if err := p.ask(request{Do: actionSlice, Slice: &sliceSpec{Number: 1, Duration: hang}}); err != nil {
				t.Fatal(err)
			}
		}
		team.close()
		for _, p := range team.processes() {
			if end := p.End(); end != nil {
				t.Errorf("%s: got end %v of a worker, want it in order", r.name, end)
			}
		}
	}
}

func TestWorkerProtocolErrors(t *testing.T) {
	var out strings.Builder
	in := `{"Do":"slice"}` + "\n" + `{"Do":"open","Engine":"nanomsg"}` + "\n" + `{"Do":"usage"}` + "\n"
	if err := work(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{`"asked for slice before open"`, `there is no engine \"nanomsg\"`, `"Usage":{`} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("answer %d: got %s, want %s in it", i+1, lines[i], want)
		}
	}
}

// The rate of the row at half load is half of what this run found.
func TestHalfRate(t *testing.T) {
	s := smallSuite(t)
	row := result.Row{Name: "tcp/push-pull/64"}
	for i, label := range []string{"ringwire", "libzmq", "go-zeromq"} {
		row.Contenders = append(row.Contenders, result.Contender{Label: label, Slices: []result.Slice{{Value: float64(1000 * (i + 1))}}})
	}
	s.done = []result.Row{row}
	want := 500.0
	if findEngine("libzmq") != nil {
		want = 1000
	}
	rate, note, err := s.halfRate(t.Context())
	if rate != want || err != nil || !strings.HasPrefix(note, fmt.Sprint(want)) {
		t.Errorf("got rate %v, note %q and error %v, want %v", rate, note, err, want)
	}
}

func TestRequirements(t *testing.T) {
	const row = "inproc/push-pull/16"
	file := filepath.Join(t.TempDir(), "requirements")
	if err := os.WriteFile(file, []byte("# two\n"+row+"/value@chan>=1\n"+row+"/value@chan<=1e15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args  []string
		lines int
		code  int
		want  string
	}{
		{[]string{"--require-file", file}, 2, exitOK, ""},
		{[]string{"--require-file", file, "--require", row + "/value@chan>=1e15"}, 3, exitMissed, "benchmarks: suite: 1 of 3 requirements were missed\n"},
	}
	for _, test := range tests {
		dir := t.TempDir()
		csv, html := filepath.Join(dir, "run.csv"), filepath.Join(dir, "run.html")
		args := []string{"suite", "--row", row, "--lib", "chan", "--pairs", "1", "--slice", "5ms", "--csv", csv, "--html", html}
		code, stdout, stderr := runHere(t, append(args, test.args...)...)
		if code != test.code || stderr != row+"\n"+test.want {
			t.Errorf("%q: got exit code %d and stderr %q, want %d and %q", test.args, code, stderr, test.code, test.want)
		}
		if got := strings.Count(stdout, row+"/value@chan"); got != test.lines {
			t.Errorf("%q: got %d lines on requirements in %s, want %d", test.args, got, stdout, test.lines)
		}
		for _, name := range []string{csv, html} {
			if text, err := os.ReadFile(name); err != nil || !strings.Contains(string(text), row) {
				t.Errorf("%s: got %d bytes and error %v, want the row in it", name, len(text), err)
			} else if got := strings.Count(string(text), row+"/value@chan"); name == html && got < test.lines {
				t.Errorf("got %d requirements in the page, want %d", got, test.lines)
			}
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
			t.Errorf("got %v and error %v, want two files only", left, err)
		}
	}
}

func TestCompareCommand(t *testing.T) {
	dir := t.TempDir()
	var names []string
	for i := range 2 {
		run := &result.Run{Version: result.Version, Rows: []result.Row{{Name: "tcp/push-pull/64", Metric: "msg/s"}}}
		var slices []result.Slice
		for j := range 9 {
			slices = append(slices, result.Slice{Value: float64((1 + i) * (1000 + j)), Messages: 1, Seconds: 1})
		}
		run.Rows[0].Contenders = []result.Contender{{Label: "ringwire", Slices: slices}}
		names = append(names, filepath.Join(dir, fmt.Sprint(i)))
		if err := run.Save(names[i]); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := runHere(t, "compare", names[0], names[1])
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "faster") {
		t.Errorf("got exit code %d, stdout %q and stderr %q, want %d and that it is faster", code, stdout, stderr, exitOK)
	}
	missing := filepath.Join(dir, "missing")
	if code, _, stderr := runHere(t, "compare", names[0], missing); code != exitUsage || !strings.Contains(stderr, missing) {
		t.Errorf("got exit code %d and stderr %q, want %d and the name", code, stderr, exitUsage)
	}
}

// wait returns when text was written.
func (o *output) wait(t *testing.T, text string) {
	t.Helper()
	guard := time.After(hang)
	for {
		o.mu.Lock()
		found, written := strings.Contains(o.text.String(), text), o.written
		o.mu.Unlock()
		if found {
			return
		}
		select {
		case <-written:
		case <-guard:
			t.Fatalf("got %q, want %q in it", o, text)
		}
	}
}
