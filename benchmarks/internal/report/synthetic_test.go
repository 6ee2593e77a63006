package report

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// synthetic is a run that nobody measured, shaped like a real one: figures of
// a generator with a fixed seed.
func synthetic() *result.Run {
	random := rand.New(rand.NewPCG(3, 5))
	run := &result.Run{
		Version: result.Version, Started: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), Seconds: 754, Command: []string{"suite", "--synthetic"},
		Environment: result.Environment{
			CPU: "Synthetic Processor 1", Cores: 2, GOMAXPROCS: 2, Memory: 8 << 30, OS: "Synthetic 1.0, Linux 0.0.0", Go: "go0.0.0 linux/amd64",
			Commit: "0123456789abcdef0123456789abcdef01234567-dirty", Versions: map[string]string{"libzmq": "0.0.1", "go-zeromq": "v0.0.2", "mangos": "v0.0.3"},
		},
	}
	of := func(v float64) *float64 { return &v }
	const pairs = 9
	rate := func(name, pattern string, size int, values map[string]float64, order ...string) {
		row := result.Row{Name: name, Transport: transportOf(name), Pattern: pattern, Size: size, Metric: "msg/s"}
		for _, label := range order {
			c := result.Contender{Label: label}
			for range pairs {
				v := round(values[label] * math.Exp(0.04*random.NormFloat64()))
				s := result.Slice{Value: v, Messages: int64(v * 0.3), Seconds: 0.3, CPU: of(1.7 / v)}
				if label != "libzmq" {
					s.Allocs, s.Syscalls = of(0.00012), of(0.0021)
				}
				c.Slices = append(c.Slices, s)
			}
			row.Contenders = append(row.Contenders, c)
		}
		run.Rows = append(run.Rows, row)
	}
	latency := func(name, metric, load string, values map[string]float64, order ...string) {
		row := result.Row{Name: name, Transport: transportOf(name), Pattern: "req-rep", Size: 64, Load: load, Metric: metric, LowerBetter: true}
		for _, label := range order {
			c := result.Contender{Label: label, Latency: &result.Latency{Count: 90000}}
			for range pairs {
				v := round(values[label] * math.Exp(0.07*random.NormFloat64()))
				c.Slices = append(c.Slices, result.Slice{Value: v, Messages: 10000, Seconds: 0.3, CPU: of(v), P50: of(v), P99: of(3 * v)})
			}
			for _, p := range []float64{0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100} {
				nines := -math.Log10(1 - min(p, 99.995)/100)
				c.Latency.Percentiles = append(c.Latency.Percentiles, result.Percentile{Percent: p, Value: int64(round(values[label] * 1e9 * (0.8 + 0.2*math.Pow(1+nines, 2.2))))})
			}
			c.Latency.Min, c.Latency.Max = c.Latency.Percentiles[0].Value, c.Latency.Percentiles[12].Value
			row.Contenders = append(row.Contenders, c)
		}
		run.Rows = append(run.Rows, row)
	}
	rate("tcp/push-pull/64", "push-pull", 64, map[string]float64{
		"ringwire": 24e6, "ringwire-spin-off": 23.5e6, "libzmq": 5.1e6, "go-zeromq": 110e3, "mangos": 260e3, "net": 0.9e6, "limit": 61e6,
	}, "ringwire", "ringwire-spin-off", "libzmq", "go-zeromq", "mangos", "net", "limit")
	for i, n := range []int{16, 1024, 65536, 1048576} {
		rate("tcp/push-pull/"+strconv.Itoa(n), "push-pull", n, map[string]float64{
			"ringwire": []float64{31e6, 2.9e6, 58e3, 4.5e3}[i], "libzmq": []float64{7.4e6, 0.86e6, 30e3, 4.6e3}[i], "limit": []float64{70e6, 4.4e6, 66e3, 5.1e3}[i],
		}, "ringwire", "libzmq", "limit")
	}
	latency("tcp/req-rep/64", "p50 round trip s", "", map[string]float64{
		"ringwire": 9.4e-6, "ringwire-spin-off": 33e-6, "libzmq": 93e-6, "mangos": 18e-6, "limit": 41e-6,
	}, "ringwire", "ringwire-spin-off", "libzmq", "mangos", "limit")
	latency("tcp/push-pull/64@100", "p50 one-way s", "100/s", map[string]float64{"ringwire": 61e-6, "libzmq": 60e-6}, "ringwire", "libzmq")
	rate("inproc/push-pull-4x1/64", "push-pull-4x1", 64, map[string]float64{"ringwire": 8e6, "chan": 9.5e6}, "ringwire", "chan")

	run.Rows[0].Contenders = append(run.Rows[0].Contenders, result.Contender{Label: "pebbe", Missing: "synthetic reason: the worker process ended with exit code 2"})
	run.Rows[0].Contenders[3].Note = "synthetic note: a reader must know something about this contender's figures that takes more than one line to say, so that it is broken"
	memory := result.Row{Name: "tcp/connections-10000/memory", Transport: "tcp", Pattern: "connections-10000", Metric: "resident bytes", LowerBetter: true}
	idle := result.Row{Name: "tcp/connections-10000/idle-cpu", Transport: "tcp", Pattern: "connections-10000", Metric: "CPU s/s", LowerBetter: true}
	for _, label := range []string{"ringwire", "libzmq"} {
		m, i := result.Contender{Label: label}, result.Contender{Label: label}
		for range 3 {
			m.Slices = append(m.Slices, result.Slice{Value: round(9000 + 2000*random.Float64()), Messages: 10000, Seconds: 1})
			i.Slices = append(i.Slices, result.Slice{Value: 0, Messages: 10000, Seconds: 2})
		}
		memory.Contenders, idle.Contenders = append(memory.Contenders, m), append(idle.Contenders, i)
	}
	run.Rows = append(run.Rows, memory, idle)
	return run
}

// round keeps four digits: the last ones of the mathematical functions are not
// the same on every processor.
func round(v float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		panic(err)
	}
	return rounded
}

func transportOf(name string) string {
	for i := range name {
		if name[i] == '/' {
			return name[:i]
		}
	}
	return name
}
