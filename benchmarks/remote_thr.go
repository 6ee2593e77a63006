package main

import (
	"context"
	"io"
)

// remoteThr is the sending side of the throughput test. It ends when
// everything has been delivered, and prints nothing.
func remoteThr() *tool {
	return &tool{
		name:     "remote_thr",
		usage:    "send messages (PUSH) to a local_thr",
		counts:   "message-count",
		minCount: 1,
		play: func(ctx context.Context, lib library, j *job, _ io.Writer) error {
			return lib.push(ctx, j)
		},
	}
}
