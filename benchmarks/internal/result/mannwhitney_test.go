package result

import (
	"math"
	"math/bits"
	"testing"
)

// The largest U at which two samples differ at the 5 % level, two-sided, from
// the tables in every statistics book.
func TestMannWhitneyCriticalValues(t *testing.T) {
	for _, test := range []struct{ n, m, critical int }{
		{3, 5, 0}, {4, 4, 0}, {4, 6, 2}, {5, 5, 2}, {5, 8, 6}, {6, 6, 5}, {7, 7, 8}, {8, 8, 13},
		{9, 9, 17}, {9, 15, 34}, {10, 10, 23}, {12, 12, 37}, {15, 15, 64}, {18, 18, 99}, {20, 20, 127},
	} {
		if p := 2 * atMost(test.critical, test.n, test.m); p > 0.05 {
			t.Errorf("n=%d, m=%d: got p=%v at U=%d, want at most 0.05", test.n, test.m, p, test.critical)
		}
		if p := 2 * atMost(test.critical+1, test.n, test.m); p <= 0.05 {
			t.Errorf("n=%d, m=%d: got p=%v at U=%d, want more than 0.05", test.n, test.m, p, test.critical+1)
		}
	}
	// Three and three can never differ at that level: 2 of 20 orders are as
	// extreme as the most extreme.
	if p := mannWhitney([]float64{1, 2, 3}, []float64{4, 5, 6}); math.Abs(p-0.1) > 1e-12 {
		t.Errorf("got p=%v of 3 and 3, want 0.1", p)
	}
}

// All ways of dealing the figures out, counted one by one.
func bruteForce(x, y []float64) float64 {
	all := append(append([]float64{}, x...), y...)
	u := func(mask uint) float64 {
		sum := 0.0
		for i, a := range all {
			for j, b := range all {
				if mask>>i&1 == 1 && mask>>j&1 == 0 {
					if a > b {
						sum++
					} else if a == b {
						sum += 0.5
					}
				}
			}
		}
		return sum
	}
	mean := float64(len(x)*len(y)) / 2
	seen := math.Abs(u(1<<len(x)-1) - mean)
	extreme, total := 0, 0
	for mask := uint(0); mask < 1<<len(all); mask++ {
		if bits.OnesCount(mask) == len(x) {
			total++
			if math.Abs(u(mask)-mean) >= seen {
				extreme++
			}
		}
	}
	return float64(extreme) / float64(total)
}

func TestMannWhitneyExact(t *testing.T) {
	for _, test := range []struct{ x, y []float64 }{
		{[]float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}},
		{[]float64{1, 3, 5, 7}, []float64{2, 4, 6, 8, 10}},
		{[]float64{1, 9}, []float64{2, 3, 4, 5, 6, 7, 8}},
		{[]float64{11, 12, 3, 14, 15, 16}, []float64{1, 2, 13, 4, 5, 6}},
	} {
		got, want := mannWhitney(test.x, test.y), bruteForce(test.x, test.y)
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%v and %v: got p=%v, want %v", test.x, test.y, got, want)
		}
		if again := mannWhitney(test.y, test.x); again != got {
			t.Errorf("%v and %v: got p=%v the other way round, want %v", test.x, test.y, again, got)
		}
	}
}

func TestMannWhitneyTies(t *testing.T) {
	for _, test := range []struct{ x, y []float64 }{
		{[]float64{1, 2, 2, 3, 4, 5, 5}, []float64{2, 4, 5, 6, 6, 7, 8}},
		{[]float64{1, 1, 2, 2, 3, 3, 4}, []float64{5, 5, 6, 6, 7, 7, 8}},
		{[]float64{1, 2, 3, 4, 4, 6}, []float64{1, 2, 3, 4, 5, 6, 7}},
	} {
		got, want := mannWhitney(test.x, test.y), bruteForce(test.x, test.y)
		if math.Abs(got-want) > 0.02 {
			t.Errorf("%v and %v: got p=%v by approximation, want about %v", test.x, test.y, got, want)
		}
	}
	if p := mannWhitney([]float64{2, 2, 2}, []float64{2, 2}); p != 1 {
		t.Errorf("got p=%v of equal figures, want 1", p)
	}
	if p := mannWhitney(nil, []float64{2, 2}); p != 1 {
		t.Errorf("got p=%v of no figures, want 1", p)
	}
	// Worked by hand: ranks 1.5 1.5 3 4 | 5 6.5 6.5 8, U = 0, variance
	// 16/12 * (9 - 12/56) = 11.714, z = 7.5/3.4226 = 2.1913, p = 0.02843.
	if p := mannWhitney([]float64{1, 1, 2, 3}, []float64{4, 5, 5, 6}); math.Abs(p-0.02843) > 5e-5 {
		t.Errorf("got p=%v, want 0.02843", p)
	}
}

// Where one method ends and the other begins they agree.
func TestMannWhitneyMethodsAgree(t *testing.T) {
	var x, y []float64
	for i := range exactLimit {
		x = append(x, float64(3*i))
		y = append(y, float64(3*i+13))
	}
	exact := mannWhitney(x, y)
	approximate := mannWhitney(append(x, 31.5), append(y, 32.5))
	if math.Abs(exact-approximate) > 0.03 || exact == approximate {
		t.Errorf("got %v counted out and %v by approximation with one more, want about the same", exact, approximate)
	}
}
