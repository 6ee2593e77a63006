package result

import (
	"slices"
	"strings"
	"testing"
)

// scaled is a synthetic run of one row in which ours is speed times the
// control, and both are machine times as fast as in another.
func scaled(speed, machine float64, lowerBetter bool, metric string) *Run {
	var ours, control []Slice
	for i := range 9 {
		noise := 1 + float64(i)/100
		ours = append(ours, Slice{Value: 10 * speed * machine * noise})
		control = append(control, Slice{Value: 10 * machine})
	}
	return &Run{Version: Version, Rows: []Row{{
		Name: "a", Metric: metric, LowerBetter: lowerBetter,
		Contenders: []Contender{{Label: Ours, Slices: ours}, {Label: "libzmq", Slices: control}},
	}}}
}

func TestCompareVerdicts(t *testing.T) {
	tests := []struct {
		name               string
		b                  *Run
		relative, absolute Verdict
	}{
		{"nothing changed", scaled(1, 1, false, "msg/s"), NotDifferent, NotDifferent},
		{"faster", scaled(2, 1, false, "msg/s"), Faster, Faster},
		{"slower", scaled(0.5, 1, false, "msg/s"), Slower, Slower},
		{"only the machine is faster", scaled(1, 2, false, "msg/s"), NotDifferent, Faster},
		{"faster on a slower machine", scaled(2, 0.25, false, "msg/s"), Faster, Slower},
		{"a longer time", scaled(2, 1, true, "p50 round trip s"), Slower, Slower},
		{"a shorter time", scaled(0.5, 1, true, "p50 round trip s"), Faster, Faster},
		{"less memory", scaled(0.5, 1, true, "resident bytes"), GotBetter, GotBetter},
		{"more processor time", scaled(2, 1, true, "CPU s/s"), GotWorse, GotWorse},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			row := test.b.Rows[0]
			got := Compare(scaled(1, 1, row.LowerBetter, row.Metric), test.b)
			if len(got.Rows) != 2 || len(got.Warnings) != 0 || len(got.OnlyA) != 0 || len(got.OnlyB) != 0 {
				t.Fatalf("got %+v, want two contenders and no warning", got)
			}
			ours, control := got.Rows[0], got.Rows[1]
			if ours.Relative == nil || ours.Control != "libzmq" || ours.Relative.Verdict != test.relative || ours.Verdict() != test.relative {
				t.Errorf("got %+v relative to %q, want %q", ours.Relative, ours.Control, test.relative)
			}
			if ours.Absolute.Verdict != test.absolute {
				t.Errorf("got %+v absolutely, want %q", ours.Absolute, test.absolute)
			}
			if control.Label != "libzmq" || control.Relative != nil {
				t.Errorf("got %+v, want the control beside nothing", control)
			}
		})
	}
}

func TestCompareNeedsEnoughSlices(t *testing.T) {
	a, b := scaled(1, 1, false, "msg/s"), scaled(5, 1, false, "msg/s")
	for _, run := range []*Run{a, b} {
		for i := range run.Rows[0].Contenders {
			run.Rows[0].Contenders[i].Slices = run.Rows[0].Contenders[i].Slices[:3]
		}
	}
	if got := Compare(a, b).Rows[0]; got.Verdict() != NotDifferent || got.Relative.P < 0.09 {
		t.Errorf("got %+v of three slices each, want that no difference is shown", got.Relative)
	}
}

func TestCompareWhatOnlyOneHas(t *testing.T) {
	a, b := synthetic(), synthetic()
	a.Environment.Memory, b.Environment.CPU, b.Environment.Versions = 1<<30, "another", map[string]string{"libzmq": "0.0.1", "mangos": "v0"}
	b.Interrupted = true
	a.Rows = append(a.Rows, Row{Name: "only/a"})
	b.Rows = append(b.Rows, Row{Name: "only/b"})
	a.Rows[0].Contenders = slices.DeleteFunc(a.Rows[0].Contenders, func(c Contender) bool { return c.Label == "stuck" })
	b.Rows[0].Contenders[2] = Contender{Label: "libzmq", Missing: "synthetic"}
	b.Rows[1].Metric = "p99 round trip s"
	got := Compare(a, b)
	if want := []string{"tcp/push-pull/64 libzmq", "only/a"}; !slices.Equal(got.OnlyA, want) {
		t.Errorf("got %v only in the first, want %v", got.OnlyA, want)
	}
	if want := []string{"tcp/push-pull/64 stuck", "only/b"}; !slices.Equal(got.OnlyB, want) {
		t.Errorf("got %v only in the second, want %v", got.OnlyB, want)
	}
	text := strings.Join(got.Warnings, "\n")
	for _, want := range []string{
		"processor differs: synthetic, then another", "memory differs: 1073741824, then unknown", "libzmq differs: 0.0.0, then 0.0.1",
		"mangos differs: unknown, then v0", "the second run was interrupted",
		"tcp/req-rep/64 is not the same work in both runs (64 bytes, p50 round trip s, lower is better and 64 bytes, p99 round trip s, lower is better)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got warnings %q, want %q among them", got.Warnings, want)
		}
	}
	if len(got.Rows) != 2 { // ringwire and its variant in the first row
		t.Errorf("got %+v, want two contenders", got.Rows)
	}
}
