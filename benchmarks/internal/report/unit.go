package report

import (
	"math"
	"strconv"
	"strings"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// absent stands for a figure that cannot be counted.
const absent = "n/a"

// tooFew stands for a percentile that is beyond the sample.
const tooFew = "too few"

// scale is a unit prefix and what it multiplies by.
type scale struct {
	factor float64
	prefix string
}

var (
	decimal = []scale{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}}
	binary  = []scale{{1 << 40, "Ti"}, {1 << 30, "Gi"}, {1 << 20, "Mi"}, {1 << 10, "Ki"}, {1, ""}}
	seconds = []scale{{1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}}
)

// in returns the scale that v is best read in.
func in(v float64, scales []scale) scale {
	for _, s := range scales {
		if math.Abs(v) >= s.factor*0.99951 { // 999.6 is written 1000, so it is 1.00 of the next
			return s
		}
	}
	return scales[len(scales)-1]
}

// amount writes v for people: "15.2 M msg/s", "9.51 us", "4.20 KiB".
func amount(v float64, unit string) string {
	scales, unit := scalesOf(unit)
	if scales == nil {
		return strings.TrimSpace(result.Number(v) + " " + unit)
	}
	if v == 0 {
		return strings.TrimSpace("0 " + unit)
	}
	s := in(v, scales)
	space := " " // "M msg/s", but "us", "KiB" and "GB/s"
	if s.prefix == "" || unit == "s" || unit == "B" || unit == "B/s" {
		space = ""
	}
	return strings.TrimSpace(result.Number(v/s.factor) + " " + s.prefix + space + unit)
}

// scalesOf returns how a unit is scaled, if it is, and how it is written.
func scalesOf(unit string) ([]scale, string) {
	switch {
	case unit == "s":
		return seconds, unit
	case unit == "bytes", unit == "B":
		return binary, "B"
	case unit == "s/s":
		return nil, unit
	case strings.HasSuffix(unit, "/s"):
		return decimal, unit
	}
	return nil, unit
}

// tickAmount writes the label of a tick: a round number.
func tickAmount(v float64, unit string) string {
	scales, unit := scalesOf(unit)
	if v == 0 || scales == nil {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	s := in(v, scales)
	text := strconv.FormatFloat(v/s.factor, 'f', -1, 64)
	if len(text) > 6 {
		text = strconv.FormatFloat(v/s.factor, 'g', 4, 64)
	}
	if unit == "s" || unit == "B" {
		return text + " " + s.prefix + unit
	}
	return strings.TrimSpace(text + " " + s.prefix)
}

// size writes a number of bytes that is a round one: "64 B", "64 KiB".
func size(bytes int) string {
	s := in(float64(bytes), binary)
	return strconv.FormatFloat(float64(bytes)/s.factor, 'g', 6, 64) + " " + s.prefix + "B"
}

// seconds of a number of nanoseconds.
func ofNanoseconds(n int64) float64 { return float64(n) / 1e9 }

// interval writes an estimate with its interval: "2.98 [2.90, 3.05]".
func interval(e result.Estimate) string {
	return result.Number(e.Median) + " [" + result.Number(e.Low) + ", " + result.Number(e.High) + "]"
}
