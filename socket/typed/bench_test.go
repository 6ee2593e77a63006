package typed

import (
	"testing"
)

type quote struct {
	Symbol string
	Bid    float64
	Ask    float64
	Sizes  []int
}

// BenchmarkScratch shows what the pool of encoding buffers gives: without it, each
// message allocates its buffer, and while that grows a few more.
func BenchmarkScratch(b *testing.B) {
	for _, size := range []struct {
		name  string
		sizes int
	}{{"100B", 10}, {"10KiB", 3000}} {
		c := coder[quote]{codec: Msgpack{}}
		q := quote{"EUR/USD", 1.0812, 1.0813, make([]int, size.sizes)}
		for i := range q.Sizes {
			q.Sizes[i] = 1000 + i
		}
		b.Run(size.name+"/pool", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf := scratch.Get()
				buf.B, _ = c.append(buf.B, q)
				b.SetBytes(int64(len(buf.B)))
				scratch.Put(buf)
			}
		})
		b.Run(size.name+"/none", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf, _ := c.append(nil, q)
				b.SetBytes(int64(len(buf)))
			}
		})
	}
}
