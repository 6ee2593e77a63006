package attack

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// Limits of the victims of attacks about sizes.
const (
	sizeLimit   = 100_000
	framesLimit = 50
)

func frameSizes(*Target) (list []Input) {
	for _, flags := range []byte{0, flagMore, flagCommand, flagCommand | flagMore} {
		for _, size := range []uint64{0, 1, 254, 255, 256, 1 << 16, sizeLimit, sizeLimit + 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 53, 1 << 62,
			1<<63 - 1, 1 << 63, 1<<63 + 1, math.MaxUint64 - 255, math.MaxUint64 - 9, math.MaxUint64 - 1, math.MaxUint64} {
			input := Input{Name: fmt.Sprintf("flags %d, size %d", flags, size), After: WhenReady, Send: header(flags, size)}
			early := badHandshake
			switch {
			case flags == flagCommand|flagMore, size > math.MaxInt64, flags == flagCommand && size < 2:
				input.Event = badTraffic
			case size > sizeLimit:
				input.Event, early = bigTraffic, bigHandshake
			default:
				input.Want = Kept
			}
			if size > sizeLimit {
				list = append(list, input, Input{Name: input.Name + ", first", After: InGreeting, Send: input.Send, Event: early})
				continue
			}
			// A command whose name has 9 bytes, or a user's message.
			input.Send = append(input.Send, bytes.Repeat([]byte{9}, int(size))...)
			if flags == flagMore {
				input.Send = append(input.Send, 0, 0)
			}
			list = append(list, input)
		}
	}
	// What scanners and fuzzers have brought other implementations down with.
	for name, b := range map[string]string{
		"JeroMQ 440": "\x02\xfb\x18\xff\xfb\x1f\xff\xfb\x20", "NetMQ 1168": "\xff\xff\xff\xff\xff\xff\xff\xff\xe2\xaa\xaa\xaa", "rzmq 9": "\xff\xff\xff\xff\xff\xff\xff\xff\x98",
	} {
		list = append(list, Input{Name: name, After: WhenReady, Send: []byte(b), Event: badTraffic}, Input{Name: name + ", first", After: InGreeting, Send: []byte(b), Event: badHandshake})
	}
	return list
}

func more(count, size int) []byte {
	return bytes.Repeat(frame(flagMore, make([]byte, size)), count)
}

func multiparts(*Target) (list []Input) {
	last := frame(0, []byte("end"))
	bad := func(name, event string, pieces ...[]byte) {
		list = append(list, Input{Name: name, After: WhenReady, Send: slices.Concat(pieces...), Event: event})
	}
	bad("100,000 empty frames", bigTraffic, more(100_000, 0))
	bad("one frame too many", bigTraffic, more(framesLimit, 0), last)
	bad("too large together", bigTraffic, more(11, 9_100))
	bad("too large at the end", bigTraffic, more(framesLimit-1, 2_040), frame(0, make([]byte, 300)))
	bad("a command with MORE", badTraffic, more(3, 10), frame(flagCommand|flagMore, []byte("\x04PING\x00\x00")))
	for name, pieces := range map[string][][]byte{
		"as many frames as allowed": {more(framesLimit-1, 0), last}, "large, but not too large": {more(10, 9_100), last}, "a command amid": {more(2, 10), command("UNKNOWN"), last},
		"a PING amid": {more(2, 10), ping(0, "amid"), last}, "a large command amid": {more(5, 2_000), command("X", make([]byte, 60_000)...), last},
		"reserved flags": {{flagMore | 0xF8, 1, 'a'}, {0xF0, 1, 'b'}},
	} {
		list = append(list, Input{Name: name, After: WhenReady, Send: slices.Concat(pieces...), Want: Kept})
	}
	return list
}

func unfinished(*Target) (list []Input) {
	for name, b := range map[string][]byte{
		"a frame": more(1, 4), "500 frames": more(500, 4), "a large frame": more(1, 30_000), "half a frame": more(1, 30_000)[:20_000],
		"half a second frame": slices.Concat(more(1, 100), more(1, 30_000)[:10_000]),
	} {
		list = append(list, Input{Name: name, After: WhenReady, Send: b, Want: Left})
	}
	return list
}
