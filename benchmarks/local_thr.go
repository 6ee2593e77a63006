package main

import (
	"context"
	"io"
)

// localThr is the receiving side of the throughput test. Its clock starts
// after the first message, so that connecting is not measured and one message
// alone has no throughput.
func localThr() *tool {
	return &tool{
		name:     "local_thr",
		usage:    "receive messages (PULL) and print the throughput",
		binds:    true,
		reports:  true,
		counts:   "message-count",
		minCount: 2,
		play: func(ctx context.Context, lib library, j *job, out io.Writer) error {
			elapsed, err := lib.pull(ctx, j)
			if err != nil {
				return err
			}
			return reportThroughput(out, j, elapsed)
		},
	}
}
