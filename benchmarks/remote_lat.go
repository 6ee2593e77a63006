package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// remoteLat is the asking side of the latency test.
func remoteLat() *tool {
	return &tool{
		name:     "remote_lat",
		usage:    "send messages (REQ) to a local_lat, wait for each to return, and print the latency",
		counts:   "roundtrip-count",
		minCount: 1,
		play: func(ctx context.Context, lib library, j *job, out io.Writer) error {
			elapsed, err := lib.request(ctx, j)
			if err != nil {
				return err
			}
			return reportLatency(out, j, elapsed)
		},
	}
}

// reportLatency prints libzmq's three lines. What it calls latency is half of
// a round trip.
func reportLatency(out io.Writer, j *job, elapsed time.Duration) error {
	micros := float64(elapsed.Nanoseconds()) / 1e3 / (float64(j.count) * 2)
	_, err := fmt.Fprintf(out, "message size: %d [B]\nroundtrip count: %d\naverage latency: %.3f [us]\n", j.size, j.count, micros)
	return err
}
