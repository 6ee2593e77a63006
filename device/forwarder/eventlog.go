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
	Time     time.Time `json:"time"`
	Side     string    `json:"side"`
	Kind     string    `json:"kind"`
	Endpoint string    `json:"endpoint,omitempty"`
	Remote   string    `json:"remote,omitempty"`
	Identity string    `json:"identity,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Error    string    `json:"error,omitempty"`
	Unsent   int64     `json:"unsent,omitempty"`
}

// listen takes events until they end. Attempts to connect are left out: there is
// one of them for each that fails, too.
func (l *eventLog) listen(events iter.Seq[socket.Event], side string) {
	for ev := range events {
		switch ev.Kind {
		case socket.Accepted, socket.Connected, socket.ConnectRetried:
			continue
		}
		v := eventView{
			Time: ev.Time.UTC(), Side: side, Kind: ev.Kind.String(), Endpoint: ev.Endpoint, Remote: ev.Remote,
			Reason: ev.Reason(), Unsent: ev.Unsent,
		}
		if len(ev.Identity) > 0 {
			v.Identity = strconv.QuoteToASCII(string(ev.Identity))
		}
		if ev.Err != nil {
			v.Error = printable(ev.Err.Error())
		}
		l.mu.Lock()
		if len(l.list) == eventLength {
			l.list = slices.Delete(l.list, 0, 1)
		}
		l.list = append(l.list, v)
		l.mu.Unlock()
	}
}

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
