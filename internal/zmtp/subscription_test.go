package zmtp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/internal/zmtp"
)

// The header changes form at 246 bytes of topic for SUBSCRIBE, 249 for CANCEL
// and 255 for a message. libzmq's encoder for 3.0 misses the last.
func TestSubscriptionGolden(t *testing.T) {
	for _, n := range []int{0, 1, 245, 246, 248, 249, 254, 255, 256, 1000} {
		topic := strings.Repeat("t", n)
		for _, row := range []struct {
			subscribe, minor31 bool
			prefix             string
			flags              byte
		}{
			{true, true, "\x09SUBSCRIBE", zmtp.FlagCommand},
			{false, true, "\x06CANCEL", zmtp.FlagCommand},
			{true, false, "\x01", 0},
			{false, false, "\x00", 0},
		} {
			t.Run(fmt.Sprintf("%q/%d", row.prefix, n), func(t *testing.T) {
				size := len(row.prefix) + n
				want := []byte{row.flags, byte(size)}
				if size > 255 {
					want = []byte{row.flags | zmtp.FlagLong, 0, 0, 0, 0, 0, 0, byte(size >> 8), byte(size)}
				}
				want = append(append(want, row.prefix...), topic...)
				got := zmtp.AppendSubscription([]byte("before"), topic, row.subscribe, row.minor31)
				if string(got) != "before"+string(want) {
					t.Errorf("got %q, want %q", got[6:], want)
				}
				if got := zmtp.AppendSubscription(nil, []byte(topic), row.subscribe, row.minor31); !bytes.Equal(got, want) {
					t.Errorf("topic as bytes: got %q, want %q", got, want)
				}
				checkSubscription(t, got[6:], topic, row.subscribe, row.minor31)
			})
		}
	}
}

// checkSubscription fails unless frame is this subscription in this form.
func checkSubscription(t *testing.T, frame []byte, topic string, subscribe, minor31 bool) {
	t.Helper()
	h, ok, err := zmtp.ParseHeader(frame)
	if !ok || err != nil || h.Size != uint64(len(frame)-h.Len) {
		t.Fatalf("%q is no frame: %+v, %v, %v", frame, h, ok, err)
	}
	body := frame[h.Len:]
	if !minor31 {
		got, sub, ok := zmtp.ParseSubscriptionMessage(body)
		if h.Flags&^zmtp.FlagLong != 0 || string(got) != topic || sub != subscribe || !ok {
			t.Errorf("got %+v, %q, %v, %v, want topic %q, %v", h, got, sub, ok, topic, subscribe)
		}
		return
	}
	want := zmtp.CommandCancel
	if subscribe {
		want = zmtp.CommandSubscribe
	}
	name, got, err := zmtp.ParseCommand(body)
	if h.Flags&^zmtp.FlagLong != zmtp.FlagCommand || string(name) != want || string(got) != topic || err != nil {
		t.Errorf("got %+v, %q, %q, %v, want %s %q", h, name, got, err, want, topic)
	}
}

func TestSubscriptionMessage(t *testing.T) {
	for _, row := range []struct {
		body, topic   string
		subscribe, ok bool
	}{
		{"", "", false, false},
		{"\x00", "", false, true},
		{"\x01", "", true, true},
		{"\x01topic", "topic", true, true},
		{"\x00\x01", "\x01", false, true},
		{"\x02topic", "", false, false},
		{"\xFF", "", false, false},
		{"topic", "", false, false},
	} {
		topic, subscribe, ok := zmtp.ParseSubscriptionMessage([]byte(row.body))
		if string(topic) != row.topic || subscribe != row.subscribe || ok != row.ok || cap(topic) != len(topic) {
			t.Errorf("%q: got %q, %v, %v, want %q, %v, %v", row.body, topic, subscribe, ok, row.topic, row.subscribe, row.ok)
		}
	}
}

func TestSubscriptionTruncated(t *testing.T) {
	for _, minor31 := range []bool{false, true} {
		frame := zmtp.AppendSubscription(nil, strings.Repeat("t", 300), true, minor31)
		for k := range 9 {
			if _, ok, err := zmtp.ParseHeader(frame[:k]); ok || err != nil {
				t.Errorf("%d bytes: got %v, %v, want nothing yet", k, ok, err)
			}
		}
		for k := 9; minor31 && k < 9+10; k++ {
			_, _, err := zmtp.ParseCommand(frame[9:k])
			checkError(t, err, ringwire.ErrProtocol)
		}
	}
}

func FuzzSubscription(f *testing.F) {
	for _, n := range []int{0, 1, 245, 246, 254, 255, 256} {
		f.Add(strings.Repeat("t", n), n%2 == 0, n < 255)
	}
	f.Add("\x00\x01\xFF", true, false)
	f.Fuzz(func(t *testing.T, topic string, subscribe, minor31 bool) {
		checkSubscription(t, zmtp.AppendSubscription(nil, topic, subscribe, minor31), topic, subscribe, minor31)
		got, sub, ok := zmtp.ParseSubscriptionMessage([]byte(topic)) // any body at all
		if !ok {
			return
		}
		if again := zmtp.AppendSubscription(nil, got, sub, false); !bytes.Equal(again[zmtp.HeaderLen(len(topic)):], []byte(topic)) {
			t.Fatalf("got %q, want a body of %q", again, topic)
		}
	})
}
