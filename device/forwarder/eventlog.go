package main

import (
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/ringwire/ringwire/socket"
)

// eventLength is how many events the page can show.
const eventLength = 50

// eventLog keeps the last events of both sockets.
type eventLog struct {
	mu   sync.Mutex
	list []eventView // oldest first; guarded by mu
}

// eventView is an event as JSON. What a peer chose is quoted in it.
type eventView struct {
	Time     time.Time `json:"time"` // the last time
	Times    int       `json:"times"`
	Side     string    `json:"side"`
	Kind     string    `json:"kind"`
	Endpoint string    `json:"endpoint,omitempty"`
	Remote   string    `json:"remote,omitempty"`
	Name     string    `json:"name,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Error    string    `json:"error,omitempty"`
	Unsent   int64     `json:"unsent,omitempty"`
}

// listen takes events until they end. Attempts to connect are left out: there is one
// of them for each that fails, too.
func (l *eventLog) listen(events iter.Seq[socket.Event], side string) {
	for ev := range events {
		switch ev.Kind {
		case socket.Accepted, socket.Connected, socket.ConnectRetried:
			continue
		}
		v := eventView{
			Time: utc(ev.Time), Times: 1, Side: side, Kind: ev.Kind.String(), Endpoint: ev.Endpoint, Remote: ev.Remote,
			Name: ev.Name, Reason: ev.Reason(), Unsent: ev.Unsent,
		}
		if v.Name == v.Remote {
			v.Name = ""
		}
		if ev.Err != nil {
			v.Error = printable(ev.Err.Error())
		}
		l.add(v)
	}
}

// add counts an event that repeats one of the last few as that one: a peer that
// is slow for long would leave nothing else.
func (l *eventLog) add(v eventView) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.list) - 1; i >= max(0, len(l.list)-repeatReach); i-- {
		older := l.list[i]
		same := v
		same.Time, same.Times = older.Time, older.Times
		if same == older {
			v.Times += older.Times
			l.list = slices.Delete(l.list, i, i+1)
			break
		}
	}
	if len(l.list) == eventLength {
		l.list = slices.Delete(l.list, 0, 1)
	}
	l.list = append(l.list, v)
}

// repeatReach is how far back a repetition is looked for.
const repeatReach = 10

func (l *eventLog) all() []eventView {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]eventView{}, l.list...)
}

// printable quotes a text that has something unprintable in it: it may be from a
// peer.
func printable(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) || r == utf8.RuneError {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
