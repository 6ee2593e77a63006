package result

import (
	"math"
	"regexp"
	"strings"
	"testing"
)

func TestParseRequirement(t *testing.T) {
	tests := []struct {
		text string
		want Requirement
	}{
		{"tcp/push-pull/64/ratio:libzmq>=2.5", Requirement{row: "tcp/push-pull/64", quantity: Value, baseline: "libzmq", ours: Ours, op: ">=", limit: 2.5}},
		{"tcp/req-rep/64/p50-ratio:libzmq@ringwire-spin-off<=0.7", Requirement{row: "tcp/req-rep/64", quantity: P50, baseline: "libzmq", ours: "ringwire-spin-off", op: "<=", limit: 0.7}},
		{"inproc/push-pull-4x1/64/ratio:chan>=2", Requirement{row: "inproc/push-pull-4x1/64", quantity: Value, baseline: "chan", ours: Ours, op: ">=", limit: 2}},
		{"tcp/push-pull/64@100/p99-ratio:libzmq<1", Requirement{row: "tcp/push-pull/64@100", quantity: P99, baseline: "libzmq", ours: Ours, op: "<", limit: 1}},
		{"tcp/connections-10000/memory/value<=10240", Requirement{row: "tcp/connections-10000/memory", quantity: Value, ours: Ours, op: "<=", limit: 10240}},
		{"a/allocs<1e-3", Requirement{row: "a", quantity: Allocs, ours: Ours, op: "<", limit: 0.001}},
		{"a/cpu@libzmq>0", Requirement{row: "a", quantity: CPU, ours: "libzmq", op: ">", limit: 0}},
		{" a/cpu-ratio:libzmq <= 0.35 ", Requirement{row: "a", quantity: CPU, baseline: "libzmq", ours: Ours, op: "<=", limit: 0.35}},
		{"a/syscalls<=1", Requirement{row: "a", quantity: Syscalls, ours: Ours, op: "<=", limit: 1}},
		{"a/p50<=1", Requirement{row: "a", quantity: P50, ours: Ours, op: "<=", limit: 1}},
		{"a/p99<=1", Requirement{row: "a", quantity: P99, ours: Ours, op: "<=", limit: 1}},
	}
	for _, test := range tests {
		test.want.text = strings.TrimSpace(test.text)
		got, err := ParseRequirement(test.text)
		if err != nil || got != test.want {
			t.Errorf("%q: got %+v and error %v, want %+v", test.text, got, err, test.want)
		}
		labels := strings.TrimSuffix(test.want.ours+" "+test.want.baseline, " ")
		if got.Row() != test.want.row || strings.Join(got.Labels(), " ") != labels {
			t.Errorf("%q: got row %q and labels %q, want %q and %q", test.text, got.Row(), got.Labels(), test.want.row, labels)
		}
	}
}

func TestParseRequirementErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "it has no operator"},
		{"tcp/push-pull/64/ratio:libzmq", "it has no operator"},
		{"tcp/push-pull/64/value=5", "it has no operator"},
		{"tcp/push-pull/64/ratio:libzmq>=", `"" after >= is not a number`},
		{"tcp/push-pull/64/ratio:libzmq>=fast", `"fast" after >= is not a number`},
		{"tcp/push-pull/64/ratio:libzmq>>2", `">2" after > is not a number`},
		{"tcp/push-pull/64/ratio:libzmq=>2", `"libzmq=" is not a contender's label`},
		{"tcp/push-pull/64/ratio:libzmq>=NaN", `"NaN" after >= is not a number`},
		{"tcp/push-pull/64/ratio:libzmq<=Inf", `"Inf" after <= is not a number`},
		{"tcp/push-pull/64/value>=-1", `"-1" after >= is not a number of at least 0`},
		{"value>=1", "it does not name a row"},
		{"/value>=1", "it does not name a row"},
		{"tcp/push-pull/64>=1", `"64" is not a quantity`},
		{"tcp/push-pull/64/speed>=1", `"speed" is not a quantity`},
		{"tcp/push-pull/64/allocs-ratio:libzmq>=1", `"allocs-ratio" cannot have a baseline`},
		{"tcp/push-pull/64/value:libzmq>=1", `"value" cannot have a baseline`},
		{"tcp/push-pull/64/ratio>=1", "ratio has no baseline, as in ratio:libzmq"},
		{"tcp/push-pull/64/p50-ratio:>=1", "p50-ratio has no baseline"},
		{"tcp/push-pull/64/value@>=1", "no label after @"},
		{"tcp/push-pull/64/value@a@b>=1", `"a@b" is not a contender's label`},
		{"tcp/push-pull/64/ratio:a:b>=1", `"a:b" is not a contender's label`},
		{"tcp/push-pull/64/ratio:ringwire>=1", "ratio of ringwire to itself is always 1"},
		{"tcp push-pull/value>=1", `the row "tcp push-pull" has a space`},
	}
	for _, test := range tests {
		_, err := ParseRequirement(test.text)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "operators are >=, <=, >, <") || !strings.Contains(err.Error(), "p99-ratio") {
			t.Errorf("%q: got error %v, want %q and what is accepted", test.text, err, test.want)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		requirement string
		ok          bool
		want        string // regular expression
	}{
		{"tcp/push-pull/64/ratio:libzmq>=2", true, `^met tcp/push-pull/64/ratio:libzmq>=2: measured 3.00 \(range 2.00 to 4.00, n=3\), wanted >= 2$`},
		{"tcp/push-pull/64/ratio:libzmq>=2.5", true, `^met .* wanted >= 2.5, which is inside the interval: not certain$`},
		{"tcp/push-pull/64/ratio:libzmq>=3.5", false, `^MISSED .*: measured 3.00 \(range 2.00 to 4.00, n=3\), wanted >= 3.5$`},
		{"tcp/push-pull/64/ratio:libzmq>3", false, `measured 3.00 .* wanted > 3$`},
		{"tcp/push-pull/64/ratio:libzmq<=3", true, `wanted <= 3, which is inside`},
		{"tcp/push-pull/64/ratio:libzmq<3", false, `wanted < 3$`},
		{"tcp/push-pull/64/ratio:libzmq>=3.0001", false, `measured 3.00 .* wanted >= 3.0001$`},
		{"tcp/push-pull/64/ratio:libzmq@ringwire-spin-off>=2", true, `measured 2.50 `},
		{"tcp/push-pull/64/value>=30", true, `measured 30.0 `},
		{"tcp/push-pull/64/cpu-ratio:libzmq<=0.5", true, `measured 0.500 \(range 0.250 to 0.750, n=3\)`},
		{"tcp/push-pull/64/allocs<=0", true, `measured 0 `},
		{"tcp/push-pull/64/syscalls<=0.01", true, `measured 0.0100 `},
		{"tcp/req-rep/64/p50-ratio:libzmq<=0.2", true, `measured 0.150 \(range 0.100 to 0.200, n=2\)`},
		{"tcp/req-rep/64/p50<=1e-5", false, `MISSED .*measured 1.5e-05`},
		{"tcp/req-rep/64/p99-ratio:libzmq<=0.2", true, `measured 0.150 `},
		{"ipc/push-pull/64/value>=0", false, `^MISSED ipc/push-pull/64/value>=0: the run has no row ipc/push-pull/64$`},
		{"tcp/push-pull/64/ratio:nng>=0", false, `^MISSED .*: the row has no contender nng, it has ringwire, ringwire-spin-off, libzmq, pebbe, stuck$`},
		{"tcp/push-pull/64/ratio:libzmq@nng>=0", false, `^MISSED .*: the row has no contender nng`},
		{"tcp/push-pull/64/ratio:pebbe>=0", false, `^MISSED .*: pebbe was not measured: synthetic reason$`},
		{"tcp/push-pull/64/ratio:stuck>=0", false, `^MISSED .*: value of stuck is 0 in a slice, so there is no ratio to it$`},
		{"tcp/push-pull/64/p50>=0", false, `^MISSED .*: ringwire has no p50 in this row$`},
		{"tcp/push-pull/64/allocs@libzmq>=0", false, `^MISSED .*: libzmq has no allocs in this row$`},
		{"tcp/push-pull/64/cpu-ratio:stuck>=0", false, `^MISSED .*: stuck has no cpu in this row$`},
	}
	for _, test := range tests {
		r, err := ParseRequirement(test.requirement)
		if err != nil {
			t.Fatal(err)
		}
		if ok, text := r.Check(synthetic()); ok != test.ok || !regexp.MustCompile(test.want).MatchString(text) {
			t.Errorf("got %t and %q, want %t and a match of %q", ok, text, test.ok, test.want)
		}
	}
	run := &Run{Version: Version, Interrupted: true}
	r, err := ParseRequirement("a/value>=0")
	if err != nil {
		t.Fatal(err)
	}
	if ok, text := r.Check(run); ok || text != "MISSED a/value>=0: the run was interrupted and has no row a" {
		t.Errorf("got %t and %q, want that the run was interrupted", ok, text)
	}
}

// From six pairs on there is an interval, which is narrower than the range.
func TestCheckWithAnInterval(t *testing.T) {
	var ours []Slice
	for i := range 15 {
		ours = append(ours, Slice{Value: float64(i + 1)})
	}
	run := &Run{Rows: []Row{{Name: "a", Contenders: []Contender{{Label: Ours, Slices: ours}}}}}
	r, err := ParseRequirement("a/value>=3")
	if err != nil {
		t.Fatal(err)
	}
	ok, text := r.Check(run)
	if want := "met a/value>=3: measured 8.00 (95 % interval 4.00 to 11.0, n=15), wanted >= 3"; !ok || text != want {
		t.Errorf("got %t and %q, want %q", ok, text, want)
	}
}

// A figure just short of the limit is not shown as if it were the limit.
func TestCheckShowsWhyItMissed(t *testing.T) {
	run := &Run{Rows: []Row{{Name: "a", Contenders: []Contender{{Label: Ours, Slices: []Slice{{Value: 2.4999}}}}}}}
	r, err := ParseRequirement("a/value>=2.5")
	if err != nil {
		t.Fatal(err)
	}
	if ok, text := r.Check(run); ok || !strings.Contains(text, "measured 2.4999 ") {
		t.Errorf("got %t and %q, want 2.4999 in it", ok, text)
	}
}

func TestReadRequirements(t *testing.T) {
	text := "# the gates\n\na/value>=1 # at least\r\n  b/ratio:libzmq<=2\n#end"
	got, err := ReadRequirements(strings.NewReader(text))
	if err != nil || len(got) != 2 || got[0].String() != "a/value>=1" || got[1].String() != "b/ratio:libzmq<=2" {
		t.Errorf("got %v and error %v, want a/value>=1 and b/ratio:libzmq<=2", got, err)
	}
	for _, test := range []struct{ text, want string }{
		{"a/value>=1\n\n# x\nb/value\n", `^line 4: requirement "b/value": it has no operator; want `},
		{"", "no requirement in it"},
		{"# only\n", "no requirement in it"},
		{"a/value>=1\n" + strings.Repeat("x", 1<<17), "^line 2: .*too long"},
	} {
		if _, err := ReadRequirements(strings.NewReader(test.text)); err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) {
			t.Errorf("got error %v, want a match of %q", err, test.want)
		}
	}
}

func FuzzParseRequirement(f *testing.F) {
	for _, seed := range []string{
		"tcp/push-pull/64/ratio:libzmq>=2.5", "tcp/req-rep/64/p50-ratio:libzmq@ringwire-spin-off<=0.7",
		"tcp/push-pull/64@100/p99<1e-3", "a/b>", "//value<0", "a/ratio:@>=1",
	} {
		f.Add(seed)
	}
	run := synthetic()
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRequirement(text)
		if err != nil {
			if !strings.Contains(err.Error(), "operators are") {
				t.Fatalf("%q: got error %v, want what is accepted in it", text, err)
			}
			return
		}
		if r.row == "" || r.ours == "" || math.IsNaN(r.limit) || r.limit < 0 {
			t.Fatalf("%q: got %+v, want a row, a label and a limit", text, r)
		}
		again, err := ParseRequirement(r.String())
		if err != nil || again != r {
			t.Fatalf("%q: got %+v and error %v when read again, want %+v", text, again, err, r)
		}
		if ok, said := r.Check(run); ok != strings.HasPrefix(said, "met ") || ok == strings.HasPrefix(said, "MISSED ") {
			t.Fatalf("%q: got %t and %q", text, ok, said)
		}
	})
}
