package main

import (
	"context"
	"io"
)

// remoteLat is the asking side of the latency test.
func remoteLat() *tool {
	return &tool{
		name:     "remote_lat",
		usage:    "send messages (REQ) to a local_lat, wait for each to return, and print the latency: half of a round trip",
		reports:  true,
		counts:   "roundtrip-count",
		minCount: 1,
		play: func(ctx context.Context, lib library, j *job, out io.Writer) error {
			trips, err := lib.request(ctx, j)
			if err != nil {
				return err
			}
			return reportLatency(out, j, trips)
		},
	}
}
