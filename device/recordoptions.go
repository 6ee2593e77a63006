package device

import (
	"log/slog"
	"time"
)

// DefaultSegmentBytes is RecordOptions.SegmentBytes where that is zero.
const DefaultSegmentBytes = 64 << 20

// RecordOptions configure a Recorder. The zero value of every field is the
// documented default.
type RecordOptions struct {
	// SegmentBytes is the size from which on a segment is followed by a new one.
	// 0: 64 MiB, -1: no limit.
	SegmentBytes int64
	// Sync is how long what was written may stay in the system's memory, where a
	// crash of the machine destroys it, but not one of the program. 0: until the
	// segment ends, -1: not at all, each batch is on the disk before it counts as
	// recorded.
	Sync time.Duration
	// Label is what Record writes with each message. Empty: the endpoint of the
	// socket by which it came.
	Label string
	// Logger is told of damage that was found, as a warning. nil: silence; see
	// Recorder.Found.
	Logger *slog.Logger
}
