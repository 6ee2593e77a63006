package main

import (
	"context"
	"io"
)

// inprocLat is both sides of the latency test, on a thread or goroutine each.
func inprocLat() *tool {
	return &tool{
		name:     "inproc_lat",
		usage:    "send messages (REQ) over inproc, wait for each to return, and print the latency: half of a round trip",
		reach:    withinProcess,
		reports:  true,
		counts:   "roundtrip-count",
		minCount: 1,
		play: func(ctx context.Context, lib library, j *job, out io.Writer) error {
			var trips *roundTrips
			err := together(ctx, j, lib.reply, func(ctx context.Context, j *job) (err error) {
				trips, err = lib.request(ctx, j)
				return err
			})
			if err != nil {
				return err
			}
			return reportLatency(out, j, trips)
		},
	}
}
