package main

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ringwire/ringwire"
)

const (
	icanhaz = "ICANHAZ?"
	kthxbai = "KTHXBAI"
	hugz    = "HUGZ"
)

// update is a message of five frames: KVSYNC, KTHXBAI, KVPUB, HUGZ or KVSET.
type update struct {
	key        string
	sequence   uint64
	id         string
	properties string
	value      string
}

func (u update) frames() [][]byte {
	return [][]byte{
		[]byte(u.key),
		binary.BigEndian.AppendUint64(nil, u.sequence),
		[]byte(u.id),
		[]byte(u.properties),
		[]byte(u.value),
	}
}

func parse(frames [][]byte) (update, error) {
	if len(frames) != 5 || len(frames[1]) != 8 {
		return update{}, fmt.Errorf("got %q, want five frames, the second of 8 bytes", frames)
	}
	return update{
		key:        string(frames[0]),
		sequence:   binary.BigEndian.Uint64(frames[1]),
		id:         string(frames[2]),
		properties: string(frames[3]),
		value:      string(frames[4]),
	}, nil
}

// property returns a property, empty if there is none.
func (u update) property(name string) (value string, found bool) {
	for line := range strings.Lines(u.properties) {
		if key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "="); key == name {
			return value, true
		}
	}
	return "", false
}

// ttl is how long the key shall exist, 0 for ever.
func (u update) ttl() time.Duration {
	value, _ := u.property("ttl")
	seconds, err := strconv.Atoi(value)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// frames are the frames of a message.
func frames(m *ringwire.Message) [][]byte {
	list := make([][]byte, m.Len())
	for i := range list {
		list[i] = m.Frame(i)
	}
	return list
}
