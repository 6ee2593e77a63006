package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire"
	"github.com/ringwire/ringwire/socket"
)

// Job is what a worker process does: one side of a pattern.
type Job struct {
	Library  string
	Pattern  Pattern
	Sends    bool
	Bind     bool
	Endpoint string
	Lane     uint32
	Sockets  int // each with a lane of its own, from Lane on
	Log      string
	Load     Load
	Settings Settings
}

// Settings are the options of a real run, equal for all libraries as far as they
// have them.
type Settings struct {
	SendHWM, RecvHWM                    int
	ReconnectMin, ReconnectMax          time.Duration
	HeartbeatInterval, HeartbeatTimeout time.Duration
	MaxMessageSize                      int64
	SendBudget, RecvBudget              int64
	Identity                            string
	Resolver                            string // address of a name server
}

func (s *Settings) options() *socket.Options {
	o := &socket.Options{
		SendHWM: s.SendHWM, RecvHWM: s.RecvHWM, ReconnectMin: s.ReconnectMin, ReconnectMax: s.ReconnectMax,
		HeartbeatInterval: s.HeartbeatInterval, HeartbeatTimeout: s.HeartbeatTimeout,
		MaxMessageSize: s.MaxMessageSize, SendBudget: s.SendBudget, RecvBudget: s.RecvBudget,
		ConnectTimeout: time.Second,
	}
	if s.Identity != "" {
		o.Identity = []byte(s.Identity)
	}
	if s.Resolver != "" {
		o.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "udp", s.Resolver)
		}}
	}
	return o
}

// Say is what a worker answers to a line that it reads.
type Say struct {
	Error    string        `json:"error,omitempty"`
	Endpoint string        `json:"endpoint,omitempty"` // at first
	Received int64         `json:"received"`           // of "look"
	Final    *Final        `json:"final,omitempty"`    // of "close"
	Stats    *socket.Stats `json:"stats,omitempty"`    // of "look"
}

// Final is what a worker knows in the end.
type Final struct {
	Stats       *socket.Stats `json:"stats,omitempty"` // of all its sockets together
	Fullest     *float64      `json:"fullest,omitempty"`
	Over        string        `json:"over,omitempty"`
	Goroutines  *int64        `json:"goroutines,omitempty"`
	Descriptors *int64        `json:"descriptors,omitempty"`
	HeapPeak    *int64        `json:"heap_peak,omitempty"`
	Broken      []string      `json:"broken,omitempty"`
}

// clock is the time that the processes of a run have in common.
func clock() int64 { return time.Now().UnixNano() }

// Work is a worker process: it does what it reads, a line at a time, until it is
// told to close or nothing more can be read.
func Work(job Job, in io.Reader, out io.Writer) error {
	warmUp()
	w := &worker{job: job, lines: json.NewEncoder(out), goroutines: runtime.NumGoroutine(), descriptors: descriptors()}
	endpoint, err := w.open()
	if err != nil {
		return w.say(Say{Error: err.Error()})
	}
	if err := w.say(Say{Endpoint: endpoint}); err != nil {
		return err
	}
	input := bufio.NewScanner(in)
	for input.Scan() {
		command, value, _ := strings.Cut(input.Text(), " ")
		number, _ := strconv.Atoi(value)
		if err := w.say(w.do(command, number)); err != nil || command == "close" {
			return err
		}
	}
	return input.Err()
}

// warmUp has the runtime open what it keeps: the descriptors of its poller.
func warmUp() {
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
}

type worker struct {
	job      Job
	lines    *json.Encoder
	log      *Log
	stations []*Station
	links    []closer
	peak     peak

	goroutines  int   // at the beginning
	descriptors int64 // likewise; -1: they cannot be counted
}

// closer is a link that can be closed, and that knows what it counted; nil if
// its library does not count.
type closer interface {
	Link
	close(linger time.Duration) (*Final, error)
	stats() *socket.Stats
}

func (w *worker) say(s Say) error { return w.lines.Encode(s) }

func (w *worker) open() (endpoint string, err error) {
	w.log, err = OpenLog(w.job.Log, clock)
	if err != nil {
		return "", err
	}
	w.descriptors++ // the log's
	if w.descriptors == 0 {
		w.descriptors = -1
	}
	for i := range max(1, w.job.Sockets) {
		job := w.job
		job.Lane += uint32(i)
		var link closer
		switch job.Library {
		case "ringwire":
			link, endpoint, err = openRealRingwire(&job)
		case "go-zeromq":
			link, endpoint, err = openGoZeroMQ(&job)
		default:
			err = fmt.Errorf("there is no library %q", job.Library)
		}
		if err != nil {
			return "", err
		}
		w.links = append(w.links, link)
		w.stations = append(w.stations, StartStation(job.Pattern, job.Sends, job.Lane, job.Load, link, w.log, clock))
	}
	w.peak.start()
	return endpoint, nil
}

func (w *worker) do(command string, number int) Say {
	var s Say
	for i, station := range w.stations {
		switch command {
		case "pause":
			station.Pause()
		case "resume":
			station.Resume()
		case "oversize":
			station.Oversize(number)
		case "stop":
			station.StopSending(time.Duration(number) * time.Millisecond)
		case "confirm":
			if c, ok := w.links[i].(interface{ confirm() error }); ok {
				if err := c.confirm(); err != nil {
					s.Error = err.Error()
				}
			}
		case "look", "close":
		default:
			s.Error = "there is no command " + command
		}
	}
	if command == "look" {
		s.Stats = w.stats()
	}
	if command == "close" {
		s.Final = w.close(time.Duration(number) * time.Millisecond)
	}
	return s
}

func (w *worker) stats() *socket.Stats {
	var sum socket.Stats
	for _, l := range w.links {
		st := l.stats()
		if st == nil {
			return nil
		}
		addStats(&sum, st)
	}
	return &sum
}

// close closes everything and looks at what is left.
func (w *worker) close(linger time.Duration) *Final {
	f := &Final{Stats: &socket.Stats{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, l := range w.links {
		all.Go(func() {
			one, err := l.close(linger)
			w.stations[i].Wait()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				f.Broken = append(f.Broken, err.Error())
			}
			f.Broken = append(f.Broken, one.Broken...)
			if one.Over != "" {
				f.Over = one.Over
			}
			largest(&f.Fullest, one.Fullest)
			st := l.stats()
			if st == nil || f.Stats == nil {
				f.Stats = nil
				return
			}
			addStats(f.Stats, st)
		})
	}
	all.Wait()
	heap := w.peak.stop()
	f.HeapPeak = &heap
	// What is about to end may do so.
	left, open := int64(0), int64(0)
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left, open = int64(runtime.NumGoroutine()-w.goroutines), descriptors()-w.descriptors
		if left <= 0 && open <= 0 || time.Now().After(end) {
			break
		}
	}
	left = max(0, left)
	f.Goroutines = &left
	if w.descriptors >= 0 {
		open = max(0, open)
		f.Descriptors = &open
	}
	if err := w.log.Close(); err != nil {
		f.Broken = append(f.Broken, err.Error())
	}
	return f
}

// addStats adds up what several sockets count.
func addStats(sum, s *socket.Stats) {
	sum.Counters = plus(sum.Counters, s.Counters)
	sum.Arrived += s.Arrived
	sum.Returned += s.Returned
	sum.RecvQueued += s.RecvQueued
	sum.RecvDropped = plusDrops(sum.RecvDropped, s.RecvDropped)
	sum.Peers += s.Peers
	sum.Unmatched += s.Unmatched
	sum.Connects += s.Connects
	sum.Accepts += s.Accepts
	sum.Disconnects += s.Disconnects
	sum.HandshakesFailed += s.HandshakesFailed
	sum.HandshakeTimeouts += s.HandshakeTimeouts
	sum.AcceptErrors += s.AcceptErrors
	sum.SlowPeers += s.SlowPeers
}

// descriptors is how many this process has open, -1 if that cannot be told.
func descriptors() int64 {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return int64(len(list))
}

// peak follows the heap.
type peak struct {
	done    chan struct{}
	running sync.WaitGroup
	most    int64 // owned by its goroutine until stop
}

func (p *peak) start() {
	p.done = make(chan struct{})
	p.running.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(sample)
			p.most = max(p.most, int64(sample[0].Value.Uint64()))
			select {
			case <-tick.C:
			case <-p.done:
				return
			}
		}
	})
}

func (p *peak) stop() int64 {
	close(p.done)
	p.running.Wait()
	return p.most
}

// realRingwire is a socket of ours in a worker.
type realRingwire struct {
	ringwireLink
	watcher *watcher
}

func openRealRingwire(job *Job) (closer, string, error) {
	o := job.Settings.options()
	if job.Sockets > 1 && job.Settings.Identity != "" {
		o.Identity = fmt.Appendf(nil, "%s-%d", job.Settings.Identity, job.Lane)
	}
	s, err := openRingwire(job.Pattern, job.Sends, o)
	if err != nil {
		return nil, "", err
	}
	endpoint := job.Endpoint
	if job.Bind {
		endpoint, err = s.Bind(job.Endpoint)
	} else {
		err = s.Connect(job.Endpoint)
	}
	if err != nil {
		s.Close()
		return nil, "", err
	}
	largest := max(o.MaxMessageSize, socket.DefaultMaxMessageSize)
	return &realRingwire{ringwireLink: ringwireLink{socket: s}, watcher: watch(s, o, largest)}, endpoint, nil
}

func (r *realRingwire) stats() *socket.Stats {
	st := r.socket.Stats()
	return &st
}

// confirm waits for receipts. That there are none for what was lost is known.
func (r *realRingwire) confirm() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.socket.Confirm(ctx); err != nil && !errors.Is(err, ringwire.ErrNoReceipt) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func (r *realRingwire) close(linger time.Duration) (*Final, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	err := r.socket.Shutdown(ctx)
	r.watcher.end()
	st := r.socket.Stats()
	f := &Final{Fullest: &r.watcher.fullest, Over: r.watcher.over}
	if unsent, ok := errors.AsType[*ringwire.UnsentError](err); ok {
		err = nil
		if unsent.Messages < st.SendDropped.Closed {
			f.Broken = append(f.Broken, fmt.Sprintf("Close told of %d unsent messages, but %d were dropped", unsent.Messages, st.SendDropped.Closed))
		}
	} else if st.SendDropped.Closed > 0 {
		f.Broken = append(f.Broken, fmt.Sprintf("Close told of no unsent messages, but %d were dropped", st.SendDropped.Closed))
	}
	if !r.watcher.missed && r.watcher.inDoubt != st.InDoubt {
		f.Broken = append(f.Broken, fmt.Sprintf("events tell of %d messages in doubt, Stats of %d", r.watcher.inDoubt, st.InDoubt))
	}
	return f, err
}
