package security

import (
	"fmt"
	"testing"
)

// benchmarkSizes are those of the bodies that are sealed and opened.
var benchmarkSizes = []int{64, 1 << 10, 64 << 10}

func BenchmarkSeal(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var shared [32]byte
			d := newDirection(&shared, fromClient, 0)
			body, buf := make([]byte, size), make([]byte, 0, size+400)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.seal(buf, 0, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, size := range benchmarkSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var shared [32]byte
			d := newDirection(&shared, fromClient, 0)
			sealed, err := d.seal(nil, 0, make([]byte, size))
			if err != nil {
				b.Fatal(err)
			}
			body, buf := sealed[len(sealed)-size-messageExtra:], make([]byte, 0, size+400)
			again := make([]byte, len(body))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				copy(again, body)
				d.counter = 0
				if _, _, err := d.open(buf, again); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
