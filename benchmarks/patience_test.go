package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// waitingJob is a job that loses its patience at once.
func waitingJob(t *testing.T, tl *tool, lib, endpoint string, count int) (library, *job, *output) {
	t.Helper()
	log := newOutput()
	j := newJob(tl, log)
	j.lib, j.endpoint, j.size, j.count, j.patience = lib, endpoint, 8, count, 20*time.Millisecond
	l, err := findLibrary(tl, j)
	if err != nil {
		t.Fatal(err)
	}
	return l, j, log
}

// A tool without a peer says so, once, and one interrupt ends it: when
// everything was sent to a queue and when it was not.
func TestNoPeer(t *testing.T) {
	for _, lib := range libraries() {
		for _, test := range []struct {
			tool  *tool
			count int
		}{{remoteThr(), 10}, {remoteThr(), 100_000}, {remoteLat(), 10}, {localThr(), 10}, {localLat(), 10}} {
			t.Run(fmt.Sprintf("%s/%s/%d", lib, test.tool.name, test.count), func(t *testing.T) {
				endpoint := "ipc://" + filepath.Join(shortDir(t), "s")
				l, j, log := waitingJob(t, test.tool, lib, endpoint, test.count)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- test.tool.run(ctx, l, j, "", newOutput()) }()
				log.wait(t, "; waiting\n")
				cancel()
				select {
				case err := <-ended:
					if err == nil || !strings.Contains(err.Error(), "interrupted: context canceled") {
						t.Errorf("got error %v, want that it was interrupted", err)
					}
				case <-time.After(hang):
					t.Fatal("got no end after being interrupted")
				}
				if got := log.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, test.tool.name+": ") {
					t.Errorf("got %q, want one line of %s", got, test.tool.name)
				}
				if (lib == "libzmq" || lib == "pebbe") && test.count == 10 && test.tool.name == "remote_thr" {
					// What it has queued ends with the process, or with a peer.
					wantRun(t, throughputLines(8, 10), "local_thr", endpoint, "8", "10")
				}
			})
		}
	}
}

// A tool that is at work says nothing.
func TestWatch(t *testing.T) {
	log := newOutput()
	j := newJob(remoteThr(), log)
	j.patience = time.Millisecond
	looks, enough := int64(0), make(chan struct{})
	stop := j.watch(func() (int64, string) {
		if looks++; looks == 5 {
			close(enough)
		}
		return looks, "nothing"
	})
	<-enough
	stop()
	if got := log.String(); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

// A latency tool whose peer goes in the middle ends with an error.
func TestPeerLost(t *testing.T) {
	lost := func(t *testing.T, r *process) {
		t.Helper()
		if code := <-r.code; code != exitFailure || !strings.Contains(r.stderr.String(), "is gone before all 1000000 round trips were made") {
			t.Errorf("got exit code %d and stderr %q, want %d and that the peer is gone", code, r.stderr, exitFailure)
		}
	}
	t.Run("ringwire", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		defer cancel()
		l := start(ctx, "local_lat", "tcp://127.0.0.1:*", "8", "20")
		lost(t, start(ctx, "remote_lat", l.stderr.bound(ctx, t), "8", "1000000"))
		if code := <-l.code; code != exitOK {
			t.Errorf("got exit code %d and stderr %q, want %d", code, l.stderr, exitOK)
		}
	})
	for _, f := range []*foreign{goZeroMQLibrary, mangosLibrary, netLibrary} {
		t.Run(f.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), hang)
			defer cancel()
			room, err := f.begin()
			if err != nil {
				t.Fatal(err)
			}
			l, bound, err := room.open(ctx, plug{kind: "REP", bind: true, endpoint: "tcp://127.0.0.1:*"})
			if err != nil {
				t.Fatal(err)
			}
			r := start(ctx, "remote_lat", bound, "8", "1000000", "--lib", f.name)
			err = l.ready()
			for range 20 {
				var b []byte
				if err == nil {
					b, err = l.recv()
				}
				if err == nil {
					err = l.send(b)
				}
			}
			if err := errors.Join(err, l.close(), room.end()); err != nil {
				t.Error(err)
			}
			lost(t, r)
		})
	}
}
