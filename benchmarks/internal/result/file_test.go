package result

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// synthetic is a run that nobody measured.
func synthetic() *Run {
	of := func(v float64) *float64 { return &v }
	return &Run{
		Version: Version,
		Started: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC),
		Seconds: 12,
		Command: []string{"suite", "--quick"},
		Environment: Environment{CPU: "synthetic", Cores: 2, Go: "go0", Versions: map[string]string{
			"libzmq": "0.0.0",
		}},
		Rows: []Row{
			{
				Name: "tcp/push-pull/64", Transport: "tcp", Pattern: "push-pull", Size: 64, Metric: "msg/s",
				Contenders: []Contender{
					{Label: "ringwire", Slices: []Slice{
						{Value: 30, Messages: 9, Seconds: 0.3, CPU: of(1e-7), Allocs: of(0), Syscalls: of(0.01)},
						{Value: 40, Messages: 12, Seconds: 0.3, CPU: of(2e-7), Allocs: of(0), Syscalls: of(0.01)},
						{Value: 20, Messages: 6, Seconds: 0.3, CPU: of(3e-7), Allocs: of(0), Syscalls: of(0.01)},
					}},
					{Label: "ringwire-spin-off", Slices: []Slice{{Value: 25}, {Value: 35}, {Value: 15}}},
					{Label: "libzmq", Slices: []Slice{{Value: 10, CPU: of(4e-7)}, {Value: 10, CPU: of(4e-7)}, {Value: 10, CPU: of(4e-7)}}},
					{Label: "pebbe", Missing: "synthetic reason"},
					{Label: "stuck", Slices: []Slice{{Value: 1}, {Value: 0}, {Value: 1}}},
				},
			},
			{
				Name: "tcp/req-rep/64", Transport: "tcp", Pattern: "req-rep", Size: 64, Metric: "p50 round trip s", LowerBetter: true,
				Contenders: []Contender{
					{Label: "ringwire", Slices: []Slice{{Value: 1e-5, P99: of(3e-5)}, {Value: 2e-5, P99: of(6e-5)}},
						Latency: &Latency{Count: 2, Min: 1, Max: 9, Mean: 5, Percentiles: []Percentile{{50, 1}, {100, 9}}}},
					{Label: "libzmq", Slices: []Slice{{Value: 1e-4, P99: of(3e-4)}, {Value: 1e-4, P99: of(3e-4)}}},
				},
			},
		},
	}
}

func TestSaveThenLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	for range 2 { // the second replaces the first
		want := synthetic()
		if err := want.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v and error %v in the directory, want the file only", entries, err)
	}
}

func TestSaveThroughSymbolicLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.json"), filepath.Join(dir, "link.json")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := synthetic().Save(link); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("got mode %v and error %v of the link, want a link still", info.Mode(), err)
	}
	if _, err := Load(target); err != nil {
		t.Errorf("got error %v of the link's target, want the run", err)
	}
}

// As root, moving a file over /dev/null would succeed.
func TestSaveToADevice(t *testing.T) {
	before, err := os.Stat(os.DevNull)
	if err != nil || before.Mode().IsRegular() {
		t.Skipf("no device here: mode %v, error %v", before, err)
	}
	if err := synthetic().Save(os.DevNull); err != nil {
		t.Error(err)
	}
	if after, err := os.Stat(os.DevNull); err != nil || after.Mode() != before.Mode() {
		t.Errorf("got %v and error %v afterwards, want mode %v", after, err, before.Mode())
	}
}

func TestSaveErrorsLeaveTheOldFile(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		change func(*Run)
		want   string
	}{
		{func(r *Run) { r.Version = 0 }, "the run has version 0, want 1"},
		{func(r *Run) { r.Rows[0].Contenders[0].Slices[1].Value = nan }, "row tcp/push-pull/64: ringwire: slice 2: value is NaN, want a finite number"},
		{func(r *Run) { r.Rows[0].Contenders[0].Slices[0].CPU = &nan }, "slice 1: cpu is NaN"},
		{func(r *Run) { r.Rows[1].Contenders[1].Slices[0].Seconds = math.Inf(1) }, `slice 1: seconds is \+Inf`},
		{func(r *Run) { r.Rows[1].Contenders[1].Slices[0].Value = -1 }, "value is -1, want"},
		{func(r *Run) { r.Rows[1].Contenders[0].Latency.Mean = nan }, "latency: mean is NaN"},
		{func(r *Run) { r.Rows[1].Contenders[0].Latency.Percentiles[1].Value = 0 }, "latency: percentile 100 is 0 ns and comes after percentile 50 with 1 ns"},
		{func(r *Run) { r.Rows[1].Name = r.Rows[0].Name }, "row tcp/push-pull/64 is there twice"},
		{func(r *Run) { r.Rows[1].Name = "" }, "row 2 has no name"},
		{func(r *Run) { r.Rows[0].Contenders[1].Label = "ringwire" }, "ringwire is there twice"},
		{func(r *Run) { r.Rows[0].Contenders[1].Label = "" }, "contender 2 has no label"},
		{func(r *Run) { r.Seconds = nan }, "NaN"},
	}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		run := synthetic()
		test.change(run)
		if err := run.Save(path); err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) {
			t.Errorf("got error %v, want a match of %q", err, test.want)
		}
	}
	if err := synthetic().Save(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("got error %v of a directory, want that it is one", err)
	}
	if err := synthetic().Save(filepath.Join(path, "no", "run.json")); err == nil {
		t.Error("got no error of a path below a file")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("got %q and error %v, want the old file", data, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("got %v and error %v in the directory, want the old file only", entries, err)
	}
}

func TestLoadErrors(t *testing.T) {
	good, err := json.Marshal(synthetic())
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if !bytes.Contains(good, []byte(old)) {
			t.Fatalf("the JSON has no %q", old)
		}
		return strings.Replace(string(good), old, new, 1)
	}
	tests := []struct{ name, data, want string }{
		{"empty", "", "it is empty, want version 1"},
		{"cut off", string(good[:len(good)/2]), `it ends after \d+ bytes .* cut off`},
		{"no version", "{}", "it has no version, want version 1"},
		{"null", "null", "it has no version, want version 1"},
		{"an older version", replace(`"version":1`, `"version":0`), "it has version 0, want version 1"},
		{"a newer version with new fields", replace(`"version":1`, `"version":2,"new":true`), "it has version 2, want version 1"},
		{"an unknown field", replace(`"rows":`, `"rowz":1,"rows":`), `unknown field "rowz", want only the fields of version 1`},
		{"a deep unknown field", replace(`"messages":9`, `"messages":9,"x":1`), `unknown field "x"`},
		{"NaN", replace(`"value":30`, `"value":NaN`), "line 1: invalid character 'N'.*no NaN"},
		{"too large a number", replace(`"value":30`, `"value":1e999`), "line 1: rows.*value is number 1e999, want float64"},
		{"a string for a number", replace(`"value":30`, `"value":"fast"`), "line 1: rows.*value is string, want float64"},
		{"a negative value", replace(`"value":30`, `"value":-30`), "row tcp/push-pull/64: ringwire: slice 1: value is -30, want a finite number"},
		{"something after it", string(good) + "{}", "invalid character '{' after top-level value"},
		{"not JSON", "\nrow,transport\n", "line 2: invalid character 'r'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run.json")
			if err := os.WriteFile(path, []byte(test.data), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), path) || !regexp.MustCompile(test.want).MatchString(err.Error()) {
				t.Errorf("got error %v, want the file's name and a match of %q", err, test.want)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "missing.json")); err == nil || !strings.Contains(err.Error(), "missing.json") {
		t.Errorf("got error %v, want one with the file's name", err)
	}
}

// Every prefix of a file is refused, and as what it is.
func TestLoadTruncated(t *testing.T) {
	data, err := json.Marshal(synthetic())
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := decode(data[:n]); err == nil || !strings.Contains(err.Error(), "cut off") && !strings.Contains(err.Error(), "empty") {
			t.Fatalf("got error %v of the first %d bytes, want that the file was cut off", err, n)
		}
	}
}

func FuzzLoad(f *testing.F) {
	good, err := json.Marshal(synthetic())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte(`{"version":1,"rows":[{"name":"a","contenders":[{"label":"ringwire","slices":[{"value":1e308}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := decode(data)
		if err != nil {
			return
		}
		// What was read can be written, and reads the same again.
		again, err := json.Marshal(run)
		if err != nil {
			t.Fatalf("write what was read from %q: %v", data, err)
		}
		if _, err := decode(again); err != nil {
			t.Fatalf("read again what was read from %q: %v", data, err)
		}
		// The arithmetic holds for whatever is accepted.
		Compare(run, run)
		for i := range run.Rows {
			for _, p := range run.Rows[i].Pairs() {
				if p.OK && !(p.Ratio.Low <= p.Ratio.Median && p.Ratio.Median <= p.Ratio.High) {
					t.Fatalf("got ratio %+v of %s and %s in %q, want low <= median <= high", p.Ratio, p.Ours.Label, p.Other.Label, data)
				}
			}
		}
	})
}
