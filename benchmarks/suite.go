package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/ringwire/ringwire/benchmarks/internal/result"
)

// How many slices of which length a contender gets in a row.
const (
	defaultPairs = 15
	defaultSlice = 400 * time.Millisecond
	quickPairs   = 9
	quickSlice   = 300 * time.Millisecond
	maxPairs     = 200 // an end mark carries the number of its slice in one byte
)

// suite runs rows one after the other.
type suite struct {
	rows       []row
	pairs      int
	slice      time.Duration
	exactPairs bool // pairs was asked for: it holds for rows that have their own, too
	exactSlice bool // slice likewise

	warmUp   time.Duration  // of each contender, at least
	idle     time.Duration  // how long idle connections are watched
	sliced   func(pair int) // may be nil: called after each slice, for tests
	notBuilt bool           // rows would have had libzmq

	most int // bounds connections and subscriptions; 0: does not

	stderr    io.Writer
	progress  *progress
	directory string // for ipc endpoints
	endpoints int    // made so far
	done      []result.Row
}

// newSuite returns a suite as the command line has it. Tests make less of it.
func newSuite(stderr io.Writer) *suite {
	return &suite{
		pairs: defaultPairs, slice: defaultSlice,
		warmUp: 500 * time.Millisecond, idle: 2 * time.Second, stderr: stderr,
	}
}

// run measures all rows into run, or, when ctx is done, those that are
// finished.
func (s *suite) run(ctx context.Context, run *result.Run) (err error) {
	if s.directory, err = os.MkdirTemp("", "rw"); err != nil {
		return fmt.Errorf("make a directory for ipc endpoints: %w", err)
	}
	defer os.RemoveAll(s.directory)
	s.progress = newProgress(s.stderr, s.steps())
	defer s.progress.close()
	var unfinished []result.Row
	for rest := s.rows; len(rest) > 0; {
		// The connection rows are views of one piece of work.
		n := 1
		for rest[0].role.Pattern == connections && n < len(rest) && rest[n].role.Pattern == connections {
			n++
		}
		found, err := s.measure(ctx, rest[:n])
		if ctx.Err() != nil {
			run.Interrupted, unfinished = true, found
			break
		}
		if err != nil {
			return err
		}
		s.done = append(s.done, found...)
		rest = rest[n:]
	}
	run.Rows = s.done
	for _, row := range unfinished {
		if keepPart(&row) {
			run.Rows = append(run.Rows, row)
		}
	}
	run.Seconds = time.Since(run.Started).Seconds()
	return nil
}

// measure runs rows that belong together.
func (s *suite) measure(ctx context.Context, rows []row) ([]result.Row, error) {
	r := rows[0]
	s.progress.row(r.name)
	if r.role.Pattern == connections {
		return (&manyConnections{suite: s, rows: rows}).run(ctx)
	}
	note := ""
	if r.half {
		var err error
		if r.rate, note, err = s.halfRate(ctx); err != nil {
			found := r.result()
			for _, c := range r.contenders {
				found.Contenders = append(found.Contenders, result.Contender{Label: c.label, Missing: err.Error()})
			}
			return []result.Row{found}, nil
		}
	}
	found := s.measureRow(ctx, r)
	for i := range found.Contenders {
		found.Contenders[i].Note = note
	}
	return []result.Row{found}, nil
}

// lane is a contender at work.
type lane struct {
	team    *team
	found   *result.Contender
	latency *histogram // of all slices but the last
	last    *histogram
}

// mergeLast adds the last slice's latencies to those before it.
func (l *lane) mergeLast() {
	switch {
	case l.last == nil:
	case l.latency == nil:
		l.latency = l.last
	default:
		l.latency.Merge(l.last.Histogram)
	}
	l.last = nil
}

// measureRow runs the slices of all contenders in turn. It ends early when ctx
// is done, with an incomplete row.
func (s *suite) measureRow(ctx context.Context, r row) result.Row {
	row := r.result()
	row.Contenders = make([]result.Contender, len(r.contenders))
	lanes := make([]*lane, len(r.contenders))
	for i, c := range r.contenders {
		row.Contenders[i].Label = c.label
		lanes[i] = &lane{found: &row.Contenders[i]}
		s.warm(ctx, r, c, lanes[i])
		s.progress.step()
	}
	for pair := range s.pairsOf(r) {
		for _, i := range inTurn(len(lanes), pair) {
			if ctx.Err() == nil && lanes[i].team != nil {
				s.slicing(ctx, r, r.contenders[i], lanes[i])
				if s.sliced != nil {
					s.sliced(pair)
				}
			}
			s.progress.step()
		}
	}
	complete := completePairs(row.Contenders)
	for _, l := range lanes {
		if l.team != nil {
			l.team.close()
		}
		if n := len(l.found.Slices); n > complete { // by one: they run in turn
			l.found.Slices, l.last = l.found.Slices[:n-1], nil
		}
		l.mergeLast()
		if l.latency != nil {
			l.found.Latency = l.latency.latency()
		}
	}
	return row
}

// fewestPairs is how many pairs of a row that was interrupted are worth keeping.
const fewestPairs = 3

// completePairs is how many slices each contender has that was not dropped.
func completePairs(contenders []result.Contender) int {
	least := -1
	for _, c := range contenders {
		if n := len(c.Slices); c.Missing == "" && (least < 0 || n < least) {
			least = n
		}
	}
	return max(least, 0)
}

// keepPart reports whether a row that was interrupted has enough pairs, and
// says in it that it was.
func keepPart(row *result.Row) bool {
	n := completePairs(row.Contenders)
	if n < fewestPairs {
		return false
	}
	for i := range row.Contenders {
		c := &row.Contenders[i]
		note := fmt.Sprintf("interrupted after %d slices", n)
		if c.Note != "" {
			note = c.Note + "; " + note
		}
		c.Note = note
	}
	return true
}

// inTurn is the order of n contenders in a pair. Every other pair runs
// backwards: what gets slower or faster with time hits all alike.
func inTurn(n, pair int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
		if pair%2 == 1 {
			order[i] = n - 1 - i
		}
	}
	return order
}

// warm starts a contender and runs a slice that does not count.
func (s *suite) warm(ctx context.Context, r row, c contender, l *lane) {
	role := r.roleOf(c)
	role.Subscriptions = s.capped(role.Subscriptions)
	team, err := startTeam(ctx, c, role, s.endpoint(role.Transport))
	if err != nil {
		l.found.Missing = err.Error()
		return
	}
	l.team = team
	if _, _, err := team.slice(ctx, max(s.warmUp, s.sliceOf(r)), r.rate); err != nil {
		l.drop(fmt.Errorf("warm-up: %w", err))
	}
}

// slicing runs one slice.
func (s *suite) slicing(ctx context.Context, r row, c contender, l *lane) {
	got, used, err := l.team.slice(ctx, s.sliceOf(r), r.rate)
	var value float64
	if err == nil {
		value, err = r.value(l.team.role, got)
	}
	if err != nil && ctx.Err() != nil {
		return // it was interrupted, which says nothing against those before it
	}
	if err != nil {
		l.drop(fmt.Errorf("slice %d: %w", len(l.found.Slices)+1, err))
		return
	}
	if worksInC(c.engine) {
		used.Allocs, used.Syscalls = nil, nil
	}
	slice := result.Slice{
		Value: value, Messages: got.Messages, Seconds: got.Seconds,
		CPU: per(used.CPU, got.Messages), Allocs: per(used.Allocs, got.Messages), Syscalls: per(used.Syscalls, got.Messages),
	}
	if got.Latency != nil {
		p50, p99 := got.Latency.seconds(50), got.Latency.seconds(99)
		slice.P50, slice.P99 = &p50, &p99
		l.mergeLast()
		l.last = got.Latency
	}
	l.found.Slices = append(l.found.Slices, slice)
}

// drop takes a contender out of the row.
func (l *lane) drop(err error) {
	l.team.kill()
	l.team, l.latency, l.last = nil, nil, nil
	l.found.Slices, l.found.Missing = nil, err.Error()
}

// value is what the row measures. A slice in which it cannot be measured is an
// error.
func (r row) value(role role, got sliceResult) (float64, error) {
	if r.rate > 0 || role.Pattern == reqRep {
		if got.Latency == nil || got.Latency.TotalCount() == 0 {
			return 0, errors.New("no message came")
		}
	}
	value := r.metric.of(role, got)
	if !(value > 0) || math.IsInf(value, 1) {
		return 0, fmt.Errorf("%d messages are too few to measure", got.Messages)
	}
	return value, nil
}

func (s *suite) pairsOf(r row) int {
	if r.pairs > 0 && !s.exactPairs {
		return r.pairs
	}
	return s.pairs
}

func (s *suite) sliceOf(r row) time.Duration {
	if r.slice > 0 && !s.exactSlice {
		return r.slice
	}
	return s.slice
}

// steps is how many steps of progress there will be.
func (s *suite) steps() int {
	total, counted := 0, false
	for _, r := range s.rows {
		switch {
		case r.role.Pattern != connections:
			total += len(r.contenders) * (1 + s.pairsOf(r))
		case !counted:
			total += len(r.contenders) * s.pairsOf(r)
			counted = true
		}
	}
	return total
}

func (s *suite) capped(n int) int {
	if s.most > 0 {
		return min(n, s.most)
	}
	return n
}

// endpoint makes an endpoint to bind.
func (s *suite) endpoint(transport string) string {
	s.endpoints++
	switch transport {
	case "tcp":
		return "tcp://127.0.0.1:*"
	case "ipc":
		return "ipc://" + filepath.Join(s.directory, fmt.Sprint(s.endpoints))
	}
	return fmt.Sprintf("inproc://%d", s.endpoints)
}
