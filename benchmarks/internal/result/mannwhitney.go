package result

import (
	"math"
	"slices"
)

// exactLimit is up to which size of both samples the distribution of U is
// counted out. Above it the normal approximation is right to three digits.
const exactLimit = 20

// mannWhitney returns the two-sided probability that two samples of one
// population differ in rank at least as much as x and y do (Mann and Whitney
// 1947). It is counted out for small samples without ties, and otherwise the
// normal approximation with corrections for ties and continuity.
func mannWhitney(x, y []float64) float64 {
	n, m := len(x), len(y)
	if n == 0 || m == 0 {
		return 1
	}
	ranks, ties := rank(x, y)
	u := ranks - float64(n*(n+1))/2
	u = min(u, float64(n*m)-u)
	if ties == 0 && n <= exactLimit && m <= exactLimit {
		return min(1, 2*atMost(int(u), n, m))
	}
	total := float64(n + m)
	variance := float64(n*m) / 12 * (total + 1 - ties/(total*(total-1)))
	if variance == 0 {
		return 1 // all figures are the same
	}
	z := max(0, float64(n*m)/2-u-0.5) / math.Sqrt(variance)
	return math.Erfc(z / math.Sqrt2)
}

// rank returns the sum of the ranks of x in both samples together, tied
// figures sharing the mean of theirs, and the sum of t^3-t over groups of t
// tied figures.
func rank(x, y []float64) (sum, ties float64) {
	type figure struct {
		value float64
		ofX   bool
	}
	all := make([]figure, 0, len(x)+len(y))
	for _, v := range x {
		all = append(all, figure{v, true})
	}
	for _, v := range y {
		all = append(all, figure{v, false})
	}
	slices.SortFunc(all, func(a, b figure) int {
		switch {
		case a.value < b.value:
			return -1
		case a.value > b.value:
			return 1
		}
		return 0
	})
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].value == all[i].value {
			j++
		}
		mean := float64(i+1+j) / 2
		for _, f := range all[i:j] {
			if f.ofX {
				sum += mean
			}
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return sum, ties
}

// atMost returns the probability that U is at most u, all orders of n and m
// figures being equally likely.
func atMost(u, n, m int) float64 {
	// counts[i][k]: of the orders of i figures of one sample and as many of
	// the other as the loop has added, how many have U = k. The largest
	// figure is of the first sample and then beats j, or it is not.
	counts := make([][]float64, n+1)
	for i := range counts {
		counts[i] = make([]float64, n*m+1)
		counts[i][0] = 1
	}
	for j := 1; j <= m; j++ {
		for i := 1; i <= n; i++ {
			for k := n * m; k >= 0; k-- {
				if k >= j {
					counts[i][k] += counts[i-1][k-j]
				}
			}
		}
	}
	var below, all float64
	for k, count := range counts[n] {
		all += count
		if k <= u {
			below += count
		}
	}
	return below / all
}
