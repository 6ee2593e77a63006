package attack

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The load of the legitimate peers. It is open: what is late is sent at once, and
// its latency counts from when it was due.
const (
	goodLanes = 2    // peers
	loadRate  = 1000 // messages in a second, of all of them together
	maxDelay  = 60_000_000_000
)

// goodTopic begins each message of theirs.
var goodTopic = []byte("legitimate")

// stamp is what a message says: its slice, its lane and when it was due.
type stamp struct {
	slice uint32
	lane  uint32
	due   int64
}

const stampSize = 16

func (s stamp) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, s.slice)
	b = binary.BigEndian.AppendUint32(b, s.lane)
	return binary.BigEndian.AppendUint64(b, uint64(s.due))
}

func parseStamp(b []byte) (s stamp, ok bool) {
	if len(b) != stampSize {
		return s, false
	}
	return stamp{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), int64(binary.BigEndian.Uint64(b[8:]))}, true
}

// pace calls send at a rate until the time is over, and returns how often. What
// send returns ends it.
func pace(now func() int64, rate int, length time.Duration, send func(due int64) error) (sent int64, err error) {
	begin := now()
	period := int64(time.Second) / int64(rate)
	for due := begin; due-begin < int64(length); due += period {
		sleepUntil(now, due)
		if err := send(due); err != nil {
			return sent, err
		}
		sent++
	}
	return sent, nil
}

// record is the latencies of the messages that came, by slice.
type record struct {
	mu     sync.Mutex
	slices map[uint32]*hdrhistogram.Histogram
	came   chan struct{} // capacity 1
}

func newRecord() *record {
	return &record{slices: make(map[uint32]*hdrhistogram.Histogram), came: make(chan struct{}, 1)}
}

func (r *record) add(slice uint32, latency int64) {
	r.mu.Lock()
	h := r.slices[slice]
	if h == nil {
		h = hdrhistogram.New(1, maxDelay, 3)
		r.slices[slice] = h
	}
	_ = h.RecordValue(min(max(latency, 1), maxDelay)) // it is in the range
	r.mu.Unlock()
	select {
	case r.came <- struct{}{}:
	default:
	}
}

// collect waits until count messages of a slice have come.
func (r *record) collect(slice uint32, count int64) reply {
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	for {
		r.mu.Lock()
		h, n := r.slices[slice], int64(0)
		if h != nil {
			n = h.TotalCount()
		}
		if n >= count || ctx.Err() != nil {
			answer := reply{Received: n}
			if h != nil {
				var err error
				if answer.Latencies, err = h.Encode(hdrhistogram.V2CompressedEncodingCookieBase); err != nil {
					answer.Error = fmt.Sprintf("encode a histogram: %v", err)
				}
			}
			delete(r.slices, slice)
			r.mu.Unlock()
			return answer
		}
		r.mu.Unlock()
		select {
		case <-r.came:
		case <-ctx.Done():
		}
	}
}
