package result

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Estimate is a median with its 95 % confidence interval. Of five figures or
// fewer Low and High are their range, which holds the true median less often:
// in 94 % of cases with five, 75 % with three.
type Estimate struct {
	Median, Low, High float64
	N                 int // figures it is made of
}

// IsRange reports whether there are too few figures for a 95 % interval.
func (e Estimate) IsRange() bool { return e.N <= 5 }

// resamples is how often the bootstrap draws. The ends of a 95 % interval are
// then the 50th smallest and the 50th largest median: enough that another seed
// moves them by no more than a neighbouring figure.
const resamples = 2000

// estimate returns the median of values with a percentile bootstrap interval.
// The seed is fixed: the same run always gives the same report.
func estimate(values []float64) Estimate {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	e := Estimate{Median: median(sorted), Low: sorted[0], High: sorted[n-1], N: n}
	if n <= 2 {
		return e
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	medians := make([]float64, resamples)
	draw := make([]int, n) // indices into sorted, which sort as what they stand for
	for i := range medians {
		for j := range draw {
			draw[j] = random.IntN(n)
		}
		slices.Sort(draw)
		medians[i] = (sorted[draw[(n-1)/2]] + sorted[draw[n/2]]) / 2
	}
	slices.Sort(medians)
	e.Low, e.High = medians[resamples*25/1000-1], medians[resamples-resamples*25/1000]
	return e
}

// median of figures in ascending order.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// Above and Below report whether the whole interval is on that side of limit.
func (e Estimate) Above(limit float64) bool { return e.Low > limit }

// Below is described at Above.
func (e Estimate) Below(limit float64) bool { return e.High < limit }

// Number writes v with three significant digits, and without an exponent
// where that can be read.
func Number(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	// Rounded first: 9.996 has two digits before the point.
	rounded := strconv.FormatFloat(v, 'e', 2, 64)
	_, after, _ := strings.Cut(rounded, "e")
	exponent, err := strconv.Atoi(after)
	if err != nil || exponent >= 7 || exponent < -4 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-exponent), 64)
}
