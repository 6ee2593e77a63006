package main

import (
	"context"
	"io"
	"time"
)

// inprocThr is both sides of the throughput test, on a thread or goroutine
// each. Its clock is that of localThr.
func inprocThr() *tool {
	return &tool{
		name:     "inproc_thr",
		usage:    "send messages (PUSH to PULL) over inproc and print the throughput",
		reach:    withinProcess,
		reports:  true,
		counts:   "message-count",
		minCount: 2,
		play: func(ctx context.Context, lib library, j *job, out io.Writer) error {
			var elapsed time.Duration
			err := together(ctx, j, func(ctx context.Context, j *job) (err error) {
				elapsed, err = lib.pull(ctx, j)
				return err
			}, lib.push)
			if err != nil {
				return err
			}
			return reportThroughput(out, j, elapsed)
		},
	}
}
