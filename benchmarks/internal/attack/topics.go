package attack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// perTopic is what a publisher may keep for a topic beside its bytes, and how often
// it may keep those: as TestSEC09ManyTopics has it.
const (
	perTopic    = 600
	topicCopies = 2 // beside what arrived
)

const maxTopic = 64 << 10

func longTopics(*Target) (list []Input) {
	for _, asCommand := range []bool{true, false} {
		for _, subscribe := range []bool{true, false} {
			form := fmt.Sprintf("subscribe %t, as a command %t", subscribe, asCommand)
			list = append(list, Input{Name: "the longest, " + form, After: WhenReady, Send: topic(make([]byte, maxTopic), subscribe, asCommand), Want: Kept},
				Input{Name: "a byte too long, " + form, After: WhenReady, Send: topic(make([]byte, maxTopic+1), subscribe, asCommand), Event: bigTraffic},
				Input{Name: "1 MiB, " + form, After: WhenReady, Send: topic(make([]byte, 1<<20), subscribe, asCommand), Event: bigTraffic})
		}
	}
	return list
}

// manyTopics has three inputs, each of which sends other topics all the time, and
// then the same again.
func manyTopics(*Target) (list []Input) {
	random := noise(1 << 20)
	prefix := bytes.Repeat([]byte("prefix/"), 70)
	for _, x := range []struct {
		name  string
		count int
		topic func(i int) []byte
	}{
		{"random", 30_000, func(i int) []byte { return random[i*32 : i*32+10+i%20] }},
		{"a long prefix in common", 20_000, func(i int) []byte { return binary.BigEndian.AppendUint32(bytes.Clone(prefix), uint32(i)) }},
		{"nested", 4_000, func(i int) []byte { return bytes.Repeat([]byte{'n'}, 1+i) }},
	} {
		list = append(list, Input{Name: x.name, After: WhenReady, Want: Kept, Flood: func(n int) (send []byte, keeps int64) {
			t := x.topic(n % x.count)
			if n < x.count {
				keeps = int64(perTopic + topicCopies*len(t))
			}
			return topic(t, true, n%2 == 0), keeps
		}})
	}
	return list
}

func subscriptionChurn(*Target) []Input {
	name := bytes.Repeat([]byte{'t'}, 1<<10)
	long := slices.Concat(topic(name, true, true), topic(name, false, true), topic([]byte("never subscribed"), false, true))
	var short []byte
	for i := range 16 {
		short = append(short, topic(fmt.Appendf(nil, "%d", i), true, i%2 == 0)...)
	}
	for i := range 16 {
		short = append(short, topic(fmt.Appendf(nil, "%d", i), false, i%2 == 1)...)
	}
	return []Input{{Name: "long topics", After: WhenReady, Send: long, Want: Kept}, {Name: "short topics", After: WhenReady, Send: short, Want: Kept}}
}

func wrongDirection(*Target) (list []Input) {
	for name, b := range map[string][]byte{
		"SUBSCRIBE": topic([]byte("good"), true, true), "CANCEL": topic([]byte("good"), false, true), "SUBSCRIBE to all": topic(nil, true, true),
		"an older subscription": topic([]byte("good"), true, false), "an older cancellation": topic([]byte("good"), false, false), "CANCEL of all": topic(nil, false, true),
		"JOIN": command("JOIN", []byte("group")...), "LEAVE": command("LEAVE", []byte("group")...), "JOIN without a group": command("JOIN"),
		"PONG": command("PONG"), "PONG that nobody asked for": command("PONG", []byte("never asked")...),
		"an empty message": frame(0, nil), "a message": frame(0, []byte("evil")), "100 empty frames": slices.Concat(more(100, 0), frame(0, nil)),
		"a forged message": slices.Concat(frame(flagMore, []byte("legitimate")), frame(0, []byte("forged"))),
	} {
		list = append(list, Input{Name: name, After: WhenReady, Send: b, Want: Kept})
	}
	return list
}

func wrongFlood(t *Target) []Input {
	body := []byte(strings.Repeat("unwanted", 16))
	small, large := frame(0, body), slices.Concat(frame(flagMore, body), frame(0, bytes.Repeat(body, 16)))
	if t.Victim != "XPUB" {
		small, large = topic(body, true, true), slices.Concat(topic(bytes.Repeat(body, 16), true, true), topic(body, false, true))
	}
	return []Input{{Name: "small", After: WhenReady, Send: small, Want: Kept}, {Name: "large", After: WhenReady, Send: large, Want: Kept}}
}
