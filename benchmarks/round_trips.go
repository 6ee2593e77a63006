package main

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tripsAtOnce is how many round trips are timed before their times go into the
// histogram, which is not timed: it takes a few microseconds.
const tripsAtOnce = 1000

// maxTrip is the longest round trip that is told from longer ones.
const maxTrip = time.Hour

// roundTrips are what a latency tool has measured.
type roundTrips struct {
	elapsed   time.Duration           // of all of them
	histogram *hdrhistogram.Histogram // of each, in nanoseconds
}

func newRoundTrips() *roundTrips {
	return &roundTrips{histogram: hdrhistogram.New(1, int64(maxTrip), 3)}
}

// record adds round trips that were made one after the other.
func (r *roundTrips) record(nanoseconds []int64) {
	for _, n := range nanoseconds {
		r.elapsed += time.Duration(n)
		// The range was checked: the only error there is.
		_ = r.histogram.RecordValue(min(n, int64(maxTrip)))
	}
}

// measure times count round trips. Each takes one look at the clock.
func (r *roundTrips) measure(count int, trip func(i int) error) error {
	times := make([]int64, tripsAtOnce)
	for done := 0; done < count; {
		n := min(count-done, tripsAtOnce)
		start, before := time.Now(), time.Duration(0)
		for k := range n {
			if err := trip(done + k); err != nil {
				return err
			}
			after := time.Since(start)
			times[k], before = int64(after-before), after
		}
		r.record(times[:n])
		done += n
	}
	return nil
}
