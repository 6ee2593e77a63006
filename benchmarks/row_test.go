package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// everyDefaultRow is what the design asks for, and who is to be in it.
var everyDefaultRow = map[string]string{
	"tcp/push-pull/16":               "ringwire libzmq limit",
	"tcp/push-pull/64":               "ringwire ringwire-spin-off libzmq pebbe go-zeromq mangos net limit",
	"tcp/push-pull/1024":             "ringwire libzmq limit",
	"tcp/push-pull/65536":            "ringwire libzmq limit libzmq-zero-copy",
	"tcp/push-pull/1048576":          "ringwire libzmq limit libzmq-zero-copy",
	"tcp/push-pull-curve/64":         "ringwire libzmq",
	"tcp/push-pull-curve/1024":       "ringwire libzmq",
	"ipc/push-pull/64":               "ringwire libzmq net limit",
	"tcp/req-rep/64":                 "ringwire ringwire-spin-off libzmq pebbe go-zeromq mangos limit",
	"ipc/req-rep/64":                 "ringwire ringwire-spin-off libzmq limit",
	"tcp/push-pull/64@100":           "ringwire libzmq",
	"tcp/push-pull/64@10000":         "ringwire libzmq",
	"tcp/pub-sub/64@100":             "ringwire libzmq",
	"tcp/pub-sub/64@10000":           "ringwire libzmq",
	"tcp/push-pull/64@half":          "ringwire libzmq",
	"inproc/push-pull/16":            "ringwire libzmq chan limit",
	"inproc/push-pull/1024":          "ringwire libzmq chan limit",
	"inproc/req-rep/64":              "ringwire libzmq chan limit",
	"inproc/push-pull-4x1/64":        "ringwire chan",
	"tcp/pub-sub-1x8/64":             "ringwire libzmq",
	"tcp/pub-sub-1x100-stalled/64":   "ringwire ringwire-all-live",
	"tcp/device-xsub-xpub/64":        "ringwire libzmq",
	"tcp/device-pull-push/64":        "ringwire libzmq",
	"tcp/publish-unmatched-1/64":     "ringwire libzmq",
	"tcp/publish-unmatched-10k/64":   "ringwire libzmq",
	"tcp/publish-unmatched-1M/64":    "ringwire libzmq",
	"tcp/push-pull-8x1/64":           "ringwire libzmq",
	"tcp/dealer-router-16/64":        "ringwire ringwire-spin-off libzmq",
	"tcp/connections-10000/ready":    "ringwire libzmq",
	"tcp/connections-10000/memory":   "ringwire libzmq",
	"tcp/connections-10000/idle-cpu": "ringwire libzmq",
}

func TestDefaultRows(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range defaultRows() {
		var labels []string
		for _, c := range r.contenders {
			labels = append(labels, c.label)
		}
		want, ok := everyDefaultRow[r.name]
		if got := strings.Join(labels, " "); !ok || got != want {
			t.Errorf("%s: got contenders %q, want %q", r.name, got, want)
		}
		seen[r.name] = true
	}
	for name := range everyDefaultRow {
		if !seen[name] {
			t.Errorf("got no row %s, want one", name)
		}
	}
}

// The tables hold together: names, and that each engine of this build can do
// what it is asked for in the default rows.
func TestRowTables(t *testing.T) {
	name := regexp.MustCompile(`^(tcp|ipc|inproc)/[a-z0-9A-Z-]+/[a-z0-9-]+(@(half|\d+))?$`)
	for table, rows := range map[string][]row{"default": defaultRows(), "quick": quickRows(), "matrix": matrixRows()} {
		seen := make(map[string]bool)
		for _, r := range rows {
			if seen[r.name] || !name.MatchString(r.name) {
				t.Errorf("%s: got name %q, want one that is unique and matches %s", table, r.name, name)
			}
			seen[r.name] = true
			if r.role.Size < minSize || r.metric.unit == "" {
				t.Errorf("%s: %s: got size %d and metric %q, want at least %d and one", table, r.name, r.role.Size, r.metric.unit, minSize)
			}
			labels := make(map[string]bool)
			for _, c := range r.contenders {
				if labels[c.label] || c.label != c.engine && !strings.HasPrefix(c.label, c.engine+"-") {
					t.Errorf("%s: %s: got label %q of %s, want a unique one that starts with its name", table, r.name, c.label, c.engine)
				}
				labels[c.label] = true
				e := findEngine(c.engine)
				if e == nil || table == "matrix" {
					continue
				}
				for _, side := range sidesOf(r.role) {
					role := r.roleOf(c)
					role.Side = side
					if err := e.supports(role); err != nil {
						t.Errorf("%s: %s: %s: got %q, want that it is supported", table, r.name, c.label, err)
					}
				}
			}
		}
	}
	if got, want := len(quickRows()), 7; got != want {
		t.Errorf("got %d quick rows, want %d", got, want)
	}
	// 3 transports, 6 sizes; push-pull and pub-sub with two loads, two patterns with one.
	if got, want := len(matrixRows()), 3*6*6; got != want {
		t.Errorf("got %d rows in the matrix, want %d", got, want)
	}
}

func TestSelectRows(t *testing.T) {
	tests := []struct {
		patterns []string
		want     int
	}{
		{nil, len(everyDefaultRow)},
		{[]string{"*"}, len(everyDefaultRow)},
		{[]string{"tcp/push-pull/64"}, 1},
		{[]string{"tcp/push-pull/64*"}, 4}, // as fast as possible, and three rates
		{[]string{"*/req-rep/*", "inproc/req-rep/64"}, 3},
		{[]string{"?pc/req-rep/64"}, 1},
	}
	for _, test := range tests {
		rows, err := selectRows(defaultRows(), test.patterns)
		if err != nil || len(rows) != test.want {
			t.Errorf("%q: got %d rows and error %v, want %d", test.patterns, len(rows), err, test.want)
		}
	}
}

func TestInTurn(t *testing.T) {
	if got, want := fmt.Sprint(inTurn(3, 0), inTurn(3, 1), inTurn(3, 2)), "[0 1 2] [2 1 0] [0 1 2]"; got != want {
		t.Errorf("got order %s, want %s", got, want)
	}
}

// No subscription matches a topic, and each topic shares all but its last byte
// with one.
func TestTopics(t *testing.T) {
	for _, count := range []int{1, 10, 10_000, 1_000_000} {
		prefixes := make(map[string]bool)
		near := make(map[string]bool)
		for i := range count {
			s := subscription(i)
			if len(s) != 16 {
				t.Fatalf("got subscription %q of %d bytes, want 16", s, len(s))
			}
			prefixes[s], near[s[:15]] = true, true
		}
		if len(prefixes) != count {
			t.Errorf("got %d different subscriptions, want %d", len(prefixes), count)
		}
		for _, b := range topics(64, count) {
			if first := string(b[:16]); prefixes[first] || !near[first[:15]] || len(b) != 64 {
				t.Fatalf("got topic %q in %d bytes, want one in 64 that is a subscription but for its last byte", first, len(b))
			}
		}
	}
}

func TestSuiteWrongArguments(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing", "file")
	const row = "inproc/push-pull/16"
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"now"}, `suite got arguments \["now"\], want none`},
		{[]string{"--quick", "--matrix"}, `--quick and --matrix .* at most one`},
		{[]string{"--row", "tcp/push-push/64"}, `--row is "tcp/push-push/64", which is no row of this run; accepted are the names that --list prints`},
		{[]string{"--quick", "--row", "tcp/push-pull/16"}, `--row is "tcp/push-pull/16", which is no row of this run`},
		{[]string{"--row", row, "--row", "nonsense*"}, `--row is "nonsense\*"`},
		{[]string{"--lib", "nanomsg"}, `--lib is "nanomsg", accepted are ringwire, `},
		{[]string{"--lib", "chan", "--row", "tcp/*"}, `--lib chan leaves nothing to run`},
		{[]string{"--pairs", "0"}, `--pairs is "0", want a number from 1 to 200`},
		{[]string{"--pairs", "201"}, `--pairs is "201", want a number from 1 to 200`},
		{[]string{"--pairs", "many"}, `--pairs is "many", want a number from 1 to 200`},
		{[]string{"--slice", "0"}, `--slice is "0", want a time from 1ms to 1m`},
		{[]string{"--slice", "2m"}, `--slice is "2m", want a time from 1ms to 1m`},
		{[]string{"--json", ""}, `--json is empty, want the name of a file`},
		{[]string{"--json", missing}, `--json: write [^ ]*/missing/file: no such file or directory, want the name of a file that can be written`},
		{[]string{"--csv", missing}, `--csv: .*no such file or directory`},
		{[]string{"--html", t.TempDir()}, `--html: .*is a directory`},
		{[]string{"--json", missing + "/../../x", "--csv", missing + "/../../x"}, `--json and --csv are both|no such file`},
		{[]string{"--require", "fast"}, `--require: .*"fast".*want <row>/<quantity>`},
		{[]string{"--row", row, "--require", "tcp/push-pull/64/ratio:libzmq>=3"}, `requirement "tcp/push-pull/64/ratio:libzmq>=3" is about tcp/push-pull/64, which is no row of this run`},
		{[]string{"--require", row + "/ratio:mangos>=3"}, `is about mangos, which is no contender in that row of this run; it has ringwire, `},
		{[]string{"--require", row + "/value@net>=3"}, `is about net, which is no contender in that row`},
		{[]string{"--require", row + "/p50<=1"}, `cannot be met: ringwire has no p50 in that row, which only rows of latency have`},
		{[]string{"--require", row + "/p99-ratio:chan<=1"}, `cannot be met: ringwire has no p99 in that row`},
		{[]string{"--require", "tcp/connections-10000/idle-cpu/cpu<=1"}, `cannot be met: ringwire has no cpu in that row, which rows of connections do not have`},
		{[]string{"--row", row, "--lib", "chan", "--require", row + "/value>=1"}, `is about ringwire, which is no contender in that row of this run; it has chan`},
		{[]string{"--require-file", missing}, `--require-file: .*no such file`},
		{[]string{"--fast"}, `-fast.*accepted flags of suite are --quick`},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			wantUsageError(t, test.want, append([]string{"suite"}, test.args...)...)
		})
	}
	wantUsageError(t, `compare got 1 arguments \["x"\], want 2: <old.json> <new.json>`, "compare", "x")
	if _, err := newLibzmq(); err != nil {
		wantUsageError(t, `--lib libzmq is not part of this build.*-tags libzmq`, "suite", "--lib", "libzmq")
		wantUsageError(t, `is about libzmq, which is no contender .*-tags libzmq`, "suite", "--require", row+"/ratio:libzmq>=3")
		wantUsageError(t, `is about libzmq-zero-copy, which is no contender .*-tags libzmq`, "suite", "--require", "tcp/push-pull/65536/ratio:libzmq-zero-copy>=1")
	} else {
		wantUsageError(t, `libzmq has no allocs in that row, which cannot be counted here`, "suite", "--require", row+"/allocs@libzmq<=3")
	}
}

func TestSuiteList(t *testing.T) {
	code, stdout, stderr := runHere(t, "suite", "--list", "--row", "inproc/push-pull*", "--lib", "chan", "--lib", "ringwire")
	want := "inproc/push-pull/16: msg/s: ringwire, chan\ninproc/push-pull/1024: msg/s: ringwire, chan\ninproc/push-pull-4x1/64: msg/s: ringwire, chan\n"
	if code != exitOK || stdout != want || stderr != "" {
		t.Errorf("got exit code %d, stdout %q and stderr %q, want %d, %q and nothing", code, stdout, stderr, exitOK, want)
	}
	code, stdout, _ = runHere(t, "suite", "--list", "--matrix", "--row", "*/dealer-router-16/64", "--row", "inproc/req-rep/64")
	for line := range strings.Lines(stdout) {
		if strings.Contains(line, "go-zeromq") || strings.Contains(line, "mangos") != strings.Contains(line, "req-rep") {
			t.Errorf("got %q, want only contenders that can do it", line)
		}
	}
	if got := strings.Count(stdout, "\n"); code != exitOK || got != 4 {
		t.Errorf("got exit code %d and %d lines, want %d and 4", code, got, exitOK)
	}
	_, stdout, _ = runHere(t, "suite", "--list")
	if got, want := strings.Count(stdout, "\n"), len(everyDefaultRow); got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
	if built := findEngine("libzmq") != nil; strings.Contains(stdout, "libzmq") != built {
		t.Errorf("got %q, want libzmq in it: %v", stdout, built)
	}
}
