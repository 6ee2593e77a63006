package chaos

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ringwire/ringwire/socket"
)

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

// worker is owned by the goroutine of Work.
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
		w.stations = append(w.stations, StartStation(job.Pattern, job.Sends, job.Lane, job.Load, job.Hops, link, w.log, clock))
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
		case "refuse":
			if r, ok := w.links[i].(interface{ refuse(all bool) }); ok {
				r.refuse(number > 0)
			} else {
				s.Error = w.job.Library + " has no authenticator"
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
