package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
)

// seeds plays seeds in memory.
func (r *chaosRun) seeds(ctx context.Context) {
	done := 0
	if r.count == 1 {
		fmt.Fprintf(r.stderr, "seed %d: %v\n", r.first, chaos.Draw(r.first))
	}
	chaos.RunSeeds(ctx, r.first, r.count, seedsAtOnce*runtime.GOMAXPROCS(0), func(o *chaos.Outcome) {
		done++
		r.report.Add(o)
		if len(o.Broken) > 0 {
			fmt.Fprintf(r.stderr, "BROKEN %s: %s\n", o.Name, o.Broken[0])
		}
		if time.Since(r.shown) > progressInterval || done == r.count {
			r.shown = time.Now()
			fmt.Fprintf(r.stderr, "%d of %d seeds, %d broke an invariant\n", done, r.count, len(r.report.Failures))
		}
	})
}

// progressInterval is between two lines of progress.
const progressInterval = 5 * time.Second
