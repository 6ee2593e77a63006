package report

import (
	"math"

	"gonum.org/v1/plot"
)

// logTicks are ticks for values from low to high, on an axis that shows their
// decimal logarithms. Both are positive.
func logTicks(low, high float64, label func(float64) string) plot.ConstantTicks {
	decades := math.Log10(high / low)
	steps := []float64{1, 2, 5}
	if decades < 1 {
		steps = []float64{1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9}
	}
	var ticks plot.ConstantTicks
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, step := range steps {
			v := step * math.Pow(10, e)
			if v < low*0.9999 || v > high*1.0001 {
				continue
			}
			t := plot.Tick{Value: math.Log10(v)}
			if step == 1 || decades <= 3.2 {
				t.Label = label(v)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// linearTicks are about five ticks at round values from 0 to high.
func linearTicks(high float64, label func(float64) string) plot.ConstantTicks {
	if high <= 0 {
		return plot.ConstantTicks{{Value: 0, Label: label(0)}}
	}
	step := math.Pow(10, math.Floor(math.Log10(high)))
	switch {
	case high/step < 2:
		step /= 5
	case high/step < 5:
		step /= 2
	}
	var ticks plot.ConstantTicks
	for i := 0; float64(i)*step <= high*1.0001; i++ {
		v := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: label(v)})
	}
	return ticks
}

// span is the smallest range that holds all figures added to it.
type span struct {
	low, high float64
	any       bool
}

func (s *span) add(v float64) {
	if !s.any {
		s.low, s.high, s.any = v, v, true
	}
	s.low, s.high = min(s.low, v), max(s.high, v)
}

// wide reports whether only a logarithmic axis shows all of it.
func (s *span) wide() bool { return s.low > 0 && s.high/s.low > 12 }
