package main

import (
	"context"
	"fmt"
	"io"
)

// proxyThr is the throughput test through a forwarder: two publishers, XSUB,
// XPUB and a subscriber, all over inproc. Nothing is dropped: the publishers
// wait. They go on until the subscriber has its messages. The clock is that of
// localThr; libzmq's own proxy_thr has it run before the publishers start.
func proxyThr() *tool {
	return &tool{
		name:     "proxy_thr",
		usage:    "send messages (two XPUB to SUB) over inproc through a forwarder (XSUB, XPUB) and print the throughput",
		reach:    throughProxy,
		reports:  true,
		counts:   "message-count",
		minCount: 2,
		play: func(ctx context.Context, lib library, j *job, out io.Writer) error {
			forwards, ok := lib.(forwarding)
			if !ok {
				return fmt.Errorf("%s does not forward", j.lib)
			}
			elapsed, err := forwards.forward(ctx, j)
			if err != nil {
				return err
			}
			return reportThroughput(out, j, elapsed)
		},
	}
}
