package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// localThr is the receiving side of the throughput test. Its clock starts
// after the first message, so that connecting is not measured and one message
// alone has no throughput.
func localThr() *tool {
	return &tool{
		name:     "local_thr",
		usage:    "receive messages (PULL) and print the throughput",
		binds:    true,
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

// reportThroughput prints libzmq's four lines. elapsed is the time of all
// messages but the first.
func reportThroughput(out io.Writer, j *job, elapsed time.Duration) error {
	perSecond := float64(j.count-1) / max(elapsed, 1).Seconds()
	megabits := perSecond * float64(j.size) * 8 / 1e6
	_, err := fmt.Fprintf(out, "message size: %d [B]\nmessage count: %d\nmean throughput: %d [msg/s]\nmean throughput: %.3f [Mb/s]\n",
		j.size, j.count, int64(perSecond), megabits)
	return err
}
