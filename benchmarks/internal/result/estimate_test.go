package result

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestEstimateSmall(t *testing.T) {
	tests := []struct {
		values []float64
		want   Estimate
	}{
		{[]float64{3}, Estimate{3, 3, 3, 1}},
		{[]float64{5, 3}, Estimate{4, 3, 5, 2}},
		{[]float64{2, 2, 2, 2}, Estimate{2, 2, 2, 4}},
		// Up to five, the smallest is the median of more than 2.5 % of all
		// draws, so the interval is the range.
		{[]float64{9, 1, 2}, Estimate{2, 1, 9, 3}},
		{[]float64{9, 1, 2, 4}, Estimate{3, 1, 9, 4}},
		{[]float64{9, 1, 2, 4, 3}, Estimate{3, 1, 9, 5}},
	}
	for _, test := range tests {
		if got := estimate(slices.Clone(test.values)); got != test.want {
			t.Errorf("%v: got %+v, want %+v", test.values, got, test.want)
		}
		if !test.want.IsRange() {
			t.Errorf("%v: got an interval, want a range", test.values)
		}
	}
}

// The bootstrap distribution of a median of odd n is known: the median of a
// draw is at most the k-th smallest figure when at least half of n draws,
// each at most it with probability k/n, are.
func TestEstimateAgainstTheExactBootstrap(t *testing.T) {
	for _, n := range []int{5, 9, 15, 31} {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i + 1)
		}
		atMost := func(k int) float64 {
			p, sum := float64(k)/float64(n), 0.0
			for i := (n + 1) / 2; i <= n; i++ {
				sum += choose(n, i) * math.Pow(p, float64(i)) * math.Pow(1-p, float64(n-i))
			}
			return sum
		}
		got := estimate(values)
		// 2,000 draws: the standard error of 2.5 % is 0.35 %.
		for _, end := range []struct {
			name  string
			value float64
			p     float64
		}{{"low", got.Low, 0.025}, {"high", got.High, 0.975}} {
			k := int(end.value)
			if atMost(k-1) > end.p+0.0125 || atMost(k) < end.p-0.0125 {
				t.Errorf("n=%d: %s end is figure %d, below which are %.4f and up to which %.4f of all draws, want %.3f between them", n, end.name, k, atMost(k-1), atMost(k), end.p)
			}
		}
		if got.Median != float64(n+1)/2 || got.N != n {
			t.Errorf("n=%d: got %+v, want median %v", n, got, float64(n+1)/2)
		}
	}
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c
}

// About 95 of 100 intervals hold the median of what the figures were drawn
// from.
func TestEstimateCoverage(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const runs = 400
	held := 0
	for range runs {
		values := make([]float64, 15)
		for i := range values {
			values[i] = math.Exp(random.NormFloat64()) // median 1
		}
		if e := estimate(values); !e.Above(1) && !e.Below(1) {
			held++
		}
	}
	if held < runs*90/100 || held > runs*995/1000 {
		t.Errorf("got %d of %d intervals that hold the median, want about 95 %%", held, runs)
	}
}

func TestEstimateIsRepeatable(t *testing.T) {
	values := []float64{5, 1, 4, 2, 8, 9, 3, 7, 6.5, 11, 13, 12}
	want := estimate(values)
	slices.Reverse(values)
	if got := estimate(values); got != want {
		t.Errorf("got %+v in another order, want %+v", got, want)
	}
}

func TestPairsAreByIndex(t *testing.T) {
	// Of each alone the medians are 10 and 10; of the pairs 10/1, 10/10, 30/10.
	ours := &Contender{Slices: []Slice{{Value: 10}, {Value: 10}, {Value: 30}, {Value: 999}}}
	other := &Contender{Slices: []Slice{{Value: 1}, {Value: 10}, {Value: 10}}}
	got, ok := Ratio(ours, other, Value)
	if want := (Estimate{Median: 3, Low: 1, High: 10, N: 3}); !ok || got != want {
		t.Errorf("got %+v, %t, want %+v", got, ok, want)
	}
	if got, ok := Ratio(ours, other, CPU); ok {
		t.Errorf("got ratio %+v of what was not measured, want none", got)
	}
	other.Slices[1].Value = 0
	if got, ok := Ratio(ours, other, Value); ok {
		t.Errorf("got ratio %+v to 0, want none", got)
	}
	if got, ok := Ratio(ours, &Contender{}, Value); ok {
		t.Errorf("got ratio %+v to nothing, want none", got)
	}
}

func TestOutcomes(t *testing.T) {
	slicesOf := func(values ...float64) []Slice {
		var s []Slice
		for _, v := range values {
			s = append(s, Slice{Value: v})
		}
		return s
	}
	tests := []struct {
		label       string
		values      []float64 // ours are 10 each
		lowerBetter bool
		want        Outcome
	}{
		{"libzmq", []float64{5, 6, 7, 5, 6, 7}, false, Better},
		{"libzmq", []float64{5, 6, 7, 5, 6, 7}, true, Worse},
		{"libzmq", []float64{15, 16, 17, 15, 16, 17}, false, Worse},
		{"libzmq", []float64{15, 16, 17, 15, 16, 17}, true, Better},
		{"libzmq", []float64{9, 10, 11, 9, 10, 11}, false, NoDifference},
		{"libzmq", []float64{5, 6, 7, 5, 6}, false, TooFew},
		{"libzmq", []float64{9, 10, 11}, true, TooFew},
		{"limit", []float64{15, 16, 17, 15, 16, 17}, false, Neutral},
		{"limit-raw", []float64{15, 16, 17, 15, 16, 17}, false, Neutral},
		{"ringwire-spin-off", []float64{5, 6, 7, 5, 6, 7}, false, Neutral},
		{"libzmq", nil, false, Neutral},
	}
	for _, test := range tests {
		row := Row{LowerBetter: test.lowerBetter, Contenders: []Contender{
			{Label: Ours, Slices: slicesOf(10, 10, 10, 10, 10, 10)}, {Label: test.label, Slices: slicesOf(test.values...)},
		}}
		p := row.Pair(&row.Contenders[0], &row.Contenders[1])
		if p.Outcome != test.want {
			t.Errorf("%s with %v, lower is better %t: got %q, want %q", test.label, test.values, test.lowerBetter, p.Outcome, test.want)
		}
	}
}

func TestPairsOfARow(t *testing.T) {
	var got []string
	for _, p := range synthetic().Rows[0].Pairs() {
		got = append(got, p.Ours.Label+"/"+p.Other.Label)
	}
	want := []string{
		"ringwire/ringwire-spin-off", "ringwire/libzmq", "ringwire/pebbe", "ringwire/stuck",
		"ringwire-spin-off/libzmq", "ringwire-spin-off/pebbe", "ringwire-spin-off/stuck",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 1: "1.00", 2.345: "2.35", 12.34: "12.3", 123.4: "123", 1234: "1234",
		0.0123: "0.0123", 0.00012: "0.000120", 0.00001: "1e-05", 5e9: "5e+09", 9.996: "10.0", 0.9997: "1.00", 99.96: "100", -2.5: "-2.50",
		0.00009999: "0.000100",
	} {
		if got := Number(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

func TestEnoughFor(t *testing.T) {
	for _, test := range []struct {
		percent float64
		least   int64
	}{{0, 1}, {50, 2}, {90, 10}, {99, 100}, {99.9, 1000}, {99.99, 10_000}} {
		if EnoughFor(test.least-1, test.percent) || !EnoughFor(test.least, test.percent) {
			t.Errorf("p%v: got enough with %d: %v, with %d: %v, want it from %d on", test.percent,
				test.least-1, EnoughFor(test.least-1, test.percent), test.least, EnoughFor(test.least, test.percent), test.least)
		}
	}
	if !EnoughFor(1, 100) {
		t.Error("got too few for the greatest of 1")
	}
}
