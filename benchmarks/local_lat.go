package main

import (
	"context"
	"io"
)

// localLat is the answering side of the latency test. It prints nothing.
func localLat() *tool {
	return &tool{
		name:     "local_lat",
		usage:    "return messages (REP) to a remote_lat",
		binds:    true,
		counts:   "roundtrip-count",
		minCount: 1,
		play: func(ctx context.Context, lib library, j *job, _ io.Writer) error {
			return lib.reply(ctx, j)
		},
	}
}
