package chaos_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ringwire/ringwire/benchmarks/internal/chaos"
	"github.com/ringwire/ringwire/socket"
)

// good is a flow of n messages of one lane, of which all arrived.
func good(n int64) *chaos.Flow {
	var sent, received []chaos.Record
	for seq := uint64(1); seq <= uint64(n); seq++ {
		sent = append(sent, chaos.Record{Entry: chaos.Trying, Lane: 1, Seq: seq}, chaos.Record{Entry: chaos.Accepted, Lane: 1, Seq: seq})
		received = append(received, chaos.Record{Entry: chaos.Received, Lane: 1, Seq: seq})
	}
	sender := socket.Counters{Accepted: n, Written: n, Confirmed: n}
	receiver := socket.Counters{Arrived: n, Returned: n}
	return &chaos.Flow{
		Name: "messages",
		From: []chaos.Party{{Seat: "sender", Records: sent, Stats: &socket.Stats{Counters: sender}}},
		To:   []chaos.Party{{Seat: "receiver", Records: received, Stats: &socket.Stats{Counters: receiver}}},
	}
}

// count keeps the receiver's own counters right, so that only the planted error
// is one.
func count(f *chaos.Flow) {
	n := int64(len(f.To[0].Records))
	f.To[0].Stats.Arrived, f.To[0].Stats.Returned = n, n
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name  string
		plant func(f *chaos.Flow)
		want  string // in what is broken; empty: nothing is
	}{
		{"all arrived", func(*chaos.Flow) {}, ""},
		{"lost", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 5)
			count(f)
		}, "1 unexplained"},
		{"lost and in doubt", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 5)
			count(f)
			f.From[0].Stats.Confirmed, f.From[0].Stats.InDoubt = 9, 1
		}, ""},
		{"two lost, one in doubt", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 6)
			count(f)
			f.From[0].Stats.Confirmed, f.From[0].Stats.InDoubt = 9, 1
		}, "1 unexplained"},
		{"dropped and counted", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 5)
			count(f)
			f.From[0].Stats.Written, f.From[0].Stats.Confirmed, f.From[0].Stats.SendDropped.PeerGone = 9, 9, 1
		}, ""},
		{"dropped, counted and delivered", func(f *chaos.Flow) {
			f.From[0].Stats.Written, f.From[0].Stats.Confirmed, f.From[0].Stats.SendDropped.PeerGone = 9, 9, 1
		}, "1 messages more have arrived than were written"},
		{"left in the closed receiver", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 9, 10)
			count(f)
			f.To[0].Stats.Arrived, f.To[0].Stats.RecvDropped.Closed = 10, 1
		}, ""},
		{"lost by a device that says so", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 6)
			count(f)
			f.Relayed = 2
		}, ""},
		{"two lost, one by a device that says so", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 6)
			count(f)
			f.Relayed = 1
		}, "1 unexplained"},
		{"one run in doubt", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(f.To[0].Records, 4, 7)
			count(f)
			f.From[0].Stats.Confirmed, f.From[0].Stats.InDoubt, f.Runs = 5, 5, 1
		}, ""},
		{"two runs in doubt", func(f *chaos.Flow) {
			f.To[0].Records = slices.Delete(slices.Delete(f.To[0].Records, 6, 8), 2, 4)
			count(f)
			f.From[0].Stats.Confirmed, f.From[0].Stats.InDoubt, f.Runs = 5, 5, 1
		}, "misses messages 3 to 4, 7 to 8 of lane 1, want at most 1 runs"},
		{"duplicated", func(f *chaos.Flow) {
			f.To[0].Records = slices.Insert(f.To[0].Records, 5, f.To[0].Records[4])
			count(f)
		}, "1 duplicated"},
		{"swapped", func(f *chaos.Flow) {
			r := f.To[0].Records
			r[4], r[5] = r[5], r[4]
		}, "1 reordered"},
		{"swapped where any order is right", func(f *chaos.Flow) {
			r := f.To[0].Records
			r[4], r[5] = r[5], r[4]
			f.AnyOrder = true
		}, ""},
		{"torn", func(f *chaos.Flow) { f.To[0].Records[4] = chaos.Record{Entry: chaos.Torn} }, "1 torn"},
		{"foreign", func(f *chaos.Flow) { f.To[0].Records[4].Entry = chaos.Foreign }, "1 foreign"},
		{"refused and delivered", func(f *chaos.Flow) {
			f.From[0].Records[9].Entry = chaos.Refused
			f.From[0].Stats.Accepted, f.From[0].Stats.Written, f.From[0].Stats.Confirmed = 9, 9, 9
		}, "of which Send had said that it was not sent"},
		{"from nowhere", func(f *chaos.Flow) { f.To[0].Records[4].Lane = 2 }, "which nobody sent"},
		{"accepted and not counted", func(f *chaos.Flow) {
			f.From[0].Stats.Accepted, f.From[0].Stats.Written, f.From[0].Stats.Confirmed = 9, 9, 9
		}, "Accepted is 9, but 10 calls returned nil"},
		{"sender's sum", func(f *chaos.Flow) { f.From[0].Stats.SendQueued = 1 }, "Accepted 10 is not Written 10"},
		{"written and forgotten", func(f *chaos.Flow) { f.From[0].Stats.Confirmed = 8 }, "Written 10 is not Confirmed 8 + InDoubt 0"},
		{"receiver's sum", func(f *chaos.Flow) { f.To[0].Stats.Arrived = 11 }, "Arrived 11 is not Returned 10"},
		{"returned and not counted", func(f *chaos.Flow) { f.To[0].Stats.Arrived, f.To[0].Stats.Returned = 9, 9 }, "Returned is 9, but Recv returned 10"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := good(10)
			test.plant(f)
			_, broken := chaos.Judge(*f)
			got := strings.Join(broken, "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What was not counted has no value.
func TestJudgeUncounted(t *testing.T) {
	f := good(10)
	f.From[0].Stats, f.From[0].Killed = nil, true
	f.To[0].Records = f.To[0].Records[:9]
	count(f)
	figures, broken := chaos.Judge(*f)
	if len(broken) > 0 || figures.Unexplained != nil || figures.InDoubt != nil || figures.Dropped != nil || figures.Lost == nil || *figures.Lost != 1 {
		t.Errorf("got %+v, %q, want one lost, and nothing known of drops, doubt and what is unexplained", figures, broken)
	}
}

// Each subscriber has its own copy.
func TestJudgeCopies(t *testing.T) {
	f := good(10)
	f.Copies = true
	second := f.To[0]
	second.Seat = "second"
	f.To = append(f.To, second)
	c := &f.From[0].Stats.Counters
	c.Accepted, c.Written, c.Confirmed = 20, 20, 20
	if figures, broken := chaos.Judge(*f); len(broken) > 0 || figures.Delivered != 20 {
		t.Errorf("got %+v, %q, want 20 delivered", figures, broken)
	}
	f.To[1].Records = f.To[1].Records[:7]
	stats := *f.To[1].Stats
	stats.Arrived, stats.Returned = 7, 7
	f.To[1].Stats = &stats
	if figures, _ := chaos.Judge(*f); *figures.Unexplained != 3 {
		t.Errorf("got %d unexplained, want 3", *figures.Unexplained)
	}
}

func TestMessage(t *testing.T) {
	id := chaos.ID{Lane: 3, Seq: 4, Sent: 5, By: 6}
	message := func() [][]byte { return chaos.Make(id, []int{0, 100, 3}) }
	if got, err := chaos.Read(message()); err != nil || got != id {
		t.Fatalf("got %+v, %v, want %+v", got, err, id)
	}
	other := chaos.Make(chaos.ID{Lane: 3, Seq: 5, Sent: 5, By: 6}, []int{0, 100, 3})
	for name, tear := range map[string]func(m [][]byte) [][]byte{
		"a byte":           func(m [][]byte) [][]byte { m[1][60]++; return m },
		"the sum":          func(m [][]byte) [][]byte { m[1][len(m[1])-1]++; return m },
		"last frame gone":  func(m [][]byte) [][]byte { return m[:2] },
		"first frame gone": func(m [][]byte) [][]byte { return m[1:] },
		"swapped frames":   func(m [][]byte) [][]byte { m[1], m[2] = m[2], m[1]; return m },
		"another's frame":  func(m [][]byte) [][]byte { m[1] = other[1]; return m },
		"a frame more":     func(m [][]byte) [][]byte { return append(m, m[2]) },
		"cut":              func(m [][]byte) [][]byte { m[1] = m[1][:50]; return m },
		"nothing":          func([][]byte) [][]byte { return nil },
	} {
		if _, err := chaos.Read(tear(message())); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}
